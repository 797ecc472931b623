package policy

import "testing"

func TestFiltersAreComparedByWhatTheySay(t *testing.T) {
	const want = `{"audience":["all","stats"],"changed":["name","sector"]}`
	for _, row := range []struct {
		behaviour, have string
		same            bool
	}{
		{"the order of keys and alternatives means nothing", ` {"changed":["sector","name"], "audience":["stats","all"]}`, true},
		{"one alternative less is another filter", `{"audience":["all","stats"],"changed":["name"]}`, false},
		{"one key less is another filter", `{"audience":["all","stats"]}`, false},
		{"no filter is another filter", "", false},
		{"what is no JSON is another filter", `{"audience"`, false},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			if got := SameFilter(row.have, want); got != row.same {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestQueuePoliciesAreComparedByTheirStatements(t *testing.T) {
	want := Queue("arn:queue", "arn:topic", true)
	if !Same(Text(want), want) {
		t.Error("a policy differs from itself")
	}
	for behaviour, other := range map[string]Document{
		"another topic": Queue("arn:queue", "arn:other", true),
		"another queue": Queue("arn:other", "arn:topic", true),
		"without TLS":   Queue("arn:queue", "arn:topic", false),
	} {
		if Same(Text(other), want) {
			t.Errorf("%s makes no difference", behaviour)
		}
	}
	listed := `{"Version":"2012-10-17","Statement":[{"Sid":"TopicSends","Effect":"Allow","Principal":{"Service":["sns.amazonaws.com"]},"Action":["sqs:SendMessage"],"Resource":"arn:queue","Condition":{"ArnEquals":{"aws:SourceArn":["arn:topic"]}}}]}`
	if !Same(listed, Queue("arn:queue", "arn:topic", false)) {
		t.Error("a list of one is not its element")
	}
}

func TestRedrivePoliciesAreReadAsTheyAreWritten(t *testing.T) {
	for count, want := range map[int]string{0: "", 7: "7"} {
		text := Redrive("arn:dead", count)
		if DeadLetterTarget(text) != "arn:dead" || RedriveCount(text) != want {
			t.Errorf("%s is read as %s and %q", text, DeadLetterTarget(text), RedriveCount(text))
		}
	}
	if DeadLetterTarget("") != "" || DeadLetterTarget("{") != "" || RedriveCount(`{"maxReceiveCount":"5"}`) != "5" {
		t.Error("no policy, a broken one, or a count that is text is misread")
	}
}
