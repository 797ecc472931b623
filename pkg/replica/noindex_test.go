package replica_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// A change that waited for an index longer than it is tried is a dead letter
// that says so, and the item replica has it all the same.
func TestADeadLetterForWantOfAnIndexNamesIt(t *testing.T) {
	inPipeline(t, localaws.Config{}, func(p *pipeline) {
		must(p.db.UpdateTable(p.t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("watchlists"),
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String("by-cik")}}}}))
		p.own("1", time.Now(), named("1", "Apple"))
		time.Sleep(6 * time.Hour) // virtual: past the twentieth attempt
		got := must(sqs.NewFromConfig(p.cfg).ReceiveMessage(p.t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &p.dlq, MessageAttributeNames: []string{"All"}, MaxNumberOfMessages: 10,
		}))
		if len(got.Messages) != 1 {
			p.t.Fatalf("%d dead letters, want 1; the queue has %s", len(got.Messages), p.depth(p.queue))
		}
		letter := must(sqssub.ReadDeadLetter(got.Messages[0]))
		if letter.Reason != sqssub.ReasonExhausted || !strings.Contains(letter.Detail, "index by-cik of table watchlists is not there, or is still being built") ||
			!strings.Contains(letter.Detail, "terraform apply or replicactl bootstrap --apply") {
			p.t.Errorf("the letter says %s: %s", letter.Reason, letter.Detail)
		}
		if item := p.shelf.company("1"); item["companyName"].Text() != "Apple" {
			p.t.Errorf("the item replica is %v", item)
		}
	})
}
