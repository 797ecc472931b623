package sns_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
}

func typed(dataType, value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &dataType, StringValue: &value}
}

func binary(value ...byte) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Binary"), BinaryValue: value}
}

func with(attributes map[string]types.MessageAttributeValue) func(*sdk.PublishInput) {
	return func(in *sdk.PublishInput) { in.MessageAttributes = attributes }
}

func TestMessageAttributesAreChecked(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	one := func(name string, value types.MessageAttributeValue) map[string]types.MessageAttributeValue {
		return map[string]types.MessageAttributeValue{name: value}
	}
	for name, row := range map[string]struct {
		attributes map[string]types.MessageAttributeValue
		want       string
	}{
		"every type":           {map[string]types.MessageAttributeValue{"s": text("x"), "n": typed("Number", "-1.5e3"), "b": binary(0), "a": typed("String.Array", `["x"]`)}, ""},
		"a label":              {one("a", typed("Number.money", "12")), ""},
		"punctuation":          {one("a-b_c.D9", text("x")), ""},
		"256 characters":       {one(strings.Repeat("n", 256), text("x")), ""},
		"257 characters":       {one(strings.Repeat("n", 257), text("x")), "Length of message attribute name must be less than 256 bytes."},
		"a space":              {one("a b", text("x")), "Invalid non-alphanumeric character '#x20' was found in the message attribute name"},
		"a dot first":          {one(".a", text("x")), "starting with character '.'"},
		"a dot last":           {one("a.", text("x")), "ending with character '.'"},
		"two dots":             {one("a..b", text("x")), "can not have successive '.' character"},
		"a reserved name":      {one("AWS.a", text("x")), "reserved for use by Amazon"},
		"no name":              {one("", text("x")), "non-empty message attribute name"},
		"an unknown type":      {one("a", typed("Boolean", "true")), "has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."},
		"an empty text":        {one("a", text("")), "must contain non-empty message attribute value for message attribute type 'String'."},
		"an empty binary":      {one("a", binary()), "must contain non-empty message attribute value for message attribute type 'Binary'."},
		"a text as binary":     {one("a", typed("Binary", "x")), "with type 'Binary' must use field 'Binary'."},
		"a binary as text":     {one("a", types.MessageAttributeValue{DataType: aws.String("String"), BinaryValue: []byte("x")}), "with type 'String' must use field 'String'."},
		"a number of letters":  {one("a", typed("Number", "twelve")), "must be a number"},
		"a number of infinity": {one("a", typed("Number", "Inf")), "must be a number"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Message: aws.String("m"), MessageAttributes: row.attributes})
			if row.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantError[*types.InvalidParameterValueException](t, err, row.want)
		})
	}
}

func TestMessagesAreChecked(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	subject := func(s string) func(*sdk.PublishInput) { return func(in *sdk.PublishInput) { in.Subject = &s } }
	for name, row := range map[string]struct {
		message string
		change  func(*sdk.PublishInput)
		want    string
	}{
		"nothing":                          {"", nil, "Invalid parameter: Empty message"},
		"a subject of 99 characters":       {"m", subject(strings.Repeat("ä", 99)), ""},
		"a subject of 100 characters":      {"m", subject(strings.Repeat("ä", 100)), "must be less than 100 characters"},
		"an empty subject":                 {"m", subject(""), "Invalid parameter: Subject"},
		"a subject of two lines":           {"m", subject("a\nb"), "without line breaks"},
		"262144 bytes":                     {strings.Repeat("x", 262144), nil, ""},
		"262145 bytes":                     {strings.Repeat("x", 262145), nil, "Invalid parameter: Message too long"},
		"262145 bytes with the attributes": {strings.Repeat("x", 262144-7), with(map[string]types.MessageAttributeValue{"n": text("v")}), "Invalid parameter: Message too long"},
		"a phone number":                   {"m", func(in *sdk.PublishInput) { in.PhoneNumber = aws.String("+1") }, "localaws publishes to topics only"},
		"two targets":                      {"m", func(in *sdk.PublishInput) { in.TargetArn = &topic }, "give one of them"},
		"no target":                        {"m", func(in *sdk.PublishInput) { in.TopicArn = nil }, "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"},
		"a target":                         {"m", func(in *sdk.PublishInput) { in.TopicArn, in.TargetArn = nil, &topic }, ""},
		"an unknown structure":             {"m", func(in *sdk.PublishInput) { in.MessageStructure = aws.String("xml") }, "MessageStructure"},
		"a structure that is no JSON":      {"m", func(in *sdk.PublishInput) { in.MessageStructure = aws.String("json") }, "JSON message body failed to parse"},
		"a structure without default":      {`{"sqs":"x"}`, func(in *sdk.PublishInput) { in.MessageStructure = aws.String("json") }, "No default entry in JSON message body"},
		"a deduplication id":               {"m", func(in *sdk.PublishInput) { in.MessageDeduplicationId = aws.String("x") }, "not valid for this topic type"},
		"a group id":                       {"m", func(in *sdk.PublishInput) { in.MessageGroupId = aws.String("tenant") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := &sdk.PublishInput{TopicArn: &topic, Message: &row.message}
			if row.change != nil {
				row.change(in)
			}
			out, err := w.Publish(t.Context(), in)
			if row.want == "" {
				if err != nil || aws.ToString(out.MessageId) == "" || out.SequenceNumber != nil {
					t.Fatalf("got %v (%v), want a message id alone", out, err)
				}
				return
			}
			wantError[*types.InvalidParameterException](t, err, row.want)
		})
	}
}

func TestLargerTopicTakesLargerMessages(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t", "MaximumMessageSize", "1048576")
	w.publish(topic, strings.Repeat("x", 1048576))
	_, err := w.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Message: aws.String(strings.Repeat("x", 1048577))})
	wantError[*types.InvalidParameterException](t, err, "Message too long")
}

func entry(id, message string) types.PublishBatchRequestEntry {
	return types.PublishBatchRequestEntry{Id: &id, Message: &message}
}

func TestBatchesAreChecked(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	w.subscribe(topic, "q")
	eleven := []types.PublishBatchRequestEntry{}
	for i := range 11 {
		eleven = append(eleven, entry(fmt.Sprint(i), "m"))
	}
	half := strings.Repeat("x", 131072)
	publish := func(entries ...types.PublishBatchRequestEntry) error {
		_, err := w.PublishBatch(t.Context(), &sdk.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: entries})
		return err
	}
	wantError[*types.EmptyBatchRequestException](t, publish([]types.PublishBatchRequestEntry{}...), "doesn't contain any entries")
	wantError[*types.TooManyEntriesInBatchRequestException](t, publish(eleven...), "more entries than permissible")
	wantError[*types.BatchEntryIdsNotDistinctException](t, publish(entry("a", "m"), entry("a", "n")), "same Id")
	wantError[*types.InvalidBatchEntryIdException](t, publish(entry("a b", "m")), "doesn't abide by the specification")
	wantError[*types.InvalidBatchEntryIdException](t, publish(entry(strings.Repeat("a", 81), "m")), "doesn't abide by the specification")
	wantError[*types.BatchRequestTooLongException](t, publish(entry("a", half), entry("b", half+"x")), "more than the limit")
	if got := w.queues.take("q"); len(got) != 0 {
		t.Errorf("refused batches delivered %d messages", len(got))
	}
	if err := publish(entry("a", half), entry("b", half)); err != nil {
		t.Errorf("a batch of exactly the limit: %v", err)
	}
	if err := publish(eleven[:10]...); err != nil {
		t.Errorf("a batch of ten: %v", err)
	}
	if got := w.queues.take("q"); len(got) != 12 {
		t.Errorf("delivered %d messages, want 12", len(got))
	}
}

func TestBatchFailsInPart(t *testing.T) {
	w := newWorld(t, func(cfg *sns.Config) {
		cfg.PublishFault = func(_, message string) error {
			if message == "throttled" {
				return &wire.Error{Code: "InternalError", Message: "come again", Status: 500}
			}
			return nil
		}
	})
	topic := w.topic("t")
	w.subscribe(topic, "q", "RawMessageDelivery", "true")
	bad := entry("bad", "m")
	bad.MessageAttributes = map[string]types.MessageAttributeValue{"a": text("")}
	out, err := w.PublishBatch(t.Context(), &sdk.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		entry("first", "1"), bad, entry("later", "throttled"), entry("last", "2"), entry("empty", ""),
	}})
	if err != nil {
		t.Fatal(err)
	}
	succeeded := []string{}
	for _, s := range out.Successful {
		succeeded = append(succeeded, *s.Id)
	}
	if diff := cmp.Diff([]string{"first", "last"}, succeeded); diff != "" {
		t.Error(diff)
	}
	type failure struct {
		ID, Code    string
		SenderFault bool
	}
	failed := []failure{}
	for _, f := range out.Failed {
		failed = append(failed, failure{*f.Id, *f.Code, f.SenderFault})
	}
	want := []failure{{"bad", "ParameterValueInvalid", true}, {"later", "InternalError", false}, {"empty", "InvalidParameter", true}}
	if diff := cmp.Diff(want, failed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"1", "2"}, bodies(w.queues.take("q"))); diff != "" {
		t.Error(diff)
	}
	if published := w.service.Counters().Topics[topic].Published; published != 2 {
		t.Errorf("counted %d published, want 2", published)
	}
	_, err = w.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Message: aws.String("throttled")})
	wantError[*types.InternalErrorException](t, err, "come again")
}
