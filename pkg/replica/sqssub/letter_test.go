package sqssub

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Whatever the message, its dead letter is one that SQS takes, and reading it
// gives the message back.
func TestADeadLetterKeepsTheWholeMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		attributes := map[string]types.MessageAttributeValue{}
		for name := range rapid.MapOfN(rapid.StringMatching(`[a-z]{1,8}`), rapid.Bool(), 0, 10).Draw(t, "names") {
			kind := rapid.SampledFrom([]string{"String", "String.Array", "Number", "Binary", "Binary.png"}).Draw(t, "kind")
			a := types.MessageAttributeValue{DataType: aws.String(kind)}
			if kind[0] == 'B' {
				a.BinaryValue = rapid.SliceOfN(rapid.Byte(), 1, 30).Draw(t, "bytes")
			} else {
				a.StringValue = aws.String(rapid.StringN(1, 30, -1).Draw(t, "text"))
			}
			attributes[name] = a
		}
		limit := rapid.SampledFrom([]int{2048, 32 << 10, 1 << 20}).Draw(t, "limit")
		l := letter{
			body: string(rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body")), attributes: attributes,
			reason: rapid.StringN(1, 20, -1).Draw(t, "reason"), detail: rapid.StringN(0, 3000, -1).Draw(t, "detail"),
			source: "stats-profile", count: rapid.IntRange(0, 9).Draw(t, "count"),
		}
		p, err := l.pack(newQueue("https://sqs/1/dlq"), limit)
		if err != nil {
			if limit > 2048 {
				t.Fatal(err)
			}
			return // the attributes alone may be too many for it
		}
		stored := types.Message{Body: p.entry.MessageBody, MessageAttributes: p.entry.MessageAttributes}
		if n := len(stored.MessageAttributes); n > MaxAttributes {
			t.Fatalf("%d attributes", n)
		}
		if bytes := len(*stored.Body) + attributeBytes(stored.MessageAttributes); bytes > limit || bytes != p.bytes {
			t.Fatalf("%d bytes at a limit of %d, counted as %d", bytes, limit, p.bytes)
		}
		if *stored.Body == "" || printable(*stored.Body) != *stored.Body {
			t.Fatalf("SQS would not take the body %q", *stored.Body)
		}
		for name, a := range stored.MessageAttributes {
			if a.BinaryValue == nil && aws.ToString(a.StringValue) == "" {
				t.Fatalf("SQS would not take the empty attribute %s", name)
			}
		}
		got, err := ReadDeadLetter(stored)
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Body) != l.body || got.Reason != printable(l.reason) || got.Source != l.source || got.ReceiveCount != l.count {
			t.Fatalf("%+v became %+v", l, got)
		}
		if diff := cmp.Diff(attributes, got.Attributes, cmpopts.IgnoreUnexported(types.MessageAttributeValue{})); diff != "" {
			t.Fatal(diff)
		}
	})
}
