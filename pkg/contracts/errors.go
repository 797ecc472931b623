package contracts

import (
	"errors"
	"fmt"
)

// ErrUnknownType says that an event is of a type that belongs to no contract
// of the catalog it was decoded with: another contract, another major version,
// or no event of ours at all.
var ErrUnknownType = errors.New("event type of no known contract")

// FieldError says what is wrong with one field of an event or of a state.
type FieldError struct {
	// Field is the path of the field: "version", "data.attributes.tickers[2]".
	Field string
	// Problem says what was wanted and what was found.
	Problem string
}

// Error names the field and the problem.
func (e *FieldError) Error() string { return "event field " + e.Field + ": " + e.Problem }

func wrong(field, format string, args ...any) *FieldError {
	return &FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

const missing = "is missing"

// within puts the path that leads to a field in front of what is below it. It
// costs nothing until there is an error.
func within(path string, err error) error {
	if field, ok := errors.AsType[*FieldError](err); ok {
		field.Field = path + field.Field
	}
	return err
}
