package dynamostream_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

const (
	things = "things" // the table whose stream is followed: key p, number n
	places = "places" // the checkpoints' table
)

// rig is a table with a stream, a checkpoint table and whatever pollers a test
// runs, on localaws and the real SDK, in virtual time.
type rig struct {
	t       *testing.T
	engine  *localaws.Engine
	db      *dynamodb.Client
	streams *dynamodbstreams.Client
	relay   *relay
	logs    *logs
	written map[string]int // the last number written, by key
}

func inRig(t *testing.T, cfg localaws.Config, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(cfg)
		defer engine.Close()
		r := &rig{
			t: t, engine: engine, relay: &relay{}, logs: &logs{}, written: make(map[string]int),
			db:      dynamodb.NewFromConfig(localawstest.Config(engine)),
			streams: dynamodbstreams.NewFromConfig(localawstest.Config(engine)),
		}
		r.create(things, "p", &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages})
		r.create(places, "id", nil)
		test(r)
	})
}

func (r *rig) create(table, key string, stream *types.StreamSpecification) {
	r.t.Helper()
	_, err := r.db.CreateTable(r.t.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest, StreamSpecification: stream,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &key, AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: &key, KeyType: types.KeyTypeHash}},
	})
	r.must(err)
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// put writes an item's next number.
func (r *rig) put(keys ...string) {
	r.t.Helper()
	for _, key := range keys {
		r.written[key]++
		r.putInto(things, key)
	}
}

func (r *rig) putInto(table, key string) {
	r.t.Helper()
	_, err := r.db.PutItem(r.t.Context(), &dynamodb.PutItemInput{TableName: aws.String(table), Item: map[string]types.AttributeValue{
		"p": &types.AttributeValueMemberS{Value: key},
		"n": &types.AttributeValueMemberN{Value: strconv.Itoa(r.written[key])},
	}})
	r.must(err)
}

func (r *rig) split() {
	r.t.Helper()
	r.must(r.engine.DynamoDB().SplitShards(things))
}

// stream turns the table's stream on or off.
func (r *rig) stream(on bool) {
	r.t.Helper()
	spec := &types.StreamSpecification{StreamEnabled: &on}
	if on {
		spec.StreamViewType = types.StreamViewTypeNewAndOldImages
	}
	_, err := r.db.UpdateTable(r.t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String(things), StreamSpecification: spec})
	r.must(err)
}

func (r *rig) checkpoints() *dynamostore.Checkpoints {
	return dynamostore.NewCheckpoints(r.db, places, "relay")
}

// running is a poller at work.
type running struct {
	*dynamostream.Poller
	t      *testing.T
	cancel context.CancelFunc
	done   chan error
}

// start runs a poller; adjust may change its configuration.
func (r *rig) start(adjust ...func(*dynamostream.PollerConfig)) *running {
	r.t.Helper()
	cfg := dynamostream.PollerConfig{
		Table: things, Streams: r.streams, Relay: r.relay, Checkpoints: r.checkpoints(), Logger: slog.New(r.logs),
	}
	for _, f := range adjust {
		f(&cfg)
	}
	poller, err := dynamostream.NewPoller(cfg)
	r.must(err)
	ctx, cancel := context.WithCancel(r.t.Context())
	p := &running{Poller: poller, t: r.t, cancel: cancel, done: make(chan error, 1)}
	go func() { p.done <- poller.Run(ctx) }()
	return p
}

// stop ends a poller as a signal does and waits for it.
func (p *running) stop() {
	p.t.Helper()
	p.cancel()
	if err := <-p.done; err != nil {
		p.t.Fatal(err)
	}
}

// relay is a replica.Relay in the poller's eyes. It notes what it is given.
type relay struct {
	// fail says what becomes of a record; nil for nothing. takes is how long a
	// batch takes. giveUp is the answer of GiveUp.
	fail   func(key string, n int) error
	takes  func() time.Duration
	giveUp error

	mu      sync.Mutex
	tried   []string       // "key/n", in order, every attempt
	done    map[string]int // how often each succeeded
	batches []int          // their sizes
	gaveUp  []string
	busy    int // batches at work
}

func nameOf(rec replica.Record) (key string, n int) {
	n, _ = strconv.Atoi(rec.New["n"].Text())
	return rec.Keys["p"].Text(), n
}

func (y *relay) Handle(ctx context.Context, records []replica.Record) map[int]error {
	y.mu.Lock()
	y.busy++
	y.batches = append(y.batches, len(records))
	fail := y.fail
	for _, rec := range records {
		key, n := nameOf(rec)
		y.tried = append(y.tried, fmt.Sprint(key, "/", n))
	}
	y.mu.Unlock()
	defer func() {
		y.mu.Lock()
		y.busy--
		y.mu.Unlock()
	}()
	failed := make(map[int]error)
	if y.takes != nil {
		select {
		case <-time.After(y.takes()):
		case <-ctx.Done():
			for i := range records {
				failed[i] = context.Cause(ctx)
			}
			return failed
		}
	}
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.done == nil {
		y.done = make(map[string]int)
	}
	for i, rec := range records {
		key, n := nameOf(rec)
		if fail != nil {
			if err := fail(key, n); err != nil {
				failed[i] = err
				continue
			}
		}
		y.done[fmt.Sprint(key, "/", n)]++
	}
	return failed
}

func (y *relay) GiveUp(_ context.Context, rec replica.Record, _ error) error {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.giveUp != nil {
		return y.giveUp
	}
	key, n := nameOf(rec)
	y.gaveUp = append(y.gaveUp, fmt.Sprint(key, "/", n))
	return nil
}

func (y *relay) setFail(fail func(key string, n int) error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.fail = fail
}

// times returns how often a record succeeded.
func (y *relay) times(record string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.done[record]
}

// attempts returns how often a record was tried.
func (y *relay) attempts(record string) int {
	y.mu.Lock()
	defer y.mu.Unlock()
	n := 0
	for _, tried := range y.tried {
		if tried == record {
			n++
		}
	}
	return n
}

// wantAll fails unless everything written was handled, each item's records
// tried in the order they were written in.
func (r *rig) wantAll() {
	r.t.Helper()
	r.wantNoneLost()
	r.wantInOrder()
}

// wantNoneLost fails unless everything written was handled.
func (r *rig) wantNoneLost() {
	r.t.Helper()
	r.relay.mu.Lock()
	defer r.relay.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(r.written)) {
		for n := range r.written[key] {
			if record := fmt.Sprint(key, "/", n+1); r.relay.done[record] == 0 {
				r.t.Errorf("record %s was lost", record)
			}
		}
	}
}

// wantInOrder fails where a record was tried before its item's previous one.
func (r *rig) wantInOrder() {
	r.t.Helper()
	r.relay.mu.Lock()
	defer r.relay.mu.Unlock()
	reached := make(map[string]int)
	for _, record := range r.relay.tried {
		key, number, _ := strings.Cut(record, "/")
		n, _ := strconv.Atoi(number)
		if n > reached[key]+1 {
			r.t.Errorf("record %s came first after %s/%d: a child shard before its parent", record, key, reached[key])
		}
		reached[key] = max(reached[key], n)
	}
}

// settle waits until everything written was handled, ten minutes at the most.
func (r *rig) settle() {
	for deadline := time.Now().Add(10 * time.Minute); time.Now().Before(deadline); time.Sleep(time.Second) { // virtual
		r.relay.mu.Lock()
		left := 0
		for key, last := range r.written {
			for n := range last {
				if r.relay.done[fmt.Sprint(key, "/", n+1)] == 0 {
					left++
				}
			}
		}
		r.relay.mu.Unlock()
		if left == 0 {
			return
		}
	}
}

// wantOnce fails where a record was handled more than once.
func (r *rig) wantOnce() {
	r.t.Helper()
	r.relay.mu.Lock()
	defer r.relay.mu.Unlock()
	for record, times := range r.relay.done {
		if times > 1 {
			r.t.Errorf("record %s was handled %d times", record, times)
		}
	}
}

// place returns the checkpoints of the table's only shard, or of the first.
func (r *rig) place() dynamostream.Checkpoint {
	r.t.Helper()
	stream, shards := r.describe()
	c, err := r.checkpoints().Load(r.t.Context(), stream, shards[0])
	r.must(err)
	return c
}

func (r *rig) describe() (stream string, shards []string) {
	r.t.Helper()
	list, err := r.streams.ListStreams(r.t.Context(), &dynamodbstreams.ListStreamsInput{TableName: aws.String(things)})
	r.must(err)
	stream = aws.ToString(list.Streams[len(list.Streams)-1].StreamArn)
	d, err := r.streams.DescribeStream(r.t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &stream})
	r.must(err)
	for _, s := range d.StreamDescription.Shards {
		shards = append(shards, aws.ToString(s.ShardId))
	}
	return stream, shards
}

// logs keeps log lines: level, message and attributes.
type logs struct {
	mu    sync.Mutex
	lines []string
}

func (l *logs) Enabled(context.Context, slog.Level) bool { return true }
func (l *logs) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *logs) WithGroup(string) slog.Handler            { return l }

func (l *logs) Handle(_ context.Context, rec slog.Record) error {
	line := rec.Level.String() + " " + rec.Message
	rec.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	return nil
}

// with returns the lines that contain all the texts.
func (l *logs) with(texts ...string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, line := range l.lines {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			found = append(found, line)
		}
	}
	return found
}
