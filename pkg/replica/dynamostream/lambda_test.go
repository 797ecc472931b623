package dynamostream_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

func decodeEvent(t testing.TB, text string) events.DynamoDBEvent {
	t.Helper()
	var event events.DynamoDBEvent
	if err := json.Unmarshal([]byte(text), &event); err != nil {
		t.Fatal(err)
	}
	return event
}

// eventOf is an event of n creations with ascending sequence numbers.
func eventOf(n int) string {
	var records []string
	for i := range n {
		records = append(records, fmt.Sprintf(`{"eventID":"%d","eventName":"INSERT","dynamodb":{"Keys":{"p":{"S":"%d"}},"NewImage":{"p":{"S":"%d"}},"SequenceNumber":"%021d"}}`, i, i, i, 100+i))
	}
	return `{"Records":[` + strings.Join(records, ",") + `]}`
}

// Lambda goes on at the record that is reported: the first that failed.
func TestTheLowestFailedRecordIsReported(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(0, 20).Draw(rt, "records")
		failed := make(map[int]error)
		lowest := -1
		for at := n - 1; at >= 0; at-- {
			if rapid.Bool().Draw(rt, "fails") {
				failed[at], lowest = errRelay, at
			}
		}
		logged := &logs{}
		handler := dynamostream.LambdaHandler(relayFunc(func([]replica.Record) map[int]error { return failed }), slog.New(logged))
		response, err := handler(t.Context(), decodeEvent(t, eventOf(n)))
		if err != nil {
			rt.Fatal(err)
		}
		got, err := json.Marshal(response)
		if err != nil {
			rt.Fatal(err)
		}
		want := `{"batchItemFailures":[]}`
		if lowest >= 0 {
			want = fmt.Sprintf(`{"batchItemFailures":[{"itemIdentifier":"%021d"}]}`, 100+lowest)
		}
		if string(got) != want {
			rt.Fatalf("answered %s, want %s", got, want)
		}
		if lines := logged.with("ERROR", errRelay.Error()); (len(lines) > 0) != (lowest >= 0) {
			rt.Fatalf("logged %q for %d failures", lines, len(failed))
		}
	})
}

// published is a topic and a dead-letter queue that keep everything.
type published struct {
	mu       sync.Mutex
	subjects []string
	letters  []replica.DeadLetter
	down     error
}

func (p *published) Publish(_ string, messages ...*message.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range messages {
		var event struct{ Subject string }
		if err := json.Unmarshal(m.Payload, &event); err != nil {
			return err
		}
		p.subjects = append(p.subjects, event.Subject)
	}
	return nil
}

func (p *published) Close() error { return nil }

func (p *published) Send(_ context.Context, letter replica.DeadLetter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down != nil {
		return p.down
	}
	p.letters = append(p.letters, letter)
	return nil
}

// noTable is a source table that nobody may ask.
type noTable struct{ replica.SourceTable }

// Records that lack what the relay needs become dead letters; those around
// them are published.
func TestDamagedRecordsCostTheirNeighboursNothing(t *testing.T) {
	m, err := manifest.Parse("replication.yaml", []byte("service: profile\npublishes:\n  - contract: company.profile/v1\n    table: companies\n    key: {cik: \"{cik}\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	source, err := replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract)
	if err != nil {
		t.Fatal(err)
	}
	out := &published{}
	relay, err := replica.NewRelay(replica.RelayConfig{
		Sources: []*replica.Source{source}, Table: noTable{}, Publisher: out, DeadLetters: out, Logger: slog.New(&logs{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	record := func(number int, name, images string) string {
		return fmt.Sprintf(`{"eventID":"%d","eventName":"%s","eventSource":"aws:dynamodb","dynamodb":{"ApproximateCreationDateTime":%d,"SequenceNumber":"%021d"%s}}`, number, name, now.Unix(), number, images)
	}
	image := func(name, cik string) string {
		return fmt.Sprintf(`,"%s":{"cik":{"S":"%s"},"name":{"S":"N"},"sector":{"S":""},"subIndustry":{"S":""},"headquarters":{"S":""},"tickers":{"L":[]},"founded":{"S":""},"dateAdded":{"S":""},"version":{"N":"%d"}}`, name, cik, contracts.VersionAt(now))
	}
	keys := func(cik string) string { return fmt.Sprintf(`,"Keys":{"cik":{"S":"%s"}}`, cik) }
	event := decodeEvent(t, `{"Records":[`+strings.Join([]string{
		record(1, "INSERT", keys("1")+image("NewImage", "1")),
		record(2, "MODIFY", keys("2")+image("NewImage", "2")), // a NEW_IMAGE stream
		record(3, "REMOVE", keys("3")),                        // a KEYS_ONLY stream
		record(4, "INSERT", image("NewImage", "4")),           // no key
		`{"eventID":"5","eventName":"INSERT"}`,                // nothing at all
		record(6, "INSERT", keys("6")+image("NewImage", "6")),
	}, ",")+`]}`)

	handler := dynamostream.LambdaHandler(relay, slog.New(&logs{}))
	response, err := handler(t.Context(), event)
	if err != nil || len(response.BatchItemFailures) != 0 {
		t.Errorf("answered %v, %v", response, err)
	}
	if fmt.Sprint(out.subjects) != "[1 6]" {
		t.Errorf("published %v, want 1 and 6", out.subjects)
	}
	var damaged []string
	for _, letter := range out.letters {
		var body struct{ EventID string }
		if err := json.Unmarshal(letter.Body, &body); err != nil {
			t.Fatal(err)
		}
		damaged = append(damaged, body.EventID)
	}
	if fmt.Sprint(damaged) != "[2 3 4 5]" {
		t.Errorf("dead-lettered %v, want 2 to 5", damaged)
	}

	// Where they cannot be kept, the first is where Lambda goes on.
	out.down = errors.New("the dead-letter queue is out of order")
	response, err = handler(t.Context(), event)
	if err != nil || len(response.BatchItemFailures) != 1 || response.BatchItemFailures[0].ItemIdentifier != fmt.Sprintf("%021d", 2) {
		t.Errorf("answered %v, %v", response, err)
	}
}

// A batch that does not fit into the function's timeout is answered before it.
func TestABatchIsAnsweredBeforeTheTimeout(t *testing.T) {
	for name, c := range map[string]struct{ timeout, want time.Duration }{
		"a usual timeout": {time.Minute, 59 * time.Second},
		"a short one":     {3 * time.Second, 2700 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
				defer cancel()
				slow := &relay{takes: func() time.Duration { return time.Hour }}
				began := time.Now()
				response, err := dynamostream.LambdaHandler(slow, slog.New(&logs{}))(ctx, decodeEvent(t, eventOf(3)))
				if err != nil || len(response.BatchItemFailures) != 1 {
					t.Errorf("answered %v, %v", response, err)
				}
				if took := time.Since(began); took != c.want {
					t.Errorf("answered after %s, want %s", took, c.want)
				}
			})
		})
	}
}
