package status_test

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/bootstrap"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

const owner = `service: profile
tables:
  - {name: companies, partition_key: {name: cik, type: S}, stream: true, ttl_attribute: expiresAt}
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
`

const subscriber = `service: stats
tables:
  - {name: company-stats, partition_key: {name: cik, type: S}}
subscribes:
  - contract: company.profile/v1
    attributes: [name]
    replicas:
      - {table: company-stats, key: {cik: subject}, set: {companyName: name}, version_attribute: profileVersion}
`

// queueName is the subscriber's.
const queueName = "stats-company-profile-v1"

// world is an AWS account with an owner and a subscriber, on virtual time. Who
// publishes and applies is the test.
type world struct {
	t       *testing.T
	engine  *localaws.Engine
	clients connect.Clients
	set     *target.Set
}

func inWorld(t *testing.T, run func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{StreamShards: 1})
		defer engine.Close()
		w := &world{t: t, engine: engine, clients: connect.New(localawstest.Config(engine))}
		var all []*manifest.Manifest
		for i, text := range []string{owner, subscriber} {
			m, err := manifest.Parse(fmt.Sprintf("%d.yaml", i), []byte(text))
			w.check(err)
			all = append(all, m)
		}
		w.set = target.New(all)
		run(w)
	})
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) bootstrap() {
	w.t.Helper()
	plan, err := bootstrap.New(bootstrap.Config{Clients: w.clients}).Plan(w.t.Context(), w.set.Manifests())
	w.check(err)
	w.check(plan.Apply(w.t.Context()))
}

func (w *world) look(adjust ...func(*status.Config)) *status.Report {
	w.t.Helper()
	cfg := status.Config{Clients: w.clients, Set: w.set}
	for _, a := range adjust {
		a(&cfg)
	}
	report, err := status.Look(w.t.Context(), cfg)
	w.check(err)
	if len(report.Topics) != 1 || len(report.Topics[0].Subscriptions) != 1 {
		w.t.Fatalf("saw %+v", report)
	}
	return report
}

func text(report *status.Report) string {
	var out bytes.Buffer
	report.Write(&out)
	return out.String()
}

// write writes a company as its owner does, at this moment's version, which it
// returns.
func (w *world) write(cik, name, sector string) contracts.Version {
	w.t.Helper()
	version := contracts.VersionAt(time.Now())
	w.put(cik, name, sector, version)
	return version
}

// put writes a company with a version.
func (w *world) put(cik, name, sector string, version contracts.Version) {
	w.t.Helper()
	_, err := w.clients.DynamoDB.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("companies"), Item: dynamostore.ToAttributes(contracts.Item{
		"cik": contracts.String(cik), "name": contracts.String(name), "sector": contracts.String(sector), "subIndustry": contracts.String("x"),
		"headquarters": contracts.String("x"), "tickers": contracts.List(contracts.String("A")), "version": version.Value(),
	})})
	w.check(err)
}

// apply gives a copy a version, as a consumer does.
func (w *world) apply(cik string, version contracts.Version) {
	w.t.Helper()
	_, err := w.clients.DynamoDB.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("company-stats"), Item: dynamostore.ToAttributes(contracts.Item{
		"cik": contracts.String(cik), "profileVersion": version.Value(),
	})})
	w.check(err)
}

// relayed keeps a place as a poller does: it followed the stream just now, and
// is done with so many records.
func (w *world) relayed(records int) {
	w.t.Helper()
	ctx, places := w.t.Context(), dynamostore.NewCheckpoints(w.clients.DynamoDB, "profile-relay-checkpoints", "profile")
	table, err := w.clients.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("companies")})
	w.check(err)
	stream := table.Table.LatestStreamArn
	described, err := w.clients.Streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: stream})
	w.check(err)
	shard := described.StreamDescription.Shards[0].ShardId
	w.check(places.Save(ctx, *stream, dynamostream.FollowedShard, dynamostream.Checkpoint{Sequence: strconv.FormatInt(time.Now().Unix(), 10)}))
	if records == 0 {
		return
	}
	at, err := w.clients.Streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{StreamArn: stream, ShardId: shard, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon})
	w.check(err)
	page, err := w.clients.Streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: at.ShardIterator, Limit: aws.Int32(int32(records))})
	w.check(err)
	w.check(places.Save(ctx, *stream, *shard, dynamostream.Checkpoint{Sequence: *page.Records[records-1].Dynamodb.SequenceNumber}))
}

// send puts messages into a queue.
func (w *world) send(queue string, n int) {
	w.t.Helper()
	found, err := w.clients.SQS.GetQueueUrl(w.t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(queue)})
	w.check(err)
	for range n {
		_, err := w.clients.SQS.SendMessage(w.t.Context(), &sqs.SendMessageInput{QueueUrl: found.QueueUrl, MessageBody: aws.String("{}")})
		w.check(err)
	}
}

// deny refuses every call of an operation.
func (w *world) deny(operation string) {
	w.engine.SetFaults(func(c localaws.Call) localaws.Fault {
		if c.Operation == operation {
			return localaws.Fault{Error: &wire.Error{Code: "AccessDeniedException", Message: "not authorized to perform " + operation, Status: 400}}
		}
		return localaws.Fault{}
	})
}

func dropTable(w *world, name string) {
	_, err := w.clients.DynamoDB.DeleteTable(w.t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(name)})
	w.check(err)
	for {
		_, err := w.clients.DynamoDB.DescribeTable(w.t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
			return
		}
		time.Sleep(time.Second)
	}
}
