package contracts

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// MaxBodyBytes is the largest body Decode reads: what a queue carries at most
// (Amazon SQS Developer Guide, "Amazon SQS message quotas", message size).
// Memory used is proportional to the body.
const MaxBodyBytes = 1 << 20

// Decode reads the event of a change whose contract is in the catalog. Unknown
// fields are accepted and dropped, in the envelope, in data, among the
// attributes and inside maps of fixed keys. A field that is missing, there
// twice, or malformed is refused with an error that is a *FieldError, a type
// the catalog does not know with one that is ErrUnknownType too. A body that is
// no JSON, not UTF-8, followed by more, nested deeper than 64 levels or larger
// than MaxBodyBytes is refused as a whole.
//
// The version decides where time disagrees with it; time has to be well formed
// all the same.
func Decode(body []byte, catalog *Catalog) (*Change, error) {
	if len(body) > MaxBodyBytes {
		return nil, fmt.Errorf("decode change: a body of %d bytes, more than the %d a queue carries", len(body), MaxBodyBytes)
	}
	if !utf8.Valid(body) {
		return nil, errors.New("decode change: the body is not UTF-8")
	}
	t := textOf(body)
	e := envelope{catalog: catalog}
	if err := e.read(&t); err != nil {
		return nil, fmt.Errorf("decode change: %w", err)
	}
	c, err := e.change(&t)
	if err != nil {
		return nil, fmt.Errorf("decode change %s: %w", clip(e.values[fieldID]), err)
	}
	return c, nil
}

// The fields of the envelope, without data.
const (
	fieldSpecVersion = iota
	fieldID
	fieldSource
	fieldType
	fieldSubject
	fieldTime
	fieldContentType
	fieldSchema
	fieldVersion
	fieldOrigin
	fieldPublished
	fieldTraceParent
	fieldCount
)

var fieldNames = [fieldCount]string{
	"specversion", "id", "source", "type", "subject", "time", "datacontenttype",
	"dataschema", "version", "origin", "published", "traceparent",
}

// envelope is what is read first: every field's text, and where data begins.
type envelope struct {
	catalog *Catalog
	values  [fieldCount]string
	has     [fieldCount]bool
	data    int     // where data begins, 0 if there is none
	early   *Change // what data says, if it could be read on the way
}

// read takes the envelope apart. When it returns nil the whole body is known
// to be JSON.
func (e *envelope) read(t *text) error {
	if t.peek() != '{' {
		return t.unexpected("an object")
	}
	next := 0
	err := t.object(func(name string) error {
		if name == "data" {
			if e.data > 0 {
				return wrong("data", "is there twice")
			}
			return e.passData(t)
		}
		field := next
		if field >= fieldCount || fieldNames[field] != name {
			field = slices.Index(fieldNames[:], name)
		}
		if field < 0 {
			return t.skip()
		}
		next = field + 1
		return e.field(t, field)
	})
	if err != nil {
		return err
	}
	if t.peek(); t.i < len(t.s) {
		return t.unexpected("the end")
	}
	return nil
}

// passData reads data where the type is known by then, for writers put it in
// front, and passes over it otherwise. It passes over a malformed one too:
// change reads that again in its turn, so that what an error says does not
// depend on the order of the fields.
func (e *envelope) passData(t *text) error {
	t.peek()
	e.data = t.i
	if kind, ok := e.catalog.typed(e.values[fieldType]); ok {
		c := &Change{Contract: kind.contract, Operation: kind.operation}
		ahead := *t
		if readData(&ahead, c) == nil {
			*t, e.early = ahead, c
			return nil
		}
	}
	return t.skip()
}

func (e *envelope) field(t *text, field int) error {
	if e.has[field] {
		return wrong(fieldNames[field], "is there twice")
	}
	switch t.peek() {
	case '"':
		value, err := t.str()
		e.values[field], e.has[field] = value, true
		return err
	case 'n': // CloudEvents JSON event format: null is the same as absent
		return t.word("null")
	}
	found := t.found()
	if err := t.skip(); err != nil {
		return err
	}
	return wrong(fieldNames[field], "want a string, got %s", found)
}

// want reports a field that is missing or empty.
func (e *envelope) want(fields ...int) error {
	for _, f := range fields {
		if e.values[f] == "" {
			if e.has[f] {
				return wrong(fieldNames[f], "is empty")
			}
			return wrong(fieldNames[f], missing)
		}
	}
	return nil
}

func (e *envelope) change(t *text) (*Change, error) {
	if err := e.want(fieldSpecVersion, fieldType); err != nil {
		return nil, err
	}
	if v := e.values[fieldSpecVersion]; v != "1.0" {
		return nil, wrong("specversion", "want 1.0, got %q", clip(v))
	}
	kind, ok := e.catalog.typed(e.values[fieldType])
	if !ok {
		return nil, fmt.Errorf("%w: %w", ErrUnknownType, wrong("type", "got %q", clip(e.values[fieldType])))
	}
	if err := e.want(fieldID, fieldSource, fieldSubject, fieldTime, fieldContentType, fieldOrigin, fieldPublished); err != nil {
		return nil, err
	}
	c := e.early
	if c == nil {
		c = &Change{Contract: kind.contract, Operation: kind.operation}
	}
	c.Source = e.values[fieldSource]
	c.Subject = e.values[fieldSubject]
	c.Origin = Origin(e.values[fieldOrigin])
	c.TraceParent = e.values[fieldTraceParent]
	if err := e.common(c); err != nil {
		return nil, err
	}
	if c.Contract != nil {
		if err := e.versioned(c); err != nil {
			return nil, err
		}
	}
	if !e.named(c) {
		return nil, wrong("id", "want %q, got %q", clip(c.ID()), clip(e.values[fieldID]))
	}
	switch {
	case e.early != nil:
		return c, nil
	case e.data == 0:
		return nil, wrong("data", missing)
	}
	t.i = e.data
	if t.peek() != '{' {
		return nil, wrong("data", "want an object, got %s", t.found())
	}
	return c, within("data", readData(t, c))
}

// common reads the fields that every event has.
func (e *envelope) common(c *Change) error {
	if err := checkSource(c.Source); err != nil {
		return err
	}
	if err := checkSubject(c.Subject); err != nil {
		return err
	}
	if _, err := e.instant(fieldTime); err != nil {
		return err
	}
	if v := e.values[fieldContentType]; v != "application/json" {
		return wrong("datacontenttype", "want application/json, got %q", clip(v))
	}
	if err := checkOrigin(c.Origin); err != nil {
		return err
	}
	published, err := e.instant(fieldPublished)
	if err != nil {
		return err
	}
	c.Published = published
	if e.has[fieldTraceParent] {
		return checkTraceParent(c.TraceParent)
	}
	return nil
}

func (e *envelope) instant(field int) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, e.values[field])
	if err != nil {
		return time.Time{}, wrong(fieldNames[field], "want a time as in RFC 3339, got %q", clip(e.values[field]))
	}
	at = at.UTC().Truncate(time.Microsecond)
	if y := at.Year(); at.IsZero() || y < 0 || y > 9999 {
		return time.Time{}, wrong(fieldNames[field], "want a time in the years 0 to 9999 in UTC, got %q", clip(e.values[field]))
	}
	return at, nil
}

// versioned reads the fields that a change has and a canary has not.
func (e *envelope) versioned(c *Change) error {
	if err := e.want(fieldSchema, fieldVersion); err != nil {
		return err
	}
	if schema := e.values[fieldSchema]; schema != c.Contract.SchemaID {
		if u, err := url.Parse(schema); err != nil || !u.IsAbs() {
			return wrong("dataschema", "want an absolute URI, got %q", clip(schema))
		}
	}
	v, err := ParseVersion(e.values[fieldVersion])
	if err != nil {
		return wrong("version", "want a whole number from 1 to 9223372036854775807, got %q", clip(e.values[fieldVersion]))
	}
	c.Version = v
	return nil
}

// named reports whether the event's id is the change's; it is c.ID() taken
// apart, without building it.
func (e *envelope) named(c *Change) bool {
	rest := e.values[fieldID]
	if c.Contract == nil {
		return rest == c.Subject
	}
	rest, ok1 := strings.CutPrefix(rest, c.Contract.ID())
	rest, ok2 := strings.CutPrefix(rest, "/")
	rest, ok3 := strings.CutPrefix(rest, c.Subject)
	rest, ok4 := strings.CutPrefix(rest, "@")
	return ok1 && ok2 && ok3 && ok4 && rest == e.values[fieldVersion]
}
