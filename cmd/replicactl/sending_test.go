package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	localsns "github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
)

type stateKey struct{}

// sending is what a script has set.
type sending struct {
	swallow atomic.Bool
	came    chan struct{} // closed when what is watched for came
}

// patience is how long a script waits for what is under way.
const patience = 30 * time.Second

// The scripts of the verbs that publish to one subscriber. Besides those of the
// other scripts they have these commands:
//
//	companies N             puts N companies with versions of now
//	consume SERVICE         runs the library's consumer by the service's manifest
//	relay SERVICE           runs the library's relay by the owner's manifest
//	copies TABLE N          waits until N items of the table carry a company's name
//	quiet QUEUE             waits until the queue holds nothing, delayed messages
//	                        included
//	swallow on|off          loses what is meant for one subscriber alone, as a
//	                        filter policy does that is not in force yet
//	watch OPERATION N TEXT  notes when the N-th call of that operation with that
//	                        text in its body came; "seen" waits for it
//	unsubscribe QUEUE       ends the queue's subscription
//	unheard DURATION        has nothing been heard of any run for so long
func TestSendingScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "sending"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			state := &sending{}
			env.Values[stateKey{}] = state
			return startEngine(env, localaws.Config{DisturbSNS: func(d localsns.Delivery) []time.Duration {
				if state.swallow.Load() && d.Attributes["audience"].StringValue != manifest.AudienceAll {
					return nil
				}
				return []time.Duration{0}
			}})
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"services": copyServices, "unchanged": unchanged, "call": call, "deny": deny, "depth": wantDepth,
			"companies": putCompanies, "consume": process(replicatest.Consume), "relay": process(replicatest.Relay), "copies": wantCopies, "quiet": awaitQuiet, "swallow": swallow,
			"watch": watch, "seen": seen, "unsubscribe": unsubscribe, "unheard": unheard,
		},
	})
}

func account(ts *testscript.TestScript) aws.Config {
	return localawstest.Config(ts.Value(engineKey{}).(*localaws.Engine))
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

func putCompanies(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: companies N")
	}
	db := dynamodb.NewFromConfig(account(ts))
	for i := range number(ts, args[0]) {
		_, err := db.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("companies"), Item: dynamostore.ToAttributes(contracts.Item{
			"cik": contracts.String(fmt.Sprint(1000 + i)), "name": contracts.String(fmt.Sprint("Company ", i)), "sector": contracts.String("Energy"),
			"subIndustry": contracts.String("Oil"), "headquarters": contracts.String("Houston"), "tickers": contracts.List(contracts.String("T")),
			"version": contracts.VersionAt(time.Now()).Value(),
		})})
		ts.Check(err)
	}
}

// process runs one of a service's processes, by its manifest, until the script
// ends.
func process(run func(context.Context, aws.Config, *manifest.Manifest) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		if len(args) != 1 {
			ts.Fatalf("usage: consume|relay SERVICE")
		}
		m, err := manifest.Load(ts.MkAbs(filepath.Join("services", args[0], manifest.FileName)))
		ts.Check(err)
		cfg := account(ts)
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- run(ctx, cfg, m) }()
		ts.Defer(func() {
			stop()
			if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
				ts.Logf("process of %s: %v", args[0], err)
			}
		})
	}
}

func wantCopies(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: copies TABLE N")
	}
	scan := dynamostore.NewScan(dynamodb.NewFromConfig(account(ts)))
	await(ts, args[0]+" has "+args[1]+" copies", func(ctx context.Context) (int, error) {
		items, _, err := scan.Segment(ctx, args[0], 0, 1, nil, 1000)
		n := 0
		for _, item := range items {
			if strings.HasPrefix(item["companyName"].Text(), "Company ") {
				n++
			}
		}
		return n - number(ts, args[1]), err
	})
}

// awaitQuiet waits for what was sent with a delay too: a fan-out's second pass
// mends, seconds after a change, what a script damages.
func awaitQuiet(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: quiet QUEUE")
	}
	client := sqs.NewFromConfig(account(ts))
	await(ts, args[0]+" is empty", func(ctx context.Context) (int, error) {
		url, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &args[0]})
		if err != nil {
			return 0, err
		}
		about, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: url.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{
			sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesDelayed,
			sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
		}})
		if err != nil {
			return 0, err
		}
		sum := 0
		for _, n := range about.Attributes {
			sum += number(ts, n)
		}
		return sum, nil
	})
}

// await waits until nothing is left of what is waited for.
func await(ts *testscript.TestScript, what string, left func(context.Context) (int, error)) {
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		n, err := left(ctx)
		ts.Check(err)
		if n == 0 {
			return
		}
		select {
		case <-ctx.Done():
			ts.Fatalf("waited for: %s; off by %d", what, n)
		case <-again.C:
		}
	}
}

func swallow(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: swallow on|off")
	}
	ts.Value(stateKey{}).(*sending).swallow.Store(args[0] == "on")
}

func watch(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: watch OPERATION N TEXT")
	}
	operation, n, text := args[0], int64(number(ts, args[1])), args[2]
	came := make(chan struct{})
	ts.Value(stateKey{}).(*sending).came = came
	var calls atomic.Int64
	ts.Value(engineKey{}).(*localaws.Engine).SetFaults(func(c localaws.Call) localaws.Fault {
		if c.Operation == operation && strings.Contains(string(c.Body), text) && calls.Add(1) == n {
			close(came)
		}
		return localaws.Fault{}
	})
}

func seen(ts *testscript.TestScript, _ bool, _ []string) {
	select {
	case <-ts.Value(stateKey{}).(*sending).came:
	case <-time.After(patience):
		ts.Fatalf("what is watched for did not come")
	}
}

func unsubscribe(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: unsubscribe QUEUE")
	}
	client, ctx := sns.NewFromConfig(account(ts)), context.Background()
	all, err := client.ListSubscriptions(ctx, &sns.ListSubscriptionsInput{})
	ts.Check(err)
	for _, s := range all.Subscriptions {
		if strings.HasSuffix(aws.ToString(s.Endpoint), ":"+args[0]) {
			_, err := client.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: s.SubscriptionArn})
			ts.Check(err)
			return
		}
	}
	ts.Fatalf("%s is not subscribed", args[0])
}

// unheard sets back when places of runs were kept.
func unheard(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: unheard DURATION")
	}
	ago, err := time.ParseDuration(args[0])
	ts.Check(err)
	client, ctx, table := dynamodb.NewFromConfig(account(ts)), context.Background(), aws.String("profile-relay-checkpoints")
	all, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: table, FilterExpression: aws.String("attribute_exists(startedAt)")})
	ts.Check(err)
	if len(all.Items) == 0 {
		ts.Fatalf("no run was begun")
	}
	for _, item := range all.Items {
		_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: table, Key: map[string]dynamotypes.AttributeValue{manifest.CheckpointKey: item[manifest.CheckpointKey]},
			UpdateExpression: aws.String("SET updatedAt = :at"), ExpressionAttributeValues: map[string]dynamotypes.AttributeValue{
				":at": &dynamotypes.AttributeValueMemberS{Value: time.Now().Add(-ago).UTC().Format(time.RFC3339Nano)},
			},
		})
		ts.Check(err)
	}
}
