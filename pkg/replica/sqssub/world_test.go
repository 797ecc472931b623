package sqssub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an SQS of its own, with the real SDK, in virtual time.
type world struct {
	*testing.T
	engine  *localaws.Engine
	client  *sqs.Client
	partial *partial
	log     *strings.Builder
}

func inWorld(t *testing.T, cfg localaws.Config, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(cfg)
		defer engine.Close()
		test(newWorld(t, engine))
	})
}

func newWorld(t *testing.T, engine *localaws.Engine) *world {
	w := &world{T: t, engine: engine, partial: &partial{next: engine.Transport()}, log: &strings.Builder{}}
	awsConfig := localawstest.Config(engine)
	awsConfig.HTTPClient = &http.Client{Transport: w.partial}
	w.client = sqs.NewFromConfig(awsConfig)
	return w
}

func (w *world) queue(name string, attributes map[string]string) string {
	w.Helper()
	out, err := w.client.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		w.Fatal(err)
	}
	return aws.ToString(out.QueueUrl)
}

// withDeadLetters creates a queue and its dead-letter queue.
func (w *world) withDeadLetters(name string, maxReceives int) (source, dead string) {
	w.Helper()
	dead = w.queue(name+"-dlq", nil)
	policy := fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:%s-dlq","maxReceiveCount":%d}`, name, maxReceives)
	return w.queue(name, map[string]string{"RedrivePolicy": policy}), dead
}

// send puts messages with the bodies "0", "1", ... on a queue.
func (w *world) send(url string, n int) {
	w.Helper()
	for start := 0; start < n; start += 10 {
		in := &sqs.SendMessageBatchInput{QueueUrl: &url}
		for i := start; i < min(n, start+10); i++ {
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: aws.String(strconv.Itoa(i))})
		}
		out, err := w.client.SendMessageBatch(context.Background(), in)
		if err != nil || len(out.Failed) > 0 {
			w.Fatal(err, out)
		}
	}
	w.engine.ResetRequests()
}

func (w *world) subscriber(cfg sqssub.Config) *sqssub.Subscriber {
	w.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(w.log, nil))
	}
	s, err := sqssub.New(w.client, cfg)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// handle subscribes and starts a goroutine for every message, as Watermill's
// router does, until the channel is closed; done is closed then.
func (w *world) handle(s *sqssub.Subscriber, queue string, handler func(*message.Message)) (done chan struct{}) {
	w.Helper()
	messages, err := s.Subscribe(context.Background(), queue)
	if err != nil {
		w.Fatal(err)
	}
	done = make(chan struct{})
	go func() {
		defer close(done)
		for msg := range messages {
			go handler(msg)
		}
	}()
	return done
}

// depth is how many messages of a queue are visible, and how many are in
// flight.
func (w *world) depth(url string) (visible, inFlight int) {
	w.Helper()
	out, err := w.client.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{QueueUrl: &url,
		AttributeNames: []types.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"}})
	if err != nil {
		w.Fatal(err)
	}
	visible, _ = strconv.Atoi(out.Attributes["ApproximateNumberOfMessages"])
	inFlight, _ = strconv.Atoi(out.Attributes["ApproximateNumberOfMessagesNotVisible"])
	return visible, inFlight
}

func (w *world) wantDepth(url string, visible, inFlight int) {
	w.Helper()
	if v, f := w.depth(url); v != visible || f != inFlight {
		w.Errorf("the queue has %d visible and %d messages in flight, want %d and %d", v, f, visible, inFlight)
	}
}

// read takes all visible messages of a queue, without deleting them.
func (w *world) read(url string) []types.Message {
	w.Helper()
	var all []types.Message
	for {
		out, err := w.client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10,
			MessageAttributeNames: []string{"All"}, VisibilityTimeout: 3600})
		if err != nil {
			w.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		all = append(all, out.Messages...)
	}
}

// requests is how often an SQS operation was called since the last send.
func (w *world) requests(operation string) int64 {
	return w.engine.Requests().Of(localaws.SQS, operation)
}

func (w *world) wantAtMost(operation string, most int64) {
	w.Helper()
	if n := w.requests(operation); n > most {
		w.Errorf("%d %s requests, want at most %d", n, operation, most)
	}
}

// close closes a subscriber, and says how long it took.
func (w *world) close(s *sqssub.Subscriber) time.Duration {
	w.Helper()
	begun := time.Now()
	if err := s.Close(); err != nil {
		w.Error(err)
	}
	return time.Since(begun)
}

// partial is a transport that makes entries of batch requests fail inside HTTP
// 200, as SQS does.
type partial struct {
	next http.RoundTripper
	// fail returns the reason for which an entry fails, or nil. One without a code
	// leaves the entry out of the answer.
	fail func(operation string, entry map[string]any) *types.BatchResultErrorEntry
	// empty answers receives at once and without messages, counted by empties.
	empty   bool
	empties atomic.Int64
}

func (p *partial) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if p.empty && operation == "ReceiveMessage" {
		p.empties.Add(1)
		return reply(r, []byte(`{}`)), nil
	}
	if p.fail == nil || !strings.HasSuffix(operation, "Batch") {
		return p.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var in struct {
		QueueURL string `json:"QueueUrl"`
		Entries  []map[string]any
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	var failed []any
	var passed []map[string]any
	for _, entry := range in.Entries {
		if reason := p.fail(operation, entry); reason != nil {
			if reason.Code == nil {
				continue
			}
			failed = append(failed, map[string]any{"Id": entry["Id"], "Code": aws.ToString(reason.Code),
				"Message": aws.ToString(reason.Message), "SenderFault": reason.SenderFault})
			continue
		}
		passed = append(passed, entry)
	}
	out := map[string]any{"Successful": []any{}}
	if len(passed) > 0 {
		forward, err := json.Marshal(map[string]any{"QueueUrl": in.QueueURL, "Entries": passed})
		if err != nil {
			return nil, err
		}
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(strings.NewReader(string(forward))), int64(len(forward))
		answer, err := p.next.RoundTrip(again)
		if err != nil || answer.StatusCode != http.StatusOK {
			return answer, err
		}
		defer answer.Body.Close()
		if err := json.NewDecoder(answer.Body).Decode(&out); err != nil {
			return nil, err
		}
	}
	already, _ := out["Failed"].([]any)
	out["Failed"] = append(already, failed...)
	text, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return reply(r, text), nil
}

func reply(r *http.Request, text []byte) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:   io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)), Request: r}
}

func (w *world) sendOne(url, body string, attributes map[string]types.MessageAttributeValue) {
	w.Helper()
	_, err := w.client.SendMessage(context.Background(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageAttributes: attributes})
	if err != nil {
		w.Fatal(err)
	}
}
