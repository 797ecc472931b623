package dynamostore

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// verb is a kind of PartiQL statement.
type verb uint8

const (
	// updateVerb never creates an item: a missing one fails its condition.
	updateVerb verb = iota
	// insertVerb fails where there is an item.
	insertVerb
)

// action is the verb's name in IAM policies (Actions, resources, and condition
// keys for Amazon DynamoDB, service authorization reference).
func (v verb) action() string {
	if v == insertVerb {
		return "dynamodb:PartiQLInsert"
	}
	return "dynamodb:PartiQLUpdate"
}

// maxStatementLength is the most characters of one statement
// (BatchStatementRequest, DynamoDB API reference). Bytes are counted here,
// which are never fewer.
const maxStatementLength = 8192

// statement is one write as PartiQL.
type statement struct {
	at     int // which of the writes it makes
	verb   verb
	text   string
	values []types.AttributeValue
	// trouble is why the last attempt did not make the write; nil if it did.
	trouble *types.BatchStatementError
}

// insertable says that the write may create its item: then an INSERT does the
// same as the write, where there is none.
func insertable(w *replica.Write) bool { return !w.MustExist && len(w.Where) == 0 }

// stateable says that a write can be a statement without risk to others in its
// request: a value that DynamoDB cannot hold, or a name that PartiQL cannot
// say, would have the whole request refused.
func stateable(w *replica.Write) bool {
	if w.Replaces != nil || !quotable(w.Table) {
		return false
	}
	for _, item := range []contracts.Item{w.Key, w.Set, w.Where} {
		for name, v := range item {
			if !quotable(name) || !v.IsZero() && !storable(v, 0) {
				return false
			}
		}
	}
	return quotable(w.VersionAttribute) && quotable(w.MappingAttribute) && !slices.ContainsFunc(w.Remove, func(name string) bool { return !quotable(name) })
}

// quotable says that a name in double quotes, and in single ones, is that name.
// PartiQL takes none that begins like an expression's placeholder, and quotes
// inside a name are not worth a doubt.
func quotable(name string) bool {
	return name != "" && name[0] != '#' && name[0] != ':' && !strings.ContainsAny(name, "\"'\\\x00")
}

// maxDepth is how deep documents can be nested (Service, account, and table
// quotas in Amazon DynamoDB, attributes).
const maxDepth = 32

// storable says that DynamoDB can hold a value.
func storable(v contracts.Value, depth int) bool {
	switch v.Kind() {
	case contracts.KindString, contracts.KindBinary, contracts.KindBool, contracts.KindNull:
		return true
	case contracts.KindNumber:
		return contracts.CheckNumber(v.Text()) == nil
	case contracts.KindList:
		return depth < maxDepth && !slices.ContainsFunc(v.Elements(), func(e contracts.Value) bool { return !storable(e, depth+1) })
	case contracts.KindMap:
		for _, e := range v.Fields() {
			if !storable(e, depth+1) {
				return false
			}
		}
		return depth < maxDepth
	case contracts.KindStringSet, contracts.KindNumberSet, contracts.KindBinarySet:
		return storableSet(v)
	default:
		return false
	}
}

func storableSet(v contracts.Value) bool {
	seen := make(map[string]bool, len(v.Elements()))
	for _, m := range v.Elements() {
		text := m.Text()
		switch m.Kind() {
		case contracts.KindNumber:
			normal, err := contracts.NormalizeNumber(text)
			if err != nil {
				return false
			}
			text = normal
		case contracts.KindBinary:
			text = string(m.Bytes())
		}
		if seen[text] {
			return false
		}
		seen[text] = true
	}
	return len(seen) > 0
}

// state returns a write as a statement; ok is false if it is too long for one.
func state(at int, w *replica.Write, as verb) (st statement, ok bool) {
	b := builder{values: make([]types.AttributeValue, 0, len(w.Set)+len(w.Key)+len(w.Where)+2)}
	b.text.Grow(64 + 24*(len(w.Set)+len(w.Remove)+len(w.Key)+len(w.Where)))
	if as == insertVerb {
		b.insert(w)
	} else {
		b.update(w)
	}
	return statement{at: at, verb: as, text: b.text.String(), values: b.values}, b.text.Len() <= maxStatementLength
}

// builder puts a statement together. Names are sorted, so that one mapping's
// statements have one text.
type builder struct {
	text   strings.Builder
	values []types.AttributeValue
	names  [16]string // room for most items' names
}

func (b *builder) sorted(item contracts.Item) []string {
	names := b.names[:0]
	for name := range item {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (b *builder) value(v contracts.Value) {
	b.text.WriteByte('?')
	b.values = append(b.values, ToAttribute(v))
}

func (b *builder) quoted(before, name string, after string) {
	b.text.WriteString(before)
	b.text.WriteByte('"')
	b.text.WriteString(name)
	b.text.WriteByte('"')
	b.text.WriteString(after)
}

// update writes the statement whose condition is that of replica.Write.
func (b *builder) update(w *replica.Write) {
	b.quoted("UPDATE ", w.Table, "")
	for _, name := range b.sorted(w.Set) {
		b.quoted(" SET ", name, "=")
		b.value(w.Set[name])
	}
	for _, name := range w.Remove {
		b.quoted(" REMOVE ", name, "")
	}
	before := " WHERE "
	for _, name := range b.sorted(w.Key) {
		b.quoted(before, name, "=")
		b.value(w.Key[name])
		before = " AND "
	}
	for _, name := range b.sorted(w.Where) {
		if w.Where[name].IsZero() {
			b.quoted(before, name, " IS MISSING")
			continue
		}
		b.quoted(before, name, "=")
		b.value(w.Where[name])
	}
	b.missingOr(w.VersionAttribute, "<", w.Version.Value())
	b.missingOr(w.MappingAttribute, "=", contracts.String(w.Mapping))
}

func (b *builder) missingOr(name, comparator string, v contracts.Value) {
	b.quoted(" AND (", name, " IS MISSING OR ")
	b.quoted("", name, comparator)
	b.value(v)
	b.text.WriteByte(')')
}

// insert writes the statement that puts the item as the write would create it.
func (b *builder) insert(w *replica.Write) {
	b.quoted("INSERT INTO ", w.Table, " VALUE {'")
	item := w.Set
	if !contains(w.Set, w.Key) {
		item = maps.Clone(w.Set)
		maps.Copy(item, w.Key)
	}
	between := ""
	for _, name := range b.sorted(item) {
		b.text.WriteString(between)
		b.text.WriteString(name)
		b.text.WriteString("':")
		b.value(item[name])
		between = ",'"
	}
	b.text.WriteByte('}')
}

func contains(item, key contracts.Item) bool {
	for name := range key {
		if _, ok := item[name]; !ok {
			return false
		}
	}
	return true
}
