package dynamodb

import (
	"errors"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// "Quotas in Amazon DynamoDB".
const (
	maxHashBytes  = 2048
	maxRangeBytes = 1024
	maxItemBytes  = 400 * 1024
)

// fault is a violation of a table's schema or content by one write. Within a
// transaction it cancels with a reason for that write, where a plain
// *wire.Error refuses the whole request.
type fault struct{ cause *wire.Error }

func (f fault) Error() string { return f.cause.Error() }
func (f fault) Unwrap() error { return f.cause }

func faultf(format string, args ...any) error { return fault{invalid(format, args...)} }

// plain takes a fault's mark off.
func plain(err error) error {
	var f fault
	if errors.As(err, &f) {
		return f.cause
	}
	return err
}

// checkKey checks a key parameter: exactly the schema's attributes.
func (k keySchema) checkKey(key attr.Item) error {
	if key == nil {
		return required("key")
	}
	attributes := k.attributes()
	if len(key) != len(attributes) {
		return faultf("The provided key element does not match the schema")
	}
	for _, a := range attributes {
		v, ok := key[a.Name]
		if !ok || v.Type() != a.Type {
			return faultf("The provided key element does not match the schema")
		}
	}
	return k.checkValues(key)
}

// checkUpdate refuses an update of a key attribute.
func (k keySchema) checkUpdate(u *expr.Update) error {
	if u == nil {
		return nil
	}
	for _, path := range u.Paths() {
		if k.has(path[0].Name) {
			return faultf("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", path[0].Name)
		}
	}
	return nil
}

// checkItem checks that a whole item has the schema's key.
func (k keySchema) checkItem(item attr.Item) error {
	for _, a := range k.attributes() {
		v, ok := item[a.Name]
		if !ok {
			return faultf("One or more parameter values were invalid: Missing the key %s in the item", a.Name)
		}
		if v.Type() != a.Type {
			return faultf("One or more parameter values were invalid: Type mismatch for key %s expected: %s actual: %s", a.Name, a.Type, v.Type())
		}
	}
	return k.checkValues(item)
}

// checkValues checks that key values are neither empty nor too long.
func (k keySchema) checkValues(item attr.Item) error {
	for _, a := range k.attributes() {
		if kind := emptyKind(item[a.Name]); kind != "" {
			return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, a.Name)
		}
	}
	return k.checkLengths(item)
}

func (k keySchema) checkLengths(item attr.Item) error {
	if item[k.hash.Name].Size() > maxHashBytes {
		return invalid("One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes")
	}
	if k.hasRange() && item[k.rng.Name].Size() > maxRangeBytes {
		return invalid("One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes")
	}
	return nil
}

// emptyKind says whether a value is an empty string or an empty binary.
func emptyKind(v attr.Value) string {
	switch {
	case v.Type() == attr.TypeString && v.Raw() == "":
		return "string"
	case v.Type() == attr.TypeBinary && v.Raw() == "":
		return "binary"
	}
	return ""
}

// checkIndexKeys checks the index keys of an item that a write made. Of
// several indexes at fault the first by name is named. An update is held to
// account only for what it changed: old is the item before it, nil for a put.
func (t *table) checkIndexKeys(item, old attr.Item, update bool) error {
	if len(t.indexes) == 0 {
		return nil
	}
	var first error
	firstName := ""
	for name, ix := range t.indexes {
		if first != nil && name > firstName {
			continue
		}
		if err := ix.checkKeys(item, old, update); err != nil {
			first, firstName = err, name
		}
	}
	return first
}

func (ix *index) checkKeys(item, old attr.Item, update bool) error {
	if err := ix.checkAttribute(ix.key.hash, maxHashBytes, item, old, update); err != nil {
		return err
	}
	if !ix.key.hasRange() {
		return nil
	}
	return ix.checkAttribute(ix.key.rng, maxRangeBytes, item, old, update)
}

func (ix *index) checkAttribute(a expr.KeyAttr, most int, item, old attr.Item, update bool) error {
	v, ok := item[a.Name]
	if !ok || ix.table.has(a.Name) || (update && v.Equal(old[a.Name])) {
		return nil
	}
	if v.Type() != a.Type {
		return faultf("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %s Actual: %s IndexName: %s", a.Name, a.Type, v.Type(), ix.name)
	}
	if kind := emptyKind(v); kind != "" {
		if update {
			return invalid("One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty %s value.", kind)
		}
		return invalid("One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", kind, ix.name, a.Name)
	}
	if v.Size() > most {
		if update {
			return faultf("The update expression attempted to update the secondary index key beyond allowed size limits")
		}
		return faultf("One or more parameter values were invalid: Size of the index key %s of index %s has exceeded the maximum size limit of %d bytes", a.Name, ix.name, most)
	}
	return nil
}

// checkSize refuses an item over 400 KB.
func checkSize(item attr.Item, update bool) error {
	if item.Size() <= maxItemBytes {
		return nil
	}
	if update {
		return faultf("Item size to update has exceeded the maximum allowed size")
	}
	return invalid("Item size has exceeded the maximum allowed size")
}
