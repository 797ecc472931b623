package snspub

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	wsns "github.com/ThreeDotsLabs/watermill-aws/sns"
	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// entry is one message of a Publish call on its way.
type entry struct {
	at    int // its position in the call
	ctx   context.Context
	group string
	bytes int
	wire  types.PublishBatchRequestEntry
}

// newEntry puts a message into watermill-aws's wire form.
func newEntry(at int, msg *message.Message) *entry {
	e := &entry{at: at, ctx: msg.Context(), bytes: len(msg.Payload)}
	e.wire = types.PublishBatchRequestEntry{
		Id:                aws.String(strconv.Itoa(at)),
		Message:           aws.String(string(msg.Payload)),
		MessageAttributes: make(map[string]types.MessageAttributeValue, len(msg.Metadata)+1),
	}
	for key, value := range msg.Metadata {
		switch key {
		case wsns.MessageDeduplicationIdMetadataField:
			e.wire.MessageDeduplicationId = aws.String(value)
		case wsns.MessageGroupIdMetadataField:
			e.group = value
			e.wire.MessageGroupId = aws.String(value)
		case replica.MetadataChanged:
			e.attribute(key, "String.Array", value)
		default:
			e.attribute(key, "String", value)
		}
	}
	e.attribute(wsqs.UUIDAttribute, "String", msg.UUID)
	return e
}

// attribute adds a message attribute and what it weighs: name, type and value
// all count ("MessageAttributeValue", Amazon SNS API Reference). SNS takes no empty values; an
// empty one is left out, since Metadata.Get answers the same for both.
func (e *entry) attribute(name, dataType, value string) {
	if value == "" {
		return
	}
	e.wire.MessageAttributes[name] = types.MessageAttributeValue{
		DataType:    aws.String(dataType),
		StringValue: aws.String(value),
	}
	e.bytes += len(name) + len(dataType) + len(value)
}

// refusal returns why SNS, or the queue behind a raw subscription, could never
// take the entry, or nil.
func (e *entry) refusal(fifo bool) error {
	var problems []error
	if n := len(e.wire.MessageAttributes); n > MaxAttributes {
		problems = append(problems, fmt.Errorf("has %d attributes with its UUID, raw delivery carries %d: move some of them into the body", n, MaxAttributes))
	}
	if *e.wire.Message == "" {
		problems = append(problems, errors.New("has an empty payload, which SNS does not take"))
	}
	if !utf8.ValidString(*e.wire.Message) {
		problems = append(problems, errors.New("has a payload that is not UTF-8: encode it"))
	}
	for name, value := range e.wire.MessageAttributes {
		if !utf8.ValidString(*value.StringValue) {
			problems = append(problems, fmt.Errorf("has an attribute %q that is not UTF-8", name))
		}
	}
	if fifo && e.group == "" {
		problems = append(problems, fmt.Errorf("has no %s in its metadata, which a FIFO topic needs", wsns.MessageGroupIdMetadataField))
	}
	return errors.Join(problems...)
}

// entries turns the messages of a call into entries, or says which of them
// could never be sent.
func entries(messages []*message.Message, fifo bool, limitBytes int) ([]*entry, error) {
	all := make([]*entry, len(messages))
	refused := map[int]error{}
	oversize := map[int]int{}
	for i, msg := range messages {
		all[i] = newEntry(i, msg)
		if err := all[i].refusal(fifo); err != nil {
			refused[i] = err
		}
		if all[i].bytes > limitBytes {
			oversize[i] = all[i].bytes
		}
	}
	var problems []error
	if len(oversize) > 0 {
		problems = append(problems, &replica.OversizeError{Bytes: oversize, LimitBytes: limitBytes})
	}
	if len(refused) > 0 {
		problems = append(problems, &replica.RefusedError{Causes: refused})
	}
	if len(problems) == 1 {
		return nil, problems[0]
	}
	return all, errors.Join(problems...)
}

func isFIFO(topicARN string) bool { return strings.HasSuffix(topicARN, ".fifo") }
