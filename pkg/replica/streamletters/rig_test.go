package streamletters_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
	"github.com/tributary-dev/tributary/pkg/replica/streamletters"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is an owner's table with a stream, and its relay's dead-letter queue.
type rig struct {
	*accounttest.Rig
	streams *dynamodbstreams.Client
	source  *replica.Source
	table   *dynamostore.Source
	letters string // URL
}

func inRig(t *testing.T, test func(r *rig)) {
	t.Helper()
	accounttest.Run(t, localaws.Config{StreamShards: 1}, func(account *accounttest.Rig) {
		m := must(manifest.Load("../../../services/profile/replication.yaml"))
		r := &rig{Rig: account, streams: dynamodbstreams.NewFromConfig(account.Config), table: dynamostore.NewSource(account.DB, "companies")}
		r.source = must(replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract))
		for _, table := range m.Tables {
			r.Table(table)
		}
		var err error
		if r.letters, _, err = r.CreateQueue(r.Context(), "relay-dlq", nil); err != nil {
			r.Fatal(err)
		}
		test(r)
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// put writes a company; name "" makes it one that violates the contract.
func (r *rig) put(cik, name string, version contracts.Version) {
	r.Helper()
	item := accounttest.Company(name)
	item["cik"] = contracts.String(cik)
	if name == "" {
		item["name"] = contracts.Bool(true)
	}
	if version > 0 {
		item["version"] = version.Value()
	}
	r.Put("companies", item)
}

func (r *rig) read(cik string) contracts.Item {
	r.Helper()
	return must(r.table.Read(context.WithoutCancel(r.Context()), contracts.Item{"cik": contracts.String(cik)}))
}

// stamp is an item's stampedVersion, 0 for none.
func (r *rig) stamp(cik string) contracts.Version {
	v, err := contracts.ParseVersion(r.read(cik)["stampedVersion"].Text())
	if err != nil {
		return 0
	}
	return v
}

// bury puts a record of an item into the relay's dead-letter queue, as the relay
// does.
func (r *rig) bury(cik string, images ...contracts.Item) {
	r.Helper()
	rec := replica.Record{EventID: "event-" + cik, EventName: replica.Modify, SequenceNumber: "100000000000000000001", Keys: contracts.Item{"cik": contracts.String(cik)}}
	if len(images) > 0 {
		rec.Old, rec.New = images[0], images[len(images)-1]
	}
	letter := replica.DeadLetter{Body: must(replica.MarshalRecord(&rec)), Reason: "state violates the contract", Detail: "name"}
	if err := sqssub.NewDeadLetters(r.Queues, "relay-dlq", "companies").Send(r.Context(), letter); err != nil {
		r.Fatal(err)
	}
}

// post puts a body as it is into the queue.
func (r *rig) post(body string) {
	must(r.Queues.SendMessage(r.Context(), &sqs.SendMessageInput{QueueUrl: &r.letters, MessageBody: &body}))
}

func (r *rig) mender(edit ...func(*streamletters.Config)) *streamletters.Mender {
	cfg := streamletters.Config{Sources: []*replica.Source{r.source}, Table: r.table, TableName: "companies", Streams: r.streams}
	for _, e := range edit {
		e(&cfg)
	}
	return must(streamletters.New(cfg))
}

// mend runs a new mender on the queue and wants so many letters mended, left and
// refused.
func (r *rig) mend(mended, left, refused int) streamletters.Result {
	r.Helper()
	time.Sleep(time.Second) // letters tell from before and after by the second
	result, err := r.mender().Queue(r.Context(), streamletters.QueueConfig{Client: r.Queues, Queue: "relay-dlq"}, true)
	if err != nil || result.Mended != mended || result.Left != left || result.Refused != refused || result.Undeleted != 0 {
		r.Errorf("result %+v, %v, want %d mended, %d left and %d refused", result, err, mended, left, refused)
	}
	r.wantLetters(left + refused)
	return result
}

// wantLetters fails unless so many letters are there and all of them visible.
func (r *rig) wantLetters(n int) {
	r.Helper()
	visible, inFlight, err := r.Depth(context.WithoutCancel(r.Context()), r.letters)
	if err != nil || visible != n || inFlight != 0 {
		r.Errorf("%d letters visible and %d in flight, %v, want %d and none", visible, inFlight, err, n)
	}
}

// stream is the table's stream, its only shard, and the records in it.
func (r *rig) stream() (arn, shard string, records []streamtypes.Record) {
	r.Helper()
	arn = aws.ToString(must(r.streams.ListStreams(r.Context(), &dynamodbstreams.ListStreamsInput{})).Streams[0].StreamArn)
	shard = aws.ToString(must(r.streams.DescribeStream(r.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &arn})).StreamDescription.Shards[0].ShardId)
	at := must(r.streams.GetShardIterator(r.Context(), &dynamodbstreams.GetShardIteratorInput{StreamArn: &arn, ShardId: &shard, ShardIteratorType: "TRIM_HORIZON"}))
	return arn, shard, must(r.streams.GetRecords(r.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: at.ShardIterator})).Records
}

// metadata is what Lambda's destination says of the records from the first to
// the last, with a payload if there is one.
func metadata(arn, shard, first, last string, payload any) string {
	out := map[string]any{
		"requestContext":  map[string]any{"requestId": "r", "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:relay", "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3},
		"responseContext": map[string]any{"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
		"version":         "1.0", "timestamp": "2000-01-01T00:00:00.000Z",
		"DDBStreamBatchInfo": map[string]any{"shardId": shard, "startSequenceNumber": first, "endSequenceNumber": last, "batchSize": 3,
			"approximateArrivalOfFirstRecord": "2000-01-01T00:00:00Z", "approximateArrivalOfLastRecord": "2000-01-01T00:00:01Z", "streamArn": arn},
	}
	if payload != nil {
		out["payload"] = payload
	}
	return string(must(json.Marshal(out)))
}

// event is a batch as Lambda gives it to a function, of records about the items.
func event(table string, ciks ...string) string {
	var records []string
	for _, cik := range ciks {
		records = append(records, fmt.Sprintf(`{"eventID":"e","eventName":"MODIFY","eventSource":"aws:dynamodb","eventSourceARN":"arn:aws:dynamodb:us-east-1:000000000000:table/%s/stream/2000-01-01T00:00:00.000","dynamodb":{"ApproximateCreationDateTime":946684800,"Keys":{"cik":{"S":%q}},"SequenceNumber":"100000000000000000001","StreamViewType":"NEW_AND_OLD_IMAGES"}}`, table, cik))
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// bucket is Lambda's S3 destination.
type bucket map[string]string

var errNoObject = errors.New("no such object")

func (b bucket) List(_ context.Context, visit func(string) error) error {
	for i := range 1000 {
		name := fmt.Sprintf("aws/lambda/esm/shard/%03d", i)
		if _, ok := b[name]; !ok {
			continue
		}
		if err := visit(name); err != nil {
			return err
		}
	}
	return nil
}

func (b bucket) Read(_ context.Context, name string) ([]byte, error) {
	text, ok := b[name]
	if !ok {
		return nil, errNoObject
	}
	return []byte(text), nil
}

func (b bucket) Delete(_ context.Context, name string) error {
	delete(b, name)
	return nil
}
