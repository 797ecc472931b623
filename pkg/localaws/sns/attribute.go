package sns

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// attributeType is a message attribute's data type: a logical type, perhaps
// with a label.
var attributeType = regexp.MustCompile(`^(String|Number|Binary)(\..+)?$`)

// checkAttributes refuses what AWS refuses of message attributes ("Amazon SNS
// message attributes"), by name in order.
func checkAttributes(attributes map[string]Attribute) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if wrong := attributeNameFault(name); wrong != "" {
			return wire.Errorf("ParameterValueInvalid", "%s", wrong)
		}
		if wrong := attributes[name].fault(name); wrong != "" {
			return wire.Errorf("ParameterValueInvalid", "%s", wrong)
		}
	}
	return nil
}

func attributeNameFault(name string) string {
	lower := strings.ToLower(name)
	switch {
	case name == "":
		return "The request must contain non-empty message attribute name."
	case len(name) > 256:
		return "Length of message attribute name must be less than 256 bytes."
	case strings.HasPrefix(name, "."):
		return "Invalid message attribute name starting with character '.' was found."
	case strings.HasSuffix(name, "."):
		return "Invalid message attribute name ending with character '.' was found."
	case strings.Contains(name, ".."):
		return "Message attribute name can not have successive '.' character."
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return "Message attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon."
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.", r) {
			return fmt.Sprintf("Invalid non-alphanumeric character '#x%X' was found in the message attribute name. "+
				"Can only include alphanumeric characters, hyphens, underscores, or dots.", r)
		}
	}
	return ""
}

func (a Attribute) fault(name string) string {
	binary := strings.HasPrefix(a.DataType, "Binary")
	field, given, other := "String", len(a.StringValue), len(a.BinaryValue)
	if binary {
		field, given, other = "Binary", other, given
	}
	switch {
	case len(a.DataType) > 256 || !attributeType.MatchString(a.DataType):
		return fmt.Sprintf("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	case given == 0 && other > 0:
		return fmt.Sprintf("The message attribute '%s' with type '%s' must use field '%s'.", name, a.DataType, field)
	case given == 0:
		return fmt.Sprintf("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, a.DataType)
	case other > 0:
		return fmt.Sprintf("The message attribute '%s' has both a StringValue and a BinaryValue.", name)
	case !utf8.ValidString(a.StringValue):
		return fmt.Sprintf("The message attribute '%s' is not UTF-8.", name)
	case strings.HasPrefix(a.DataType, "Number") && !isNumber(a.StringValue):
		return fmt.Sprintf("The message attribute '%s' with type '%s' must be a number.", name, a.DataType)
	}
	return ""
}

func isNumber(text string) bool {
	_, _, err := new(big.Float).Parse(text, 10)
	return err == nil && !strings.ContainsAny(text, "_iInN")
}
