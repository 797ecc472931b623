package sqssub

import (
	"errors"
	"fmt"
	"strings"

	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// wireForm reads and writes watermill-aws's wire form. Unlike watermill-aws's
// own DefaultMarshalerUnmarshaler it reads attributes whose type has a label,
// such as String.Array, and survives a UUID attribute that is no string.
type wireForm struct{}

// Unmarshal implements watermill-aws's Unmarshaler.
func (wireForm) Unmarshal(raw *types.Message) (*message.Message, error) {
	// The id is for messages that Watermill did not publish.
	msg := message.NewMessage(aws.ToString(raw.MessageId), []byte(aws.ToString(raw.Body)))
	for name, attribute := range raw.MessageAttributes {
		kind, _, _ := strings.Cut(aws.ToString(attribute.DataType), ".")
		var value string
		switch {
		case kind == "Binary":
			value = string(attribute.BinaryValue)
		case attribute.StringValue != nil:
			value = *attribute.StringValue
		default:
			continue
		}
		if name == wsqs.UUIDAttribute {
			msg.UUID = value
			continue
		}
		msg.Metadata[name] = value
	}
	return msg, nil
}

// attributes returns a message's metadata and UUID as SQS message attributes.
// SQS takes no empty values; an empty one is left out, since Metadata.Get
// answers the same for both.
func (wireForm) attributes(msg *message.Message) map[string]types.MessageAttributeValue {
	attributes := make(map[string]types.MessageAttributeValue, len(msg.Metadata)+1)
	for name, value := range msg.Metadata {
		if value == "" {
			continue
		}
		kind := "String"
		if name == replica.MetadataChanged {
			kind = "String.Array"
		}
		attributes[name] = types.MessageAttributeValue{DataType: aws.String(kind), StringValue: aws.String(value)}
	}
	if msg.UUID != "" {
		attributes[wsqs.UUIDAttribute] = stringAttribute(msg.UUID)
	}
	return attributes
}

func stringAttribute(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
}

// attributeBytes is what attributes weigh: name, type and value all count
// towards the message size ("MessageAttributeValue", Amazon SQS API Reference).
func attributeBytes(attributes map[string]types.MessageAttributeValue) int {
	total := 0
	for name, a := range attributes {
		total += len(name) + len(aws.ToString(a.DataType)) + len(aws.ToString(a.StringValue)) + len(a.BinaryValue)
	}
	return total
}

// decode reads a message with whatever unmarshaler is configured. A panic in
// it is the message's fault, not the process's.
func decode(unmarshaler wsqs.Unmarshaler, raw *types.Message) (msg *message.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			msg, err = nil, fmt.Errorf("the unmarshaler panicked: %v", p)
		}
	}()
	msg, err = unmarshaler.Unmarshal(raw)
	if err == nil && msg == nil {
		err = errors.New("the unmarshaler returned neither a message nor an error")
	}
	return msg, err
}
