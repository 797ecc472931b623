package dynamostore

import (
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// shape is what a statement's text depends on: everything of a write but its
// values. Names are sorted.
type shape struct {
	verb            verb
	table           string
	set, key, where []string
	remove          []string
	missing         []bool // by where: the attribute must be missing
	version         string
	mapping         string
}

// of makes it the shape of a write; names is room for the write's names.
func (s *shape) of(w *replica.Write, as verb, names []string) {
	s.verb, s.table, s.remove, s.version, s.mapping = as, w.Table, w.Remove, w.VersionAttribute, w.MappingAttribute
	for name := range w.Set {
		names = append(names, name)
	}
	if as == insertVerb {
		for name := range w.Key {
			if _, also := w.Set[name]; !also {
				names = append(names, name)
			}
		}
		s.set, s.remove = names, nil
		slices.Sort(s.set)
		return
	}
	set := len(names)
	for name := range w.Key {
		names = append(names, name)
	}
	key := len(names)
	for name := range w.Where {
		names = append(names, name)
	}
	s.set, s.key, s.where = names[:set], names[set:key], names[key:]
	slices.Sort(s.set)
	slices.Sort(s.key)
	slices.Sort(s.where)
	for _, name := range s.where {
		s.missing = append(s.missing, w.Where[name].IsZero())
	}
}

// append appends the shape as bytes that no other shape has: names hold no
// zeros.
func (s *shape) append(to []byte) []byte {
	to = append(to, byte(s.verb))
	to = append(to, s.table...)
	for _, names := range [...][]string{s.set, s.remove, s.key, s.where} {
		to = append(to, 0, 0)
		for _, name := range names {
			to = append(to, 0)
			to = append(to, name...)
		}
	}
	for _, missing := range s.missing {
		if missing {
			to = append(to, 1)
		} else {
			to = append(to, 2)
		}
	}
	to = append(to, 0, 0)
	to = append(to, s.version...)
	to = append(to, 0)
	return append(to, s.mapping...)
}

// values returns a write's values in the order of the text's question marks.
func (s *shape) values(w *replica.Write) []types.AttributeValue {
	values := make([]types.AttributeValue, 0, len(s.set)+len(s.key)+len(s.where)+2)
	for _, name := range s.set {
		v, ok := w.Set[name]
		if !ok {
			v = w.Key[name] // of an INSERT
		}
		values = append(values, ToAttribute(v))
	}
	if s.verb == insertVerb {
		return values
	}
	for _, name := range s.key {
		values = append(values, ToAttribute(w.Key[name]))
	}
	for i, name := range s.where {
		if !s.missing[i] {
			values = append(values, ToAttribute(w.Where[name]))
		}
	}
	return append(values, ToAttribute(w.Version.Value()), ToAttribute(contracts.String(w.Mapping)))
}

// text returns the statement's text.
func (s *shape) text() string {
	var b strings.Builder
	if s.verb == insertVerb {
		s.insert(&b)
	} else {
		s.update(&b)
	}
	return b.String()
}

// insert writes the statement that puts the item as the write would create it.
func (s *shape) insert(b *strings.Builder) {
	b.WriteString(`INSERT INTO "` + s.table + `" VALUE {`)
	for i, name := range s.set {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`'` + name + `':?`)
	}
	b.WriteByte('}')
}

// update writes the statement whose condition is that of replica.Write.
func (s *shape) update(b *strings.Builder) {
	b.WriteString(`UPDATE "` + s.table + `"`)
	for _, name := range s.set {
		b.WriteString(` SET "` + name + `"=?`)
	}
	for _, name := range s.remove {
		b.WriteString(` REMOVE "` + name + `"`)
	}
	before := ` WHERE "`
	for _, name := range s.key {
		b.WriteString(before + name + `"=?`)
		before = ` AND "`
	}
	for i, name := range s.where {
		if s.missing[i] {
			b.WriteString(before + name + `" IS MISSING`)
		} else {
			b.WriteString(before + name + `"=?`)
		}
	}
	b.WriteString(` AND ("` + s.version + `" IS MISSING OR "` + s.version + `"<?)`)
	b.WriteString(` AND ("` + s.mapping + `" IS MISSING OR "` + s.mapping + `"=?)`)
}

// texts keeps the texts of the shapes that were met: a mapping has a few, which
// differ in the attributes that items lack.
type texts struct {
	mu   sync.RWMutex
	kept map[string]string
}

// maxTexts bounds the texts that are kept; services have a few dozen.
const maxTexts = 1000

// of returns the text of a shape.
func (t *texts) of(s *shape) string {
	var room [1024]byte
	key := s.append(room[:0])
	t.mu.RLock()
	text, ok := t.kept[string(key)]
	t.mu.RUnlock()
	if ok {
		return text
	}
	text = s.text()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil || len(t.kept) >= maxTexts {
		t.kept = make(map[string]string)
	}
	t.kept[string(key)] = text
	return text
}

// state returns a write as a statement; ok is false if it is too long for one.
func (t *texts) state(at int, w *replica.Write, as verb) (st statement, ok bool) {
	var s shape
	var names [24]string
	s.of(w, as, names[:0])
	st = statement{at: at, verb: as, text: t.of(&s), values: s.values(w)}
	return st, len(st.text) <= maxStatementLength
}
