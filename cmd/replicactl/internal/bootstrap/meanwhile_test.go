package bootstrap_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// fannedOut is a subscriber that also has copies which it finds by an index.
var fannedOut = strings.Replace(subscriber, "subscribes:", `  - name: watchlists
    partition_key: {name: user, type: S}
    sort_key: {name: cik, type: S}
    indexes:
      - {name: by-cik, partition_key: {name: cik, type: S}, projection: keys_only}
subscribes:`, 1) + `      - table: watchlists
        index: by-cik
        key: {cik: subject}
        set: {companyName: name}
        version_attribute: profileVersion
`

// What is made anew in a system that was there does not bring what was published
// without it, and the plan says so once; where all is new, there is nothing to
// say.
func TestWhatIsMadeAnewSaysWhatItTakesToCatchUp(t *testing.T) {
	const backfill = " reaches stats only by replicactl backfill --contract company.profile/v1 --to stats --restart --apply, once its consumer runs"
	dropIndex := func(table, name string) func(context.Context, *account) error {
		return func(ctx context.Context, a *account) error {
			_, err := a.clients.DynamoDB.UpdateTable(ctx, &dynamodb.UpdateTableInput{TableName: aws.String(table),
				GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: aws.String(name)}}}})
			return err
		}
	}
	dropTable := func(name string) func(context.Context, *account) error {
		return func(ctx context.Context, a *account) error {
			_, err := a.clients.DynamoDB.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: aws.String(name)})
			return err
		}
	}
	dropQueue := func(ctx context.Context, a *account) error {
		_, err := a.clients.SQS.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: a.url(ctx, "stats-company-profile-v1")})
		return err
	}
	dropSubscription := func(ctx context.Context, a *account) error {
		all, err := a.clients.SNS.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})
		if err == nil {
			_, err = a.clients.SNS.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: all.Subscriptions[0].SubscriptionArn})
		}
		return err
	}
	dropTopic := func(ctx context.Context, a *account) error {
		all, err := a.clients.SNS.ListTopics(ctx, &sns.ListTopicsInput{})
		if err == nil {
			_, err = a.clients.SNS.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: all.Topics[0].TopicArn})
		}
		return err
	}
	for behaviour, row := range map[string]struct {
		first []string
		gone  []func(context.Context, *account) error
		then  []string
		want  string // of which step; then what was made anew, empty for no note
		made  string
	}{
		"everything":                          {then: []string{owner, fannedOut}},
		"the owner's part":                    {then: []string{owner}},
		"nothing":                             {first: []string{owner, fannedOut}, then: []string{owner, fannedOut}},
		"a queue":                             {[]string{owner, fannedOut}, []func(context.Context, *account) error{dropQueue}, []string{owner, fannedOut}, "company-profile-v1 -> stats-company-profile-v1", "the queue stats-company-profile-v1 and the subscription"},
		"a subscription":                      {[]string{owner, fannedOut}, []func(context.Context, *account) error{dropSubscription}, []string{owner, fannedOut}, "company-profile-v1 -> stats-company-profile-v1", "the subscription"},
		"the topic":                           {[]string{owner, fannedOut}, []func(context.Context, *account) error{dropTopic}, []string{owner, fannedOut}, "company-profile-v1 -> stats-company-profile-v1", "the subscription"},
		"a replica's table":                   {[]string{owner, fannedOut}, []func(context.Context, *account) error{dropTable("company-stats")}, []string{fannedOut}, "company-stats", "the table company-stats"},
		"an index that copies are found by":   {[]string{owner, fannedOut}, []func(context.Context, *account) error{dropIndex("watchlists", "by-cik")}, []string{owner, fannedOut}, "watchlists", "the index by-cik of watchlists"},
		"an index that is the service's own":  {first: []string{owner, fannedOut}, gone: []func(context.Context, *account) error{dropIndex("company-stats", "by-sector")}, then: []string{owner, fannedOut}},
		"where canaries are noted":            {first: []string{owner, fannedOut}, gone: []func(context.Context, *account) error{dropTable("stats-replication-control")}, then: []string{owner, fannedOut}},
		"the owner's table, which is empty":   {first: []string{owner, fannedOut}, gone: []func(context.Context, *account) error{dropTable("companies"), dropSubscription}, then: []string{owner, fannedOut}},
		"a subscriber of a topic that exists": {[]string{owner}, nil, []string{subscriber}, "company-profile-v1 -> stats-company-profile-v1", "the table company-stats and the queue stats-company-profile-v1 and the subscription"},
	} {
		t.Run(behaviour, func(t *testing.T) {
			inAccount(t, func(t *testing.T, a *account) {
				if len(row.first) > 0 {
					a.converge(row.first...)
				}
				for _, drop := range row.gone {
					if err := drop(t.Context(), a); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Minute) // virtual: until a queue's name is free again
				plan, err := a.plan(row.then...)
				if err != nil {
					t.Fatal(err)
				}
				said := 0
				for _, step := range plan.Steps {
					for _, note := range step.Notes {
						said++
						if want := "what changed without " + row.made + backfill; note != want || step.Name != row.want {
							t.Errorf("%s %s notes %q\nwant %s: %q", step.Kind, step.Name, note, row.want, want)
						}
					}
				}
				if want := row.made != ""; (said == 1) != want || said > 1 {
					t.Errorf("%d notes in\n%s", said, text(plan))
				}
				if document, err := json.Marshal(plan); err != nil || strings.Contains(string(document), "replicactl backfill") != (row.made != "") {
					t.Errorf("the document %s, %v", document, err)
				}
				a.converge(row.then...)
			})
		})
	}
}
