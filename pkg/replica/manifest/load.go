package manifest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// FileName is what a manifest is called in a service's directory.
const FileName = "replication.yaml"

// Load reads, completes and validates the manifest at path. A file that is not
// readable gives the operating system's error; everything else gives Problems,
// joined.
func Load(path string) (*Manifest, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	return Parse(path, data)
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(file, MaxBytes+1)) // which Parse refuses
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	return data, nil
}

// Parse reads, completes and validates a manifest. The name is what errors
// call the file. The error joins every Problem found.
func Parse(name string, data []byte) (*Manifest, error) {
	m, problems := inspect(name, data)
	if len(problems) > 0 {
		return nil, join(problems)
	}
	return m, nil
}

// Inspect is Load for those who look for problems: it returns the manifest as
// far as it could be read, completed, beside the error, so that it can be
// checked further. It is nil where nothing could be read, and it must not be
// used for anything else where the error is not nil.
func Inspect(path string) (*Manifest, error) {
	data, err := read(path)
	if err != nil {
		return nil, err
	}
	m, problems := inspect(path, data)
	return m, join(problems)
}

func inspect(name string, data []byte) (*Manifest, []*Problem) {
	m := &Manifest{file: name, lines: map[string]int{}}
	d := &decoder{file: name, lines: m.lines}
	d.decode(data, m)
	if len(d.problems) > 0 && len(m.lines) == 0 || len(d.problems) > MaxProblems {
		return nil, d.problems // not even YAML, or not a manifest: what else is missing says nothing
	}
	m.Complete()
	problems := d.problems
	for _, p := range Problems(m.Validate()) {
		if !covered(p.Field, d.problems) {
			problems = append(problems, p)
		}
	}
	slices.SortStableFunc(problems, func(a, b *Problem) int { return cmp.Compare(a.Line, b.Line) })
	return m, problems
}

// covered reports whether a field's problem follows from one that was found
// when it, or something around or inside it, was read.
func covered(field string, found []*Problem) bool {
	for _, p := range found {
		if inside(field, p.Field) || inside(p.Field, field) {
			return true
		}
	}
	return false
}

// inside reports whether a path is another, or leads on from it.
func inside(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || outer == "" || rest[0] == '.' || rest[0] == '[')
}

// line returns where the field stands, or what contains it.
func (m *Manifest) line(path string) int {
	for {
		if line, ok := m.lines[path]; ok {
			return line
		}
		at := strings.LastIndexAny(path, ".[")
		if at < 0 {
			return m.lines[""]
		}
		path = path[:at]
	}
}
