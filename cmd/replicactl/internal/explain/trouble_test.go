package explain_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/explain"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Whatever is gone, the sentence says what, where, and what brings it back, and
// no bare answer of AWS.
func TestWhatIsGoneIsNamedWithTheWayBack(t *testing.T) {
	for _, row := range []struct {
		behaviour string
		breaks    func(*world)
		state     explain.State
		says      []string
	}{
		{"an index", func(w *world) { w.dropIndex() }, explain.StateNoIndex,
			[]string{"Index by-cik of stats's table watchlists does not exist in us-east-1", "apply its Terraform root (or replicactl bootstrap), wait until the index is ACTIVE, then replicactl backfill "}},
		{"the topic", func(w *world) {
			topics := must(w.clients.SNS.ListTopics(w.Context(), &sns.ListTopicsInput{}))
			_, err := w.clients.SNS.DeleteTopic(w.Context(), &sns.DeleteTopicInput{TopicArn: topics.Topics[0].TopicArn})
			w.check(err)
		}, explain.StateNoTopic, []string{"The topic of company.profile/v1 does not exist in us-east-1", "apply profile's Terraform root, then stats's", "  topic: missing, so that nothing new reaches anybody"}},
		{"the stream", func(w *world) {
			_, err := w.clients.DynamoDB.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("companies"), StreamSpecification: &dynamotypes.StreamSpecification{StreamEnabled: aws.Bool(false)}})
			w.check(err)
			time.Sleep(time.Minute) // virtual
		}, explain.StateNoStream, []string{"The stream of profile's table companies is off in us-east-1", "then replicactl reconcile "}},
		{"the source table", func(w *world) {
			_, err := w.clients.DynamoDB.DeleteTable(w.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("companies")})
			w.check(err)
			time.Sleep(time.Minute) // virtual
		}, explain.StateUnknown, []string{"table companies does not exist in us-east-1: run replicactl bootstrap --apply"}},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.put("companies", company("1", "Apple", "Tech"))
				w.put("watchlists", watching("ann", "1"))
				w.both()
				w.put("company-stats", contracts.Item{"cik": contracts.String("1")})
				row.breaks(w)
				facts := w.want("1", row.state)
				var text bytes.Buffer
				facts.Write(&text)
				for _, want := range row.says {
					if !strings.Contains(text.String(), want) {
						t.Errorf("no %q in\n%s", want, text.String())
					}
				}
				if says := facts.Subscribers[0].Verdict.Says; strings.Contains(says, "Exception") {
					t.Errorf("a bare answer: %s", says)
				}
				if row.state != explain.StateUnknown && !strings.Contains(text.String(), "  company-stats cik=1: missing") {
					t.Errorf("the other replica is hidden:\n%s", text.String())
				}
			})
		})
	}
}

// A call that fails says on what, and what to do, wherever explain makes it.
func TestFailedCallsSayOnWhatAndWhatToDo(t *testing.T) {
	for _, row := range []struct {
		behaviour, operation, code string
		want                       []string
	}{
		{"denied on an index", "Query", "AccessDeniedException", []string{"no right to dynamodb:Query on index by-cik of table watchlists"}},
		{"throttled on an index", "Query", "ThrottlingException", []string{"calls on index by-cik of table watchlists are throttled", "(ThrottlingException); wait a minute"}},
		{"denied on queues", "GetQueueAttributes", "AccessDenied", []string{"no right to sqs:GetQueueAttributes on queue stats-company-profile-v1:"}},
		{"denied on dead letters", "ReceiveMessage", "AccessDenied", []string{"no right to sqs:ReceiveMessage on queue stats-company-profile-v1-dlq:"}},
		{"denied on topics", "ListSubscriptionsByTopic", "AuthorizationError", []string{"no right to sns:ListSubscriptionsByTopic on topic company-profile-v1:"}},
		{"denied on the stream", "GetRecords", "AccessDeniedException", []string{"no right to dynamodb:GetRecords on the stream of table companies"}},
		{"denied on the checkpoints", "GetItem", "AccessDeniedException", []string{"no right to dynamodb:GetItem on table profile-relay-checkpoints:", "no right to dynamodb:GetItem on table companies:"}},
		{"log in again", "GetItem", "ExpiredTokenException", []string{"the credentials are not accepted", "log in again"}},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.put("companies", company("1", "Apple", "Tech"))
				w.run(10*time.Second, w.relay)
				w.send(w.stats.Subscribes[0].Queue.DeadLetterQueue)
				w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
					if c.Operation == row.operation {
						return localaws.Fault{Error: &wire.Error{Code: row.code, Message: "said so", Status: 400}}
					}
					return localaws.Fault{}
				})
				facts := must(explain.Explain(w.Context(), explain.Config{Clients: w.clients, Set: w.set, Contract: contract, Subject: "1"}))
				var text bytes.Buffer
				facts.Write(&text)
				for _, want := range row.want {
					if !strings.Contains(text.String(), want) {
						t.Errorf("no %q in\n%s", want, text.String())
					}
				}
			})
		})
	}
}

func (w *world) dropIndex() {
	w.Helper()
	_, err := w.clients.DynamoDB.UpdateTable(w.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("watchlists"),
		GlobalSecondaryIndexUpdates: []dynamotypes.GlobalSecondaryIndexUpdate{{Delete: &dynamotypes.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-cik")}}}})
	w.check(err)
	time.Sleep(time.Minute) // virtual
}
