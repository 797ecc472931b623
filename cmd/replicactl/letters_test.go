package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/bucket/buckettest"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// The scripts of the verbs for dead letters, which have "services" and "call",
// the S3 bucket relay-failures, and commands of their own: "letter QUEUE REASON
// FILE [SUBJECT]" puts a letter there as a consumer or a relay does, with the present time
// for PUBLISHED, with SUBJECT beside it as a relay does; "letters QUEUE REASON FILE N" puts N of them, with the numbers
// from 100 on for 320193; "range QUEUE" puts what Lambda keeps of a batch that
// has all records of the table companies; "object KEY FILE" puts an object into
// the bucket, and "objects N" fails unless it has N; "depth QUEUE N" fails unless
// the queue has exactly N messages, all of them visible; "comes QUEUE N" waits
// until it has as many. "watch" and "seen" are those of the sending scripts.
func TestLetterScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "letters"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			bucket := buckettest.Start("relay-failures", nil)
			env.Defer(bucket.Close)
			env.Values[bucketKey{}] = bucket
			env.Values[stateKey{}] = &sending{}
			env.Setenv("AWS_ENDPOINT_URL_S3", bucket.URL)
			return startAccount(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"services": copyServices,
			"call":     call,
			"deny":     deny,
			"letter":   putLetter,
			"letters":  putLetters,
			"range":    putRange,
			"object":   putObject,
			"objects":  wantObjects,
			"depth":    wantDepth,
			"comes":    awaitDepth,
			"watch":    watch,
			"seen":     seen,
		},
	})
}

type bucketKey struct{}

func queues(ts *testscript.TestScript) *sqs.Client {
	return sqs.NewFromConfig(localawstest.Config(ts.Value(engineKey{}).(*localaws.Engine)))
}

func putLetter(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 && len(args) != 4 {
		ts.Fatalf("usage: letter QUEUE REASON FILE [SUBJECT]")
	}
	var beside map[string]string
	if len(args) == 4 {
		beside = map[string]string{"contract": "company.profile/v1", "subject": args[3]}
	}
	put(ts, args[0], args[1], ts.ReadFile(args[2]), beside)
}

func putLetters(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: letters QUEUE REASON FILE N")
	}
	n, err := strconv.Atoi(args[3])
	ts.Check(err)
	for i := range n {
		put(ts, args[0], args[1], strings.ReplaceAll(ts.ReadFile(args[2]), "320193", strconv.Itoa(100+i)), nil)
	}
}

func put(ts *testscript.TestScript, queue, reason, text string, beside map[string]string) {
	text = strings.ReplaceAll(strings.TrimSpace(text), "PUBLISHED", time.Now().UTC().Format(time.RFC3339))
	ts.Check(sqssub.NewDeadLetters(queues(ts), queue, strings.TrimSuffix(queue, "-dlq")).Send(context.Background(), replica.DeadLetter{Body: []byte(text), Attributes: beside, Reason: reason, Detail: reason + ", as the script says"}))
}

// putRange has the first and the last record of a stream's only shard that has
// any.
func putRange(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: range QUEUE")
	}
	ctx := context.Background()
	client := dynamodbstreams.NewFromConfig(localawstest.Config(ts.Value(engineKey{}).(*localaws.Engine)))
	listed, err := client.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: aws.String("companies")})
	ts.Check(err)
	arn := listed.Streams[0].StreamArn
	stream, err := client.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	ts.Check(err)
	for _, shard := range stream.StreamDescription.Shards {
		at, err := client.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: arn, ShardId: shard.ShardId, ShardIteratorType: "TRIM_HORIZON"})
		ts.Check(err)
		out, err := client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: at.ShardIterator})
		ts.Check(err)
		if len(out.Records) == 0 {
			continue
		}
		text := fmt.Sprintf(`{"requestContext":{"condition":"RetryAttemptsExhausted"},"DDBStreamBatchInfo":{"shardId":%q,"startSequenceNumber":%q,"endSequenceNumber":%q,"batchSize":%d,"streamArn":%q}}`,
			*shard.ShardId, *out.Records[0].Dynamodb.SequenceNumber, *out.Records[len(out.Records)-1].Dynamodb.SequenceNumber, len(out.Records), *arn)
		url := queueURL(ts, args[0])
		_, err = queues(ts).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text})
		ts.Check(err)
	}
}

func putObject(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: object KEY FILE")
	}
	ts.Value(bucketKey{}).(*buckettest.Server).Put(args[0], ts.ReadFile(args[1]))
}

func wantObjects(ts *testscript.TestScript, _ bool, args []string) {
	if keys := ts.Value(bucketKey{}).(*buckettest.Server).Keys(); len(args) != 1 || strconv.Itoa(len(keys)) != args[0] {
		ts.Fatalf("the bucket has %v, want %v of them", keys, args)
	}
}

func queueURL(ts *testscript.TestScript, name string) string {
	found, err := queues(ts).GetQueueUrl(context.Background(), &sqs.GetQueueUrlInput{QueueName: &name})
	ts.Check(err)
	return aws.ToString(found.QueueUrl)
}

// depth is how many messages are visible, and how many in flight.
func depth(ts *testscript.TestScript, queue string) (visible, inFlight int) {
	url := queueURL(ts, queue)
	out, err := queues(ts).GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
	ts.Check(err)
	visible, err = strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	ts.Check(err)
	inFlight, err = strconv.Atoi(out.Attributes["ApproximateNumberOfMessagesNotVisible"])
	ts.Check(err)
	return visible, inFlight
}

func wantDepth(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: depth QUEUE N")
	}
	if visible, inFlight := depth(ts, args[0]); strconv.Itoa(visible) != args[1] || inFlight != 0 {
		ts.Fatalf("%s has %d messages and %d in flight, want %s and none", args[0], visible, inFlight, args[1])
	}
}

func awaitDepth(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: comes QUEUE N")
	}
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	tick := time.NewTicker(10 * time.Millisecond) // another process is at work, in real time
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		visible, inFlight := depth(ts, args[0])
		if visible+inFlight >= want {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s has %d messages, want %d", args[0], visible+inFlight, want)
		}
	}
}
