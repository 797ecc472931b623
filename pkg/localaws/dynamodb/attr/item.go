package attr

import "maps"

// Item is a whole item: attribute names and their values.
type Item map[string]Value

// Size returns the item's bytes as DynamoDB counts them: names and values
// ("DynamoDB item sizes and formats").
func (i Item) Size() int {
	total := 0
	for name, value := range i {
		total += len(name) + value.Size()
	}
	return total
}

// Clone returns a copy of the item; values are shared, being immutable.
func (i Item) Clone() Item { return maps.Clone(i) }

// Equal says whether both items have the same attributes with equal values.
func (i Item) Equal(o Item) bool { return maps.EqualFunc(i, o, Value.Equal) }

// UnmarshalJSON decodes {"name": {"S": "..."}} under the rules of
// Value.UnmarshalJSON.
func (i *Item) UnmarshalJSON(data []byte) error {
	item, err := decodeItem(data)
	if err != nil {
		return err
	}
	*i = item
	return nil
}
