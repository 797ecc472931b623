package sns_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"
)

const onlyRed = `{"colour":["red"]}`

func TestSubscribeAgain(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	arn := w.subscribe(topic, "q", "RawMessageDelivery", "true", "FilterPolicy", onlyRed)
	if again := w.subscribe(topic, "q", "RawMessageDelivery", "true", "FilterPolicy", onlyRed); again != arn {
		t.Errorf("the same subscription got ARN %s, then %s", arn, again)
	}
	if again := w.subscribe(topic, "q"); again != arn {
		t.Errorf("without attributes the subscription got ARN %s, then %s", arn, again)
	}
	_, err := w.Subscribe(t.Context(), &sdk.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN("q")),
		Attributes: map[string]string{"RawMessageDelivery": "false"},
	})
	wantError[*types.InvalidParameterException](t, err, "Subscription already exists with different attributes")
}

func TestSubscribeRefuses(t *testing.T) {
	w := newWorld(t)
	plain, fifo := w.topic("plain"), w.topic("ordered.fifo", "FifoTopic", "true")
	for name, row := range map[string]struct {
		topic, protocol, endpoint string
		attributes                []string
		want                      string
	}{
		"another protocol":           {plain, "https", "https://example.com", nil, `localaws delivers to sqs only, not to "https"`},
		"an endpoint that is no ARN": {plain, "sqs", "q", nil, "Invalid parameter: SQS endpoint ARN"},
		"a FIFO queue to a standard topic": {plain, "sqs", queueARN("q.fifo"), nil,
			"FIFO SQS Queues can not be subscribed to standard SNS topics"},
		"an unknown attribute":       {plain, "sqs", queueARN("q"), []string{"Colour", "red"}, "subscription attribute Colour"},
		"a role, which firehose has": {plain, "sqs", queueARN("q"), []string{"SubscriptionRoleArn", "x"}, "subscription attribute SubscriptionRoleArn"},
		"raw delivery that is neither": {plain, "sqs", queueARN("q"), []string{"RawMessageDelivery", "yes"},
			"RawMessageDelivery: Invalid value [yes]. Must be true or false."},
		"an unknown scope": {plain, "sqs", queueARN("q"), []string{"FilterPolicyScope", "Body"},
			"FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or MessageAttributes"},
		"a filter policy with a wrong operator": {plain, "sqs", queueARN("q"), []string{"FilterPolicy", `{"a":[{"like":"b"}]}`},
			"Invalid parameter: Attributes Reason: FilterPolicy: Unrecognized match type like"},
		"a nested policy on attributes": {plain, "sqs", queueARN("q"), []string{"FilterPolicy", `{"a":{"b":["c"]}}`},
			"Invalid parameter: Attributes Reason: Filter policy scope MessageAttributes does not support nested filter policy"},
		"a redrive policy that is no JSON": {plain, "sqs", queueARN("q"), []string{"RedrivePolicy", "x"}, "RedrivePolicy: policy is not a JSON object"},
		"a redrive policy without a queue": {plain, "sqs", queueARN("q"), []string{"RedrivePolicy", "{}"}, "RedrivePolicy: deadLetterTargetArn is required"},
		"a redrive policy with a count": {plain, "sqs", queueARN("q"),
			[]string{"RedrivePolicy", `{"deadLetterTargetArn":"` + queueARN("d") + `","maxReceiveCount":3}`}, "localaws does not know maxReceiveCount"},
		"a dead-letter queue elsewhere": {plain, "sqs", queueARN("q"),
			[]string{"RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:` + account + `:d"}`}, "same account and region"},
		"a standard dead-letter queue of a FIFO topic": {fifo, "sqs", queueARN("q.fifo"),
			[]string{"RedrivePolicy", deadLetters("d")}, "must use a FIFO queue as DLQ for a FIFO topic"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Subscribe(t.Context(), &sdk.SubscribeInput{
				TopicArn: &row.topic, Protocol: &row.protocol, Endpoint: &row.endpoint, Attributes: pairs(row.attributes),
			})
			wantError[*types.InvalidParameterException](t, err, row.want)
		})
	}
	list, err := w.ListSubscriptions(t.Context(), &sdk.ListSubscriptionsInput{})
	if err != nil || len(list.Subscriptions) != 0 {
		t.Errorf("refused requests made subscriptions: %v (%v)", list.Subscriptions, err)
	}
}

func deadLetters(queue string) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":%q}`, queueARN(queue))
}

func TestSubscriptionAttributes(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	arn := w.subscribe(topic, "q")
	set := func(name, value string) error {
		_, err := w.SetSubscriptionAttributes(t.Context(), &sdk.SetSubscriptionAttributesInput{
			SubscriptionArn: &arn, AttributeName: &name, AttributeValue: &value,
		})
		return err
	}
	want := map[string]string{
		"SubscriptionArn": arn, "TopicArn": topic, "Protocol": "sqs", "Endpoint": queueARN("q"), "Owner": account,
		"SubscriptionPrincipal":        "arn:aws:iam::" + account + ":root",
		"ConfirmationWasAuthenticated": "true", "PendingConfirmation": "false", "RawMessageDelivery": "false",
	}
	check := func(when string) {
		t.Helper()
		out, err := w.GetSubscriptionAttributes(t.Context(), &sdk.GetSubscriptionAttributesInput{SubscriptionArn: &arn})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.Attributes); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	steps := []struct{ name, value string }{
		{"RawMessageDelivery", "true"},
		{"RedrivePolicy", deadLetters("dlq")},
		{"FilterPolicyScope", "MessageBody"},
		{"FilterPolicy", `{"a":{"b":["c"]}}`},
	}
	check("as made")
	for _, step := range steps {
		if err := set(step.name, step.value); err != nil {
			t.Fatal(err)
		}
		want[step.name] = step.value
		switch step.name {
		case "FilterPolicyScope": // shown only beside a policy
			delete(want, "FilterPolicyScope")
		case "FilterPolicy":
			want["FilterPolicyScope"] = "MessageBody"
		}
		check("after setting " + step.name)
	}
	wantError[*types.InvalidParameterException](t, set("FilterPolicyScope", "MessageAttributes"), "does not support nested filter policy")
	wantError[*types.InvalidParameterException](t, set("FilterPolicy", `{"a":"b"}`), `Invalid parameter: FilterPolicy: "a" must be an object or an array`)
	wantError[*types.InvalidParameterException](t, set("Colour", "red"), "subscription attribute Colour")
	check("after refused changes")

	for _, empty := range []string{"{}", ""} {
		if err := set("FilterPolicy", onlyRed); err != nil {
			t.Fatal(err)
		}
		if err := set("FilterPolicy", empty); err != nil {
			t.Fatal(err)
		}
		delete(want, "FilterPolicy")
		delete(want, "FilterPolicyScope")
		check("after an empty policy")
	}
}

func TestUnsubscribe(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	first, second := w.subscribe(topic, "a"), w.subscribe(topic, "b")
	for range 2 { // the second time is a success too
		if _, err := w.Unsubscribe(t.Context(), &sdk.UnsubscribeInput{SubscriptionArn: &first}); err != nil {
			t.Fatal(err)
		}
	}
	w.publish(topic, "m")
	if got := len(w.queues.take("a")); got != 0 {
		t.Errorf("an ended subscription got %d messages", got)
	}
	if got := len(w.queues.take("b")); got != 1 {
		t.Errorf("the other subscription got %d messages, want 1", got)
	}
	_, err := w.GetSubscriptionAttributes(t.Context(), &sdk.GetSubscriptionAttributesInput{SubscriptionArn: &first})
	wantError[*types.NotFoundException](t, err, "Subscription does not exist")
	list, err := w.ListSubscriptionsByTopic(t.Context(), &sdk.ListSubscriptionsByTopicInput{TopicArn: &topic})
	if err != nil || len(list.Subscriptions) != 1 || *list.Subscriptions[0].SubscriptionArn != second {
		t.Errorf("got %v (%v), want the second alone", list.Subscriptions, err)
	}
}

func TestSubscriptionsAreListedByTheHundred(t *testing.T) {
	w := newWorld(t)
	topic := w.topic("t")
	want := []string{}
	for i := range 120 {
		want = append(want, w.subscribe(topic, fmt.Sprintf("q%d", i)))
	}
	slices.Sort(want)
	got := []string{}
	pages := sdk.NewListSubscriptionsByTopicPaginator(w.Client, &sdk.ListSubscriptionsByTopicInput{TopicArn: &topic})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil || len(page.Subscriptions) > 100 {
			t.Fatalf("a page of %d (%v)", len(page.Subscriptions), err)
		}
		for _, sub := range page.Subscriptions {
			got = append(got, *sub.SubscriptionArn)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSubscriptionQuotas(t *testing.T) {
	w := newWorld(t)
	filtered := w.topic("filtered")
	for i := range 200 {
		w.subscribe(filtered, fmt.Sprintf("q%d", i), "FilterPolicy", onlyRed)
	}
	w.subscribe(filtered, "plain")
	_, err := w.Subscribe(t.Context(), &sdk.SubscribeInput{
		TopicArn: &filtered, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN("q200")), Attributes: map[string]string{"FilterPolicy": onlyRed},
	})
	wantError[*types.FilterPolicyLimitExceededException](t, err, "at most 200 filter policies")

	large := w.topic("large", "MaximumMessageSize", "262145")
	for i := range 100 {
		w.subscribe(large, fmt.Sprintf("q%d", i))
	}
	_, err = w.Subscribe(t.Context(), &sdk.SubscribeInput{TopicArn: &large, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN("q100"))})
	wantError[*types.InvalidParameterException](t, err, "at most 100 subscriptions")
}
