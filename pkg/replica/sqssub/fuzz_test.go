package sqssub

import (
	"runtime"
	"strings"
	"testing"

	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// A dead letter is read or refused by its name; one that is read can be stored
// once more and reads the same then.
func FuzzReadDeadLetter(f *testing.F) {
	f.Add("body", "gzip+base64", `{"a":{"type":"String","text":"x"}}`, "3")
	f.Fuzz(func(t *testing.T, body, encoding, rest, count string) {
		read, err := ReadDeadLetter(types.Message{MessageId: aws.String("the-id"), Body: &body, MessageAttributes: map[string]types.MessageAttributeValue{
			DeadLetterEncoding: stringAttribute(encoding), DeadLetterRest: stringAttribute(rest), replica.DeadLetterCount: stringAttribute(count)}})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "read dead letter the-id: ") {
				t.Errorf("refused without its place: %v", err)
			}
			return
		}
		if encoding != encodingGzip {
			t.Errorf("%+v has an unknown encoding, %q", read, encoding)
		}
		for name := range read.Attributes {
			if strings.HasPrefix(name, "tributary-") {
				return // a letter within a letter, whose attributes are its own
			}
		}
		const limit = 1 << 20
		p, err := letter{body: string(read.Body), attributes: read.Attributes, reason: "again", count: read.ReceiveCount}.pack(newQueue("https://sqs/1/dlq"), limit)
		if err != nil {
			if p != nil || len(rest)+len(read.Body) < limit/2 {
				t.Errorf("%d bytes of body and %d of attributes are not taken: %v", len(read.Body), len(rest), err)
			}
			return
		}
		again, err := ReadDeadLetter(types.Message{Body: p.entry.MessageBody, MessageAttributes: p.entry.MessageAttributes})
		if err != nil {
			t.Fatal(err)
		}
		again.Reason, read.ReceiveCount = "", max(0, read.ReceiveCount) // only a count that can be is stored
		if diff := cmp.Diff(read, again, cmpopts.IgnoreUnexported(types.MessageAttributeValue{}), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("stored again it reads otherwise (-was +is):\n%s", diff)
		}
	})
}

// Whatever attributes a message has, it is read, and what Watermill can say of
// it is written back as it was.
func FuzzWireForm(f *testing.F) {
	f.Add("id", "body", "name", "String.Array", `["a"]`, []byte(nil))
	f.Fuzz(func(t *testing.T, id, body, name, kind, text string, binary []byte) {
		attribute := types.MessageAttributeValue{DataType: &kind, BinaryValue: binary}
		if text != "" {
			attribute.StringValue = &text
		}
		msg, err := decode(wireForm{}, &types.Message{MessageId: &id, Body: &body, MessageAttributes: map[string]types.MessageAttributeValue{name: attribute}})
		if err != nil || string(msg.Payload) != body || len(msg.Metadata) > 1 {
			t.Fatalf("%+v, %v", msg, err)
		}
		again, err := decode(wireForm{}, &types.Message{Body: aws.String(string(msg.Payload)), MessageAttributes: wireForm{}.attributes(msg)})
		if err != nil {
			t.Fatal(err)
		}
		want := message.NewMessage(msg.UUID, msg.Payload)
		for name, value := range msg.Metadata {
			if value != "" { // which SQS does not take
				want.Metadata[name] = value
			}
		}
		if _, taken := want.Metadata[name]; taken && name == wsqs.UUIDAttribute {
			t.Fatalf("the UUID is metadata: %v", want.Metadata)
		}
		if !again.Equals(want) {
			t.Errorf("%+v is written as %+v", want, again)
		}
	})
}

// A letter of the largest size that unpacks to more than it may is refused
// before it has taken much more than it may.
func TestADeadLetterThatUnpacksWithoutEndCostsBoundedMemory(t *testing.T) {
	packed, err := compress(strings.Repeat("\x00", maxBodyBytes+1<<20))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = ReadDeadLetter(types.Message{Body: &packed, MessageAttributes: map[string]types.MessageAttributeValue{DeadLetterEncoding: stringAttribute(encodingGzip)}})
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("%d bytes that unpack to %d: %v", len(packed), maxBodyBytes+1<<20, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 8*maxBodyBytes {
		t.Errorf("%d bytes are allocated to unpack %d", used, maxBodyBytes)
	}
}
