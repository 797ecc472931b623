package dynamostore

import (
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
