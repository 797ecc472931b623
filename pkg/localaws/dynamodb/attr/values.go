package attr

// Values is a list of values, such as a statement's parameters.
type Values []Value

// UnmarshalJSON decodes [{"S": "..."}, ...] under the rules of
// Value.UnmarshalJSON.
func (v *Values) UnmarshalJSON(data []byte) error {
	d := newDecoder(data)
	values := make(Values, 0, 8)
	present, err := d.elements(func() error {
		value, err := d.value(0)
		values = append(values, value)
		return err
	})
	if err != nil {
		return err
	}
	if !present {
		values = nil
	}
	*v = values
	return d.end()
}
