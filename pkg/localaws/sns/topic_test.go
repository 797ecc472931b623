package sns_test

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

func TestCreateTopicAgain(t *testing.T) {
	w := newWorld(t)
	create := func(attributes map[string]string, tags ...types.Tag) error {
		_, err := w.CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: aws.String("changes"), Attributes: attributes, Tags: tags})
		return err
	}
	tag := types.Tag{Key: aws.String("team"), Value: aws.String("a")}
	if err := create(map[string]string{"DisplayName": "Changes"}, tag); err != nil {
		t.Fatal(err)
	}
	for name, attributes := range map[string]map[string]string{
		"the same attributes": {"DisplayName": "Changes"},
		"no attributes":       nil,
		"a default spelt out": {"TracingConfig": "PassThrough"},
	} {
		if err := create(attributes, tag); err != nil {
			t.Errorf("%s: %v, want the topic again", name, err)
		}
	}
	wantError[*types.InvalidParameterException](t, create(map[string]string{"DisplayName": "Other"}), "Topic already exists with different attributes")
	tag.Value = aws.String("b")
	wantError[*types.InvalidParameterException](t, create(nil, tag), "Topic already exists with different tags")
}

func TestTopicNames(t *testing.T) {
	w := newWorld(t)
	for name, row := range map[string]struct {
		topic, fifo, want string
	}{
		"letters, digits, hyphens and underscores": {"a-Z_9", "", ""},
		"256 characters":                  {strings.Repeat("x", 256), "", ""},
		"257 characters":                  {strings.Repeat("x", 257), "", "Invalid parameter: Topic Name"},
		"a dot":                           {"a.b", "", "Invalid parameter: Topic Name"},
		"nothing":                         {"", "", "Invalid parameter: Topic Name"},
		"the FIFO suffix without FIFO":    {"a.fifo", "", "Invalid parameter: Topic Name"},
		"FIFO":                            {"b.fifo", "true", ""},
		"FIFO without its suffix":         {"b", "true", "Fifo Topic names must end with .fifo"},
		"FIFO with suffix, 257 in all":    {strings.Repeat("x", 252) + ".fifo", "true", "Fifo Topic names must end with .fifo"},
		"FIFO with suffix, 256 in all":    {strings.Repeat("x", 251) + ".fifo", "true", ""},
		"FIFO that is neither yes nor no": {"c", "yes", "FifoTopic must be true or false"},
	} {
		t.Run(name, func(t *testing.T) {
			attributes := map[string]string{}
			if row.fifo != "" {
				attributes["FifoTopic"] = row.fifo
			}
			_, err := w.CreateTopic(t.Context(), &sdk.CreateTopicInput{Name: &row.topic, Attributes: attributes})
			if row.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantError[*types.InvalidParameterException](t, err, row.want)
		})
	}
}

func TestTopicAttributes(t *testing.T) {
	w := newWorld(t)
	plain, fifo := w.topic("plain"), w.topic("ordered.fifo", "FifoTopic", "true")
	for name, row := range map[string]struct {
		topic, attribute, value, want string
	}{
		"a display name":                   {plain, "DisplayName", "Plain", ""},
		"a policy":                         {plain, "Policy", `{"Version":"2012-10-17","Statement":[]}`, ""},
		"a policy that is no object":       {plain, "Policy", `[]`, "Policy must be a JSON object"},
		"the largest message size":         {plain, "MaximumMessageSize", "1048576", ""},
		"a message size above the largest": {plain, "MaximumMessageSize", "1048577", "MaximumMessageSize must be a number of bytes from 1024"},
		"a message size below the least":   {plain, "MaximumMessageSize", "1023", "MaximumMessageSize must be a number of bytes from 1024"},
		"tracing":                          {plain, "TracingConfig", "Active", ""},
		"tracing on a FIFO topic":          {fifo, "TracingConfig", "Active", "TracingConfig must be PassThrough on a FIFO topic"},
		"a key":                            {plain, "KmsMasterKeyId", "alias/aws/sns", ""},
		"deduplication on a standard one":  {plain, "ContentBasedDeduplication", "true", "ContentBasedDeduplication is for FIFO topics only"},
		"deduplication":                    {fifo, "ContentBasedDeduplication", "true", ""},
		"a throughput scope":               {fifo, "FifoThroughputScope", "MessageGroup", ""},
		"an unknown throughput scope":      {fifo, "FifoThroughputScope", "Group", "FifoThroughputScope must be Topic or MessageGroup"},
		"FIFO, which never changes":        {plain, "FifoTopic", "true", "FifoTopic is set when a topic is created"},
		"an unknown attribute":             {plain, "Colour", "red", "localaws does not know the topic attribute Colour"},
		"an attribute of logging":          {plain, "SQSSuccessFeedbackRoleArn", "x", "localaws does not know the topic attribute SQSSuccessFeedbackRoleArn"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.SetTopicAttributes(t.Context(), &sdk.SetTopicAttributesInput{
				TopicArn: &row.topic, AttributeName: &row.attribute, AttributeValue: &row.value,
			})
			if row.want != "" {
				wantError[*types.InvalidParameterException](t, err, row.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			out, err := w.GetTopicAttributes(t.Context(), &sdk.GetTopicAttributesInput{TopicArn: &row.topic})
			if err != nil || out.Attributes[row.attribute] != row.value {
				t.Fatalf("got %q (%v), want %q", out.Attributes[row.attribute], err, row.value)
			}
		})
	}
}

func TestTopicDefaults(t *testing.T) {
	w := newWorld(t)
	arn := w.topic("ordered.fifo", "FifoTopic", "true")
	w.subscribe(arn, "q.fifo")
	out, err := w.GetTopicAttributes(t.Context(), &sdk.GetTopicAttributesInput{TopicArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	delete(out.Attributes, "Policy")
	delete(out.Attributes, "EffectiveDeliveryPolicy")
	want := map[string]string{
		"TopicArn": arn, "Owner": account, "DisplayName": "", "FifoTopic": "true", "ContentBasedDeduplication": "false",
		"FifoThroughputScope": "Topic", "SubscriptionsConfirmed": "1", "SubscriptionsPending": "0", "SubscriptionsDeleted": "0",
	}
	if diff := cmp.Diff(want, out.Attributes); diff != "" {
		t.Error(diff)
	}
}

func TestTopicThatIsNotThere(t *testing.T) {
	w := newWorld(t)
	gone := w.topic("gone")
	w.subscribe(gone, "q")
	for range 2 { // the second time is a success too
		if _, err := w.DeleteTopic(t.Context(), &sdk.DeleteTopicInput{TopicArn: &gone}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.GetTopicAttributes(t.Context(), &sdk.GetTopicAttributesInput{TopicArn: &gone})
	wantError[*types.NotFoundException](t, err, "Topic does not exist")
	_, err = w.Publish(t.Context(), &sdk.PublishInput{TopicArn: &gone, Message: aws.String("m")})
	wantError[*types.NotFoundException](t, err, "Topic does not exist")
	_, err = w.Publish(t.Context(), &sdk.PublishInput{TopicArn: aws.String("gone"), Message: aws.String("m")})
	wantError[*types.InvalidParameterException](t, err, "An ARN must have at least 6 elements, not 1")
	_, err = w.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: &gone})
	wantError[*types.ResourceNotFoundException](t, err, "Resource does not exist")
	list, err := w.ListSubscriptions(t.Context(), &sdk.ListSubscriptionsInput{})
	if err != nil || len(list.Subscriptions) != 0 {
		t.Errorf("a deleted topic left subscriptions %v (%v)", list.Subscriptions, err)
	}
}

func TestTopicsAreListedByTheHundred(t *testing.T) {
	w := newWorld(t)
	want := []string{}
	for i := range 230 {
		want = append(want, w.topic(fmt.Sprintf("t%03d", i)))
	}
	got, sizes := []string{}, []int{}
	pages := sdk.NewListTopicsPaginator(w.Client, &sdk.ListTopicsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.Topics))
		for _, topic := range page.Topics {
			got = append(got, *topic.TopicArn)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{100, 100, 30}, sizes); diff != "" {
		t.Error(diff)
	}
	_, err := w.ListTopics(t.Context(), &sdk.ListTopicsInput{NextToken: aws.String("!")})
	wantError[*types.InvalidParameterException](t, err, "NextToken")
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	arn := w.topic("tagged")
	tags := func(from, to int) (list []types.Tag) {
		for i := from; i < to; i++ {
			list = append(list, types.Tag{Key: aws.String(fmt.Sprintf("k%02d", i)), Value: aws.String("v")})
		}
		return list
	}
	if _, err := w.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: &arn, Tags: tags(0, 50)}); err != nil {
		t.Fatal(err)
	}
	_, err := w.TagResource(t.Context(), &sdk.TagResourceInput{ResourceArn: &arn, Tags: tags(50, 51)})
	wantError[*types.TagLimitExceededException](t, err, "at most 50 tags")
	if _, err := w.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"k00", "absent"}}); err != nil {
		t.Fatal(err)
	}
	out, err := w.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceArn: &arn})
	if err != nil || len(out.Tags) != 49 || *out.Tags[0].Key != "k01" {
		t.Errorf("got %d tags (%v), want the 49 from k01", len(out.Tags), err)
	}
}

// TestUnknownIsRefused sends what the SDK never would, and checks that it is
// refused by its name before anything changed.
func TestUnknownIsRefused(t *testing.T) {
	w := newWorld(t)
	for name, row := range map[string]struct{ form, code, want string }{
		"an action":             {"Action=ConfirmSubscription&Token=x", "InvalidAction", "ConfirmSubscription"},
		"no action":             {"Name=t", "InvalidAction", "SNS."},
		"a parameter":           {"Action=CreateTopic&Name=t&Colour=red", "InvalidParameter", "the parameter Colour"},
		"a data policy":         {"Action=CreateTopic&Name=t&DataProtectionPolicy={}", "InvalidParameter", "the parameter DataProtectionPolicy"},
		"a part of an entry":    {"Action=CreateTopic&Name=t&Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=x&Attributes.entry.1.more=y", "InvalidParameter", "Attributes.entry.1.more"},
		"another kind of list":  {"Action=CreateTopic&Name=t&Tags.entry.1.Key=a", "InvalidParameter", "Tags.entry.1.Key"},
		"a version":             {"Action=CreateTopic&Name=t&Version=2009-01-01", "NoSuchVersion", "2009-01-01"},
		"a missing parameter":   {"Action=CreateTopic", "ValidationError", "Value null at 'name'"},
		"a parameter twice":     {"Action=CreateTopic&Name=t&Name=u", "InvalidParameter", "Name is given 2 times"},
		"a number of no number": {"Action=CreateTopic&Name=t&Tags.member.x.Key=a", "MalformedInput", "Tags.member.x"},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := url.ParseQuery(row.form)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.service.Invoke(t.Context(), form)
			var refused *wire.Error
			if !errors.As(err, &refused) || refused.Code != row.code || !strings.Contains(refused.Message, row.want) {
				t.Errorf("got %v, want %s with %q", err, row.code, row.want)
			}
		})
	}
	if topics := w.service.Counters().Topics; len(topics) != 0 {
		t.Errorf("refused requests made topics: %v", topics)
	}
}
