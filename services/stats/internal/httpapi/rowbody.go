package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// maxNamedProblems bounds the problems named of one body, so that a body of
// thousands of wrong fields does not make an answer larger than itself.
const maxNamedProblems = 50

// decodeRow reads the body of a row that belongs at the path's company, date
// and ticker: a JSON object with the data files' field names, figures as
// decimal strings. The body may repeat what the path says, as the data files'
// lines do, but not contradict it. Every problem is added to p.
func decodeRow(body []byte, at company.Row, p *problems) company.Figures {
	var figures company.Figures
	fields, ok := decodeObject(body, p)
	if !ok {
		return figures
	}
	seen := make(map[string]bool, len(fields))
	for i, f := range fields {
		if len(*p) >= maxNamedProblems {
			p.add("body", "%d more fields were not looked at", len(fields)-i)
			break
		}
		if seen[f.name] {
			p.add(clip(f.name), "is there more than once")
			continue
		}
		seen[f.name] = true
		switch figure := figures.Figure(f.name); {
		case figure != nil:
			readFigure(f, figure, p)
		case f.name == "cik":
			readIdentity(f, at.CIK, p)
		case f.name == "date":
			readIdentity(f, at.Date, p)
		case f.name == "ticker":
			readIdentity(f, at.Ticker, p)
		default:
			p.add(clip(f.name), "is no field of a statistics row; the figures are %s", strings.Join(company.FigureNames(), ", "))
		}
	}
	return figures
}

func readFigure(f field, into *company.Decimal, p *problems) {
	text, ok := f.text()
	if !ok {
		p.add(f.name, `want a decimal string such as "12.5", found %s; leave the field out where there is no figure`, f.kind())
		return
	}
	decimal, err := company.ParseDecimal(text)
	p.check(f.name, err)
	*into = decimal
}

func readIdentity(f field, want string, p *problems) {
	text, ok := f.text()
	switch {
	case !ok:
		p.add(f.name, "want the path's %q as a string, found %s", want, f.kind())
	case text != want:
		p.add(f.name, "the body says %q, the path says %q", clip(text), clip(want))
	}
}

// field is one member of a JSON object, in the order of the text.
type field struct {
	name  string
	value json.RawMessage
}

// text returns the value if it is a string.
func (f field) text() (string, bool) {
	if len(f.value) == 0 || f.value[0] != '"' {
		return "", false
	}
	var s string
	return s, json.Unmarshal(f.value, &s) == nil
}

// kind names the value's JSON type.
func (f field) kind() string {
	switch f.value[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	case '"':
		return "a string"
	}
	return "a number"
}

// decodeObject takes a JSON object apart, keeping repeated names, which
// encoding/json would silently merge. It reports whether the body is one
// object and nothing else; if not, p says where it goes wrong.
func decodeObject(body []byte, p *problems) ([]field, bool) {
	if !utf8.Valid(body) {
		p.add("body", "want JSON in UTF-8: the body has a byte that is not")
		return nil, false
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	open, err := decoder.Token()
	if err != nil {
		p.add("body", "want a JSON object: %s", jsonProblem(err, decoder))
		return nil, false
	}
	if open != json.Delim('{') {
		p.add("body", "want a JSON object")
		return nil, false
	}
	var fields []field
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			p.add("body", "want a JSON object: %s", jsonProblem(err, decoder))
			return nil, false
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			p.add("body", "want a JSON object: %s", jsonProblem(err, decoder))
			return nil, false
		}
		text, _ := name.(string) // within an object the decoder gives no other token here
		fields = append(fields, field{name: text, value: bytes.TrimSpace(value)})
	}
	if _, err := decoder.Token(); err != nil {
		p.add("body", "want a JSON object: %s", jsonProblem(err, decoder))
		return nil, false
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		p.add("body", "want one JSON object and nothing after it")
		return nil, false
	}
	return fields, true
}

func jsonProblem(err error, decoder *json.Decoder) string {
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the body ends too early"
	case errors.As(err, &syntax):
		return syntax.Error() + " near byte " + strconv.FormatInt(decoder.InputOffset(), 10)
	}
	return err.Error()
}

// clip shortens what is repeated to the sender.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
