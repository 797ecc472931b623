package sns_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	region  = "eu-central-1"
	account = "111122223333"
)

func queueARN(name string) string { return "arn:aws:sqs:" + region + ":" + account + ":" + name }

// queues records deliveries and fails as told.
type queues struct {
	mu   sync.Mutex
	got  []sns.Delivery
	fail func(d sns.Delivery, attempt int) error
	slow func(d sns.Delivery) time.Duration // how long a delivery takes
	seen map[string]int                     // attempts by queue and body
}

func (q *queues) Deliver(_ context.Context, d sns.Delivery) error {
	if q.slow != nil {
		time.Sleep(q.slow(d)) // virtual: only tests under synctest set slow
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.seen == nil {
		q.seen = map[string]int{}
	}
	key := d.QueueARN + " " + d.Body
	q.seen[key]++
	if q.fail != nil {
		if err := q.fail(d, q.seen[key]); err != nil {
			return err
		}
	}
	q.got = append(q.got, d)
	return nil
}

// take returns the deliveries to a queue so far, and forgets them.
func (q *queues) take(name string) []sns.Delivery {
	q.mu.Lock()
	defer q.mu.Unlock()
	var taken []sns.Delivery
	q.got = slices.DeleteFunc(q.got, func(d sns.Delivery) bool {
		if d.QueueARN != queueARN(name) {
			return false
		}
		taken = append(taken, d)
		return true
	})
	return taken
}

// has tells whether a queue got a body.
func (q *queues) has(name, body string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.ContainsFunc(q.got, func(d sns.Delivery) bool { return d.QueueARN == queueARN(name) && d.Body == body })
}

func bodies(deliveries []sns.Delivery) []string {
	texts := []string{}
	for _, d := range deliveries {
		texts = append(texts, d.Body)
	}
	return texts
}

// transport carries the SDK's requests to a service in memory, as the query
// protocol has them.
type transport struct{ service *sns.Service }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	out, err := t.service.Invoke(r.Context(), form)
	status := http.StatusOK
	if err != nil {
		var apiErr *wire.Error
		if !errors.As(err, &apiErr) {
			return nil, err
		}
		status = apiErr.HTTPStatus()
		type fault struct{ Code, Message string }
		out, err = xml.Marshal(struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Error   fault
		}{Error: fault{apiErr.Code, apiErr.Message}})
		if err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status), Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(bytes.NewReader(out)), ContentLength: int64(len(out)),
	}, nil
}

// world is a service with the real SDK in front and recorded queues behind.
type world struct {
	*sdk.Client
	t       *testing.T
	service *sns.Service
	queues  *queues
}

func newWorld(t *testing.T, change ...func(*sns.Config)) *world {
	t.Helper()
	q := &queues{}
	cfg := sns.Config{Region: region, AccountID: account, Queues: q}
	for _, c := range change {
		c(&cfg)
	}
	service := sns.New(cfg)
	t.Cleanup(service.Close)
	client := sdk.New(sdk.Options{
		Region:           region,
		BaseEndpoint:     aws.String("http://sns.invalid"),
		Credentials:      credentials.NewStaticCredentialsProvider("key", "secret", ""),
		HTTPClient:       &http.Client{Transport: transport{service}},
		RetryMaxAttempts: 1,
	})
	return &world{Client: client, t: t, service: service, queues: q}
}

func (w *world) topic(name string, attributes ...string) string {
	w.t.Helper()
	out, err := w.CreateTopic(w.t.Context(), &sdk.CreateTopicInput{Name: &name, Attributes: pairs(attributes)})
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.TopicArn
}

func (w *world) subscribe(topic, queue string, attributes ...string) string {
	w.t.Helper()
	out, err := w.Subscribe(w.t.Context(), &sdk.SubscribeInput{
		TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN(queue)), Attributes: pairs(attributes),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return *out.SubscriptionArn
}

func (w *world) publish(topic, message string, change ...func(*sdk.PublishInput)) *sdk.PublishOutput {
	w.t.Helper()
	in := &sdk.PublishInput{TopicArn: &topic, Message: &message}
	for _, c := range change {
		c(in)
	}
	out, err := w.Publish(w.t.Context(), in)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) counters(subscription string) sns.SubscriptionCounters {
	return w.service.Counters().Subscriptions[subscription]
}

// pairs makes a map of names and values that take turns.
func pairs(list []string) map[string]string {
	m := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

// wantError asserts an error of type E with the given text in its message.
func wantError[E error](t *testing.T, err error, message string) {
	t.Helper()
	var typed E
	if !errors.As(err, &typed) {
		t.Fatalf("got %v, want a %T", err, typed)
	}
	var api smithy.APIError
	if !errors.As(err, &api) || !bytes.Contains([]byte(api.ErrorMessage()), []byte(message)) {
		t.Fatalf("got %v, want a message with %q", err, message)
	}
}

// unwrap parses a wrapped delivery's body.
func unwrap(t *testing.T, d sns.Delivery) map[string]any {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal([]byte(d.Body), &document); err != nil {
		t.Fatalf("body %q: %v", d.Body, err)
	}
	return document
}
