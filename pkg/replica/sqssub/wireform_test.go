package sqssub

import (
	"testing"

	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// What watermill-aws writes is read as watermill-aws reads it, and the other
// way round, but for the attribute that needs a type watermill-aws skips.
func TestTheWireFormIsWatermillAWS(t *testing.T) {
	stock := wsqs.DefaultMarshalerUnmarshaler{}
	rapid.Check(t, func(t *rapid.T) {
		msg := message.NewMessage(rapid.StringN(1, 40, -1).Draw(t, "uuid"), rapid.SliceOf(rapid.Byte()).Draw(t, "payload"))
		msg.Metadata = rapid.MapOf(rapid.StringMatching(`[a-zA-Z]{1,10}`), rapid.StringN(1, 20, -1)).Draw(t, "metadata")
		written, err := stock.Marshal(msg)
		if err != nil {
			t.Fatal(err)
		}
		want, err := stock.Unmarshal(written)
		if err != nil {
			t.Fatal(err)
		}
		got, err := wireForm{}.Unmarshal(written)
		if err != nil || !got.Equals(want) {
			t.Fatalf("read %v, watermill-aws reads %v; %v", got, want, err)
		}
		ours := types.Message{Body: aws.String(string(msg.Payload)), MessageAttributes: wireForm{}.attributes(msg)}
		back, err := stock.Unmarshal(&ours)
		if err != nil {
			t.Fatal(err)
		}
		delete(want.Metadata, replica.MetadataChanged)
		if !back.Equals(want) {
			t.Fatalf("watermill-aws reads %v from %v", back, msg)
		}
		if both, err := (wireForm{}).Unmarshal(&ours); err != nil || !both.Equals(msg) {
			t.Fatalf("read %v from %v; %v", both, msg, err)
		}
	})
}

func TestOddAttributesAreReadWithoutPanic(t *testing.T) {
	raw := types.Message{MessageId: aws.String("sqs-id"), MessageAttributes: map[string]types.MessageAttributeValue{
		wsqs.UUIDAttribute: {DataType: aws.String("String")},
		"array":            {DataType: aws.String("String.Array"), StringValue: aws.String("[]")},
		"number":           {DataType: aws.String("Number.int"), StringValue: aws.String("7")},
		"image":            {DataType: aws.String("Binary.png"), BinaryValue: []byte("png")},
		"nothing":          {},
	}}
	msg, err := wireForm{}.Unmarshal(&raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(message.Metadata{"array": "[]", "number": "7", "image": "png"}, msg.Metadata); diff != "" || msg.UUID != "sqs-id" {
		t.Errorf("read %q with %s", msg.UUID, diff)
	}
}
