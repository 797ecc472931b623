package sqs

import (
	"bytes"
	"encoding/binary"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Attribute is a message attribute's value.
type Attribute struct {
	// DataType is String, Number or Binary, perhaps with a custom label after
	// a dot.
	DataType string
	// StringValue is set for every type but Binary.
	StringValue string
	// BinaryValue is set for Binary.
	BinaryValue []byte
}

func (a Attribute) binary() bool {
	return a.DataType == "Binary" || strings.HasPrefix(a.DataType, "Binary.")
}

func (a Attribute) sizeBytes(name string) int {
	return len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
}

// attributeJSON is an attribute as it travels.
type attributeJSON struct {
	DataType         string
	StringValue      *string  `json:",omitempty"`
	BinaryValue      []byte   `json:",omitempty"`
	StringListValues []string `json:",omitempty"`
	BinaryListValues [][]byte `json:",omitempty"`
}

func (a Attribute) json() attributeJSON {
	if a.binary() {
		return attributeJSON{DataType: a.DataType, BinaryValue: a.BinaryValue}
	}
	return attributeJSON{DataType: a.DataType, StringValue: &a.StringValue}
}

const (
	maxMessageAttributes  = 10  // "Amazon SQS message quotas"
	maxAttributeNameChars = 256 // "Amazon SQS message metadata"
)

var (
	attributeName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)
	number        = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
)

// readAttributes checks message attributes as "Amazon SQS message metadata"
// describes them.
func readAttributes(in map[string]attributeJSON) (map[string]Attribute, error) {
	if len(in) == 0 {
		return nil, nil
	}
	if len(in) > maxMessageAttributes {
		return nil, invalid("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(in), maxMessageAttributes)
	}
	read := make(map[string]Attribute, len(in))
	for _, name := range slices.Sorted(maps.Keys(in)) {
		if err := checkAttributeName(name); err != nil {
			return nil, err
		}
		attribute, err := in[name].read(name)
		if err != nil {
			return nil, err
		}
		read[name] = attribute
	}
	return read, nil
}

func checkAttributeName(name string) error {
	lower := strings.ToLower(name)
	switch {
	case !attributeName.MatchString(name):
		return invalid("The message attribute name '%s' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters.", name)
	case len(name) > maxAttributeNameChars:
		return invalid("Message (user) attribute name is longer than %d characters.", maxAttributeNameChars)
	case strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon."):
		return invalid("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved for internal use.")
	case strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, ".."):
		return invalid("The message attribute name '%s' is invalid. Attribute name must not begin or end with a period or have successive periods.", name)
	}
	return nil
}

func (in attributeJSON) read(name string) (Attribute, error) {
	kind, label, _ := strings.Cut(in.DataType, ".")
	switch {
	case in.DataType == "":
		return Attribute{}, invalid("The message attribute '%s' must contain a non-empty message attribute type.", name)
	case kind != "String" && kind != "Number" && kind != "Binary":
		return Attribute{}, invalid("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	case len(in.DataType) > 256 || label != "" && !attributeName.MatchString(label):
		return Attribute{}, invalid("The message attribute '%s' has an invalid message attribute type label.", name)
	case len(in.StringListValues) > 0 || len(in.BinaryListValues) > 0:
		return Attribute{}, unsupported("Message attribute list values in SendMessage operation are not supported.")
	}
	if kind == "Binary" {
		if in.StringValue != nil || len(in.BinaryValue) == 0 {
			return Attribute{}, invalid("The message attribute '%s' with type 'Binary' must use a non-empty field 'BinaryValue'.", name)
		}
		return Attribute{DataType: in.DataType, BinaryValue: in.BinaryValue}, nil
	}
	switch {
	case in.BinaryValue != nil || in.StringValue == nil || *in.StringValue == "":
		return Attribute{}, invalid("The message attribute '%s' with type '%s' must use a non-empty field 'StringValue'.", name, kind)
	case !validText(*in.StringValue):
		return Attribute{}, errorf("InvalidMessageContents", "The message attribute '%s' contains characters outside the allowed set.", name)
	case kind == "Number" && !number.MatchString(*in.StringValue):
		return Attribute{}, invalid("Can't cast the value of message (user) attribute '%s' to a number.", name)
	}
	return Attribute{DataType: in.DataType, StringValue: *in.StringValue}, nil
}

// attributesMD5 is the digest of message attributes ("Calculating the MD5
// message digest for message attributes", in "Amazon SQS message metadata"):
// by name, the length and bytes of name, type and value, with a byte before
// the value that tells text from binary.
func attributesMD5(attributes map[string]Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var encoded bytes.Buffer
	write := func(part string) {
		encoded.Write(binary.BigEndian.AppendUint32(nil, uint32(len(part))))
		encoded.WriteString(part)
	}
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		attribute := attributes[name]
		write(name)
		write(attribute.DataType)
		if attribute.binary() {
			encoded.WriteByte(2)
			write(string(attribute.BinaryValue))
		} else {
			encoded.WriteByte(1)
			write(attribute.StringValue)
		}
	}
	return md5Hex(encoded.String())
}

// selectAttributes returns the attributes a ReceiveMessage asks for: by name,
// by prefix (bar.*), or all (All, .*).
func selectAttributes(attributes map[string]Attribute, names []string) map[string]Attribute {
	if len(names) == 0 || len(attributes) == 0 {
		return nil
	}
	selected := make(map[string]Attribute, len(attributes))
	for _, wanted := range names {
		if wanted == "All" || wanted == ".*" {
			return attributes
		}
		prefix, isPrefix := strings.CutSuffix(wanted, ".*")
		for name, attribute := range attributes {
			if name == wanted || isPrefix && strings.HasPrefix(name, prefix) {
				selected[name] = attribute
			}
		}
	}
	return selected
}
