package cli

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tributary-dev/tributary/pkg/replica/redrive"
)

// groupLine is a group of letters as --json has it.
type groupLine struct {
	Reason   string    `json:"reason"`
	Contract string    `json:"contract"`
	Letters  int       `json:"letters"`
	Oldest   time.Time `json:"oldest"`
	Newest   time.Time `json:"newest"`
	Detail   string    `json:"detail"`
	ID       string    `json:"example"`
}

// letterLine is a letter as a list has it.
type letterLine struct {
	ID        string    `json:"id"`
	Reason    string    `json:"reason"`
	Detail    string    `json:"detail,omitempty"`
	MovedBy   string    `json:"movedBy"`
	Source    string    `json:"source,omitempty"`
	Contract  string    `json:"contract,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	Version   string    `json:"version,omitempty"`
	Operation string    `json:"operation,omitempty"`
	Origin    string    `json:"origin,omitempty"`
	Published time.Time `json:"published,omitzero"`
	FirstSent time.Time `json:"firstSent,omitzero"`
	Received  int       `json:"received"`
}

func lineOf(l *redrive.Letter) letterLine {
	line := letterLine{ID: l.ID, Reason: l.Reason, Detail: l.Detail, MovedBy: string(l.MovedBy), Source: l.Source, Contract: l.Contract,
		Subject: l.Subject, Operation: string(l.Operation), Origin: string(l.Origin), Published: l.Published, FirstSent: l.FirstSent, Received: l.ReceiveCount}
	if l.Unknown != nil {
		line.Contract, line.Subject = l.About.Contract, l.About.Subject
	}
	if l.Version != 0 {
		line.Version = l.Version.String()
	}
	return line
}

// wholeLetter is a letter as show prints it and purge archives it.
type wholeLetter struct {
	letterLine
	// Body is the message's, in base64 where it is not text.
	Body       string                     `json:"body"`
	Base64     bool                       `json:"bodyIsBase64,omitempty"`
	Attributes map[string]letterAttribute `json:"attributes,omitempty"`
	Problem    string                     `json:"problem,omitempty"`
}

type letterAttribute struct {
	Type  string `json:"type"`
	Value string `json:"value"` // in base64 for binaries
}

func wholeOf(l *redrive.Letter) wholeLetter {
	whole := wholeLetter{letterLine: lineOf(l), Body: string(l.Body), Attributes: make(map[string]letterAttribute, len(l.Attributes))}
	if !utf8.Valid(l.Body) {
		whole.Body, whole.Base64 = base64.StdEncoding.EncodeToString(l.Body), true
	}
	for name, a := range l.Attributes {
		value := aws.ToString(a.StringValue)
		if a.StringValue == nil {
			value = base64.StdEncoding.EncodeToString(a.BinaryValue)
		}
		whole.Attributes[name] = letterAttribute{Type: aws.ToString(a.DataType), Value: value}
	}
	for _, problem := range []error{l.Unreadable, l.Unknown} {
		if problem != nil {
			whole.Problem = problem.Error()
		}
	}
	return whole
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// archive is a file of letters, one JSON document a line.
type archive struct {
	file *os.File
}

// openArchive opens a file to add letters to; one that is there already is
// added to.
func openArchive(path string) (*archive, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	// The file's name has to outlive a crash too, before a letter is deleted.
	directory, err := os.Open(filepath.Dir(path))
	if err == nil {
		err = directory.Sync()
		_ = directory.Close() // read only
	}
	if err != nil {
		_ = file.Close() // nothing is written
		return nil, fmt.Errorf("open archive %s: %w", path, err)
	}
	return &archive{file: file}, nil
}

// keep writes letters and returns when they are on the disk.
func (a *archive) keep(letters []redrive.Letter) error {
	for i := range letters {
		line, err := json.Marshal(wholeOf(&letters[i]))
		if err != nil {
			return err
		}
		if _, err := a.file.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return a.file.Sync()
}

func (a *archive) close() error { return a.file.Close() }
