package dynamodb

import (
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const (
	codeValidation  = "ValidationException"
	codeNotFound    = "ResourceNotFoundException"
	codeInUse       = "ResourceInUseException"
	codeConditional = "ConditionalCheckFailedException"
)

// invalid is a ValidationException.
func invalid(format string, args ...any) *wire.Error {
	return wire.Errorf(codeValidation, format, args...)
}

// parameter is a ValidationException in the words AWS uses for a parameter
// whose value breaks a rule of its type.
func parameter(value, name, rule string) *wire.Error {
	return invalid("1 validation error detected: Value %s at '%s' failed to satisfy constraint: %s", value, name, rule)
}

// required refuses a missing parameter.
func required(name string) *wire.Error {
	return parameter("null", name, "Member must not be null")
}

// oneOf refuses a value outside an enumeration; an empty value passes.
func oneOf(value, name string, allowed ...string) error {
	if value == "" {
		return nil
	}
	for _, a := range allowed {
		if value == a {
			return nil
		}
	}
	return parameter("'"+value+"'", name, "Member must satisfy enum value set: ["+strings.Join(allowed, ", ")+"]")
}

// tableName takes the name out of a table's ARN; a name stays as it is.
func tableName(name string) string {
	if !strings.HasPrefix(name, "arn:") {
		return name
	}
	if _, after, ok := strings.Cut(name, ":table/"); ok {
		after, _, _ = strings.Cut(after, "/")
		return after
	}
	return name
}

// badName says whether a table or index name breaks AWS's naming rules.
func badName(name string) bool {
	if len(name) < 3 || len(name) > 255 {
		return true
	}
	return strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.'
	})
}

// checkTableName refuses an absent or malformed table name.
func checkTableName(name string) error {
	if name == "" {
		return required("tableName")
	}
	if badName(tableName(name)) {
		return invalid("Invalid table/index name.  Table/index names must be between 3 and 255 characters long, and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'")
	}
	return nil
}
