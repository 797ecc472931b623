package sns_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

var (
	errQueueGone = wire.Errorf("QueueDoesNotExist", "The specified queue does not exist.")
	errBroken    = errors.New("the queue's service is down")
)

func TestRawDelivery(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	w.subscribe(topic, "q", "RawMessageDelivery", "true")
	w.publish(topic, `<&"> ü`, with(map[string]types.MessageAttributeValue{
		"s": text("x"), "n": typed("Number", "1"), "b": binary(0, 255), "a": typed("String.Array", `["x",1,null]`),
	}), func(in *sdk.PublishInput) { in.Subject = aws.String("s"); in.MessageGroupId = aws.String("tenant") })
	want := []sns.Delivery{{
		QueueARN: queueARN("q"), TopicARN: topic, Body: `<&"> ü`, GroupID: "tenant",
		Attributes: map[string]sns.Attribute{
			"s": {DataType: "String", StringValue: "x"}, "n": {DataType: "Number", StringValue: "1"},
			"b": {DataType: "Binary", BinaryValue: []byte{0, 255}}, "a": {DataType: "String.Array", StringValue: `["x",1,null]`},
		},
	}}
	if diff := cmp.Diff(want, w.queues.take("q"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestWrappedDelivery(t *testing.T) {
	w := newWorld(t, func(cfg *sns.Config) {
		cfg.Now = func() time.Time { return time.Date(2026, 5, 4, 3, 2, 1, 7_000_000, time.FixedZone("", 3600)) }
	})
	topic := w.topic("t")
	subscription := w.subscribe(topic, "q")
	out := w.publish(topic, "<m>", func(in *sdk.PublishInput) {
		in.Subject = aws.String("about")
		in.MessageAttributes = map[string]types.MessageAttributeValue{"n": typed("Number", "1"), "b": binary(1, 2)}
	})
	got := w.queues.take("q")
	if len(got) != 1 || len(got[0].Attributes) != 0 || !strings.Contains(got[0].Body, `"<m>"`) {
		t.Fatalf("got %+v, want one delivery with everything in its body, not escaped", got)
	}
	want := map[string]any{
		"Type": "Notification", "MessageId": *out.MessageId, "TopicArn": topic, "Subject": "about", "Message": "<m>",
		"Timestamp": "2026-05-04T02:02:01.007Z", "SignatureVersion": "1",
		"SigningCertURL": "https://sns." + region + ".amazonaws.com/SimpleNotificationService-localaws.pem",
		"UnsubscribeURL": "https://sns." + region + ".amazonaws.com/?Action=Unsubscribe&SubscriptionArn=" + subscription,
		"MessageAttributes": map[string]any{
			"n": map[string]any{"Type": "Number", "Value": "1"}, "b": map[string]any{"Type": "Binary", "Value": "AQI="},
		},
	}
	document := unwrap(t, got[0])
	signature, _ := document["Signature"].(string)
	delete(document, "Signature")
	if diff := cmp.Diff(want, document); diff != "" || signature == "" {
		t.Errorf("signature %q: %s", signature, diff)
	}
}

func TestMessageStructure(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	w.subscribe(topic, "q", "RawMessageDelivery", "true")
	for name, row := range map[string]struct{ message, want string }{
		"the entry for sqs":               {`{"default":"d","sqs":"own","http":"h"}`, "own"},
		"the default without one":         {`{"default":"d","email":"e"}`, "d"},
		"the default if sqs is no string": {`{"default":"d","sqs":{"a":1}}`, "d"},
		"an empty entry":                  {`{"default":"d","sqs":""}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.publish(topic, row.message, func(in *sdk.PublishInput) { in.MessageStructure = aws.String("json") })
			if diff := cmp.Diff([]string{row.want}, bodies(w.queues.take("q"))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFilterPolicies(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	everything := w.subscribe(topic, "all")
	byAttribute := w.subscribe(topic, "attribute", "FilterPolicy", `{"changed":["name","sector"],"audience":["all","stats"]}`)
	w.subscribe(topic, "body", "FilterPolicyScope", "MessageBody", "FilterPolicy", `{"data":{"n":[{"numeric":[">",1]}]}}`)
	send := func(message, changed, audience string) {
		w.publish(topic, message, with(map[string]types.MessageAttributeValue{"changed": typed("String.Array", changed), "audience": text(audience)}))
	}
	send(`{"data":{"n":2}}`, `["founded","name"]`, "all")
	send(`{"data":{"n":1}}`, `["founded"]`, "all")
	send(`no JSON`, `["sector"]`, "billing")
	send(`{"data":{"n":[0,5]}}`, `["sector"]`, "stats")
	for queue, want := range map[string][]string{
		"all":       {`{"data":{"n":2}}`, `{"data":{"n":1}}`, `no JSON`, `{"data":{"n":[0,5]}}`},
		"attribute": {`{"data":{"n":2}}`, `{"data":{"n":[0,5]}}`},
		"body":      {`{"data":{"n":2}}`, `{"data":{"n":[0,5]}}`},
	} {
		got := []string{}
		for _, d := range w.queues.take(queue) {
			got = append(got, unwrap(t, d)["Message"].(string))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", queue, diff)
		}
	}
	if diff := cmp.Diff(sns.SubscriptionCounters{Attempts: 2, Delivered: 2, FilteredOut: 2}, w.counters(byAttribute)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sns.SubscriptionCounters{Attempts: 4, Delivered: 4}, w.counters(everything)); diff != "" {
		t.Error(diff)
	}
}

func TestFilterPolicyTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(cfg *sns.Config) { cfg.FilterDelay = 15 * time.Minute })
		topic := w.topic("t")
		arn := w.subscribe(topic, "q", "RawMessageDelivery", "true", "FilterPolicy", `{"c":["red"]}`)
		colours := func() string {
			for _, colour := range []string{"red", "blue"} {
				w.publish(topic, colour, with(map[string]types.MessageAttributeValue{"c": text(colour)}))
			}
			return strings.Join(bodies(w.queues.take("q")), " ")
		}
		set := func(policy string) {
			if _, err := w.SetSubscriptionAttributes(t.Context(), &sdk.SetSubscriptionAttributesInput{
				SubscriptionArn: &arn, AttributeName: aws.String("FilterPolicy"), AttributeValue: &policy,
			}); err != nil {
				t.Fatal(err)
			}
		}
		expect := func(when, want string) {
			t.Helper()
			if got := colours(); got != want {
				t.Errorf("%s: got %q, want %q", when, got, want)
			}
		}
		expect("before the new policy holds", "red blue")
		time.Sleep(15 * time.Minute)
		expect("when it holds", "red")
		set(`{"c":["blue"]}`)
		time.Sleep(10 * time.Minute)
		set("")
		expect("while a change is coming", "red")
		time.Sleep(5 * time.Minute)
		expect("when the change holds", "blue")
		time.Sleep(10 * time.Minute)
		expect("when the removal holds", "red blue")
	})
}

func TestClientSideErrorsGoToTheDeadLetterQueueAtOnce(t *testing.T) {
	w := newWorld(t)
	w.queues.fail = func(d sns.Delivery, _ int) error {
		if d.QueueARN == queueARN("q") {
			return errQueueGone
		}
		return nil
	}
	topic := w.topic("t")
	arn := w.subscribe(topic, "q", "RawMessageDelivery", "true", "RedrivePolicy", deadLetters("dlq"))
	w.publish(topic, "m", with(map[string]types.MessageAttributeValue{"a": text("x")}))
	want := []sns.Delivery{{
		QueueARN: queueARN("dlq"), TopicARN: topic, Body: "m", Attributes: map[string]sns.Attribute{"a": {DataType: "String", StringValue: "x"}},
	}}
	if diff := cmp.Diff(want, w.queues.take("dlq"), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sns.SubscriptionCounters{Attempts: 1, Failed: 1, Redriven: 1}, w.counters(arn)); diff != "" {
		t.Error(diff)
	}
}

func TestFailedWithoutDeadLetterQueueIsLost(t *testing.T) {
	w := newWorld(t)
	w.queues.fail = func(sns.Delivery, int) error { return errQueueGone }
	topic := w.topic("t")
	without := w.subscribe(topic, "q")
	refused := w.subscribe(topic, "r", "RedrivePolicy", deadLetters("dlq"))
	w.publish(topic, "m")
	for _, arn := range []string{without, refused} {
		if diff := cmp.Diff(sns.SubscriptionCounters{Attempts: 1, Failed: 1, Lost: 1}, w.counters(arn)); diff != "" {
			t.Error(diff)
		}
	}
}

func TestElevenAttributesAreTooManyForRawDelivery(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	w.subscribe(topic, "raw", "RawMessageDelivery", "true", "RedrivePolicy", deadLetters("dlq"))
	w.subscribe(topic, "wrapped")
	attributes := map[string]types.MessageAttributeValue{}
	for i := range 10 {
		attributes[fmt.Sprintf("a%02d", i)] = text("x")
	}
	w.publish(topic, "ten", with(attributes))
	attributes["a10"] = text("x")
	w.publish(topic, "eleven", with(attributes))
	if diff := cmp.Diff([]string{"ten"}, bodies(w.queues.take("raw"))); diff != "" {
		t.Error(diff)
	}
	if got := w.queues.take("wrapped"); len(got) != 2 {
		t.Errorf("the wrapped subscription got %d messages, want 2", len(got))
	}
	dead := w.queues.take("dlq")
	if len(dead) != 1 {
		t.Fatalf("the dead-letter queue got %d messages, want 1", len(dead))
	}
	document := unwrap(t, dead[0])
	if kept := document["MessageAttributes"].(map[string]any); document["Message"] != "eleven" || len(kept) != 11 {
		t.Errorf("the dead letter lost something: %v", document)
	}
}

func TestServerSideErrorsAreRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		failures := 5 // three attempts at once after the first, then one a second later
		w.queues.fail = func(_ sns.Delivery, attempt int) error {
			if attempt <= failures {
				return errBroken
			}
			return nil
		}
		topic := w.topic("t")
		arn := w.subscribe(topic, "q", "RawMessageDelivery", "true")
		start := time.Now()
		w.publish(topic, "m")
		if waited := time.Since(start); waited != 0 {
			t.Errorf("Publish waited %v for a retry", waited)
		}
		if got := w.queues.take("q"); len(got) != 0 {
			t.Fatalf("delivered %v before its time", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if diff := cmp.Diff([]string{"m"}, bodies(w.queues.take("q"))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(sns.SubscriptionCounters{Attempts: 6, Delivered: 1}, w.counters(arn)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRetriesEndInTheDeadLetterQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.queues.fail = func(d sns.Delivery, attempt int) error {
			if d.QueueARN == queueARN("q") || attempt < 3 {
				return errBroken
			}
			return nil
		}
		topic := w.topic("t")
		arn := w.subscribe(topic, "q", "RedrivePolicy", deadLetters("dlq"))
		w.publish(topic, "m")
		total := time.Duration(0)
		for _, pause := range sns.DefaultRetries() {
			total += pause
		}
		time.Sleep(total - time.Millisecond)
		synctest.Wait()
		if got := w.queues.take("dlq"); len(got) != 0 {
			t.Fatalf("gave up before the last retry: %v", got)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if got := w.queues.take("dlq"); len(got) != 1 || unwrap(t, got[0])["Message"] != "m" {
			t.Fatalf("the dead-letter queue got %v, want the message", got)
		}
		if diff := cmp.Diff(sns.SubscriptionCounters{Attempts: 16, Failed: 1, Redriven: 1}, w.counters(arn)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDisturb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(cfg *sns.Config) {
			cfg.Disturb = func(d sns.Delivery) []time.Duration {
				switch d.Body {
				case "late":
					return []time.Duration{time.Minute}
				case "twice":
					return []time.Duration{0, time.Second}
				case "lost":
					return nil
				}
				return []time.Duration{0}
			}
		})
		topic := w.topic("t")
		arn := w.subscribe(topic, "q", "RawMessageDelivery", "true")
		for _, message := range []string{"late", "twice", "lost", "plain"} {
			w.publish(topic, message)
		}
		if diff := cmp.Diff([]string{"twice", "plain"}, bodies(w.queues.take("q"))); diff != "" {
			t.Error(diff)
		}
		time.Sleep(time.Hour)
		if diff := cmp.Diff([]string{"twice", "late"}, bodies(w.queues.take("q"))); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(sns.SubscriptionCounters{Attempts: 4, Delivered: 4, Lost: 1}, w.counters(arn)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCloseEndsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(cfg *sns.Config) {
			cfg.Disturb = func(sns.Delivery) []time.Duration { return []time.Duration{time.Hour} }
		})
		topic := w.topic("t")
		w.subscribe(topic, "q")
		w.publish(topic, "m")
		start := time.Now()
		w.service.Close()
		if waited := time.Since(start); waited != 0 {
			t.Errorf("Close took %v", waited)
		}
		_, err := w.Publish(t.Context(), &sdk.PublishInput{TopicArn: &topic, Message: aws.String("m")})
		if err == nil || !strings.Contains(err.Error(), "ServiceUnavailable") {
			t.Errorf("a closed service answered %v", err)
		}
	})
}
