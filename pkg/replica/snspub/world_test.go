package snspub_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"go.uber.org/goleak"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an SNS of its own, with a queue subscribed to every topic, in
// virtual time.
type world struct {
	*testing.T
	engine  *localaws.Engine
	client  *sns.Client
	queues  *sqs.Client
	partial *partial
	log     *bytes.Buffer
}

func inWorld(t *testing.T, cfg localaws.Config, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(cfg)
		defer engine.Close()
		w := &world{T: t, engine: engine, partial: &partial{next: engine.Transport()}, log: &bytes.Buffer{}}
		awsConfig := localawstest.Config(engine)
		w.queues = sqs.NewFromConfig(awsConfig)
		awsConfig.HTTPClient = &http.Client{Transport: w.partial}
		w.client = sns.NewFromConfig(awsConfig)
		test(w)
	})
}

// topic creates a topic and a queue that gets everything raw.
func (w *world) topic(name string, attributes map[string]string) (arn, queueURL string) {
	w.Helper()
	ctx := context.Background()
	topic, err := w.client.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name, Attributes: attributes})
	if err != nil {
		w.Fatal(err)
	}
	queueAttributes := map[string]string{}
	if strings.HasSuffix(name, ".fifo") {
		queueAttributes["FifoQueue"] = "true"
	}
	queueARN := "arn:aws:sqs:us-east-1:000000000000:" + name
	queueAttributes["Policy"] = fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":%q}]}`, queueARN)
	queue, err := w.queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: queueAttributes})
	if err != nil {
		w.Fatal(err)
	}
	_, err = w.client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: &queueARN,
		Attributes: map[string]string{"RawMessageDelivery": "true"}})
	if err != nil {
		w.Fatal(err)
	}
	w.engine.ResetRequests()
	return aws.ToString(topic.TopicArn), aws.ToString(queue.QueueUrl)
}

func (w *world) publisher(cfg snspub.Config) *snspub.Publisher {
	w.Helper()
	cfg.Logger = slog.New(slog.NewTextHandler(w.log, nil))
	p, err := snspub.New(w.client, cfg)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// received takes all messages from a queue, in their order.
func (w *world) received(queueURL string) []sqstypes.Message {
	w.Helper()
	var all []sqstypes.Message
	for {
		out, err := w.queues.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &queueURL, MaxNumberOfMessages: 10,
			MessageAttributeNames: []string{"All"}, VisibilityTimeout: 3600})
		if err != nil {
			w.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return all
		}
		for _, msg := range out.Messages {
			_, err := w.queues.DeleteMessage(context.Background(), &sqs.DeleteMessageInput{QueueUrl: &queueURL, ReceiptHandle: msg.ReceiptHandle})
			if err != nil {
				w.Fatal(err)
			}
		}
		all = append(all, out.Messages...)
	}
}

func (w *world) bodies(queueURL string) []string {
	w.Helper()
	var all []string
	for _, msg := range w.received(queueURL) {
		all = append(all, *msg.Body)
	}
	return all
}

func (w *world) requests(operation string) int64 {
	return w.engine.Requests().Of(localaws.SNS, operation)
}

func (w *world) wantRequests(operation string, want int64) {
	w.Helper()
	if n := w.requests(operation); n != want {
		w.Errorf("%d %s requests, want %d", n, operation, want)
	}
}

// numbered makes messages with the payloads "0", "1", ...
func numbered(n int) []*message.Message {
	all := make([]*message.Message, n)
	for i := range all {
		all[i] = message.NewMessage("id-"+strconv.Itoa(i), []byte(strconv.Itoa(i)))
	}
	return all
}

// failure is SNS's reason for not accepting an entry.
type failure struct {
	XMLName       struct{} `xml:"member"`
	ID            string   `xml:"Id"`
	Code, Message string
	SenderFault   bool
}

// partial is a transport that makes entries of PublishBatch fail inside HTTP
// 200, as SNS does.
type partial struct {
	next http.RoundTripper
	// fail returns the reason for which the entry with a body fails, or nil.
	fail func(body string) *failure
}

func (p *partial) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.fail == nil {
		return p.next.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	var failed strings.Builder
	passed, kept := url.Values{}, 0
	for key, values := range form {
		if !strings.HasPrefix(key, "PublishBatchRequestEntries.") {
			passed[key] = values
		}
	}
	for i := 1; form.Get("Action") == "PublishBatch"; i++ {
		prefix := fmt.Sprintf("PublishBatchRequestEntries.member.%d.", i)
		if !form.Has(prefix + "Id") {
			break
		}
		if reason := p.fail(form.Get(prefix + "Message")); reason != nil {
			reason.ID = form.Get(prefix + "Id")
			text, err := xml.Marshal(reason)
			if err != nil {
				return nil, err
			}
			failed.Write(text)
			continue
		}
		kept++
		for key, values := range form {
			if rest, ok := strings.CutPrefix(key, prefix); ok {
				passed[fmt.Sprintf("PublishBatchRequestEntries.member.%d.%s", kept, rest)] = values
			}
		}
	}
	answer := `<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Successful></Successful><Failed></Failed></PublishBatchResult></PublishBatchResponse>`
	if kept > 0 || form.Get("Action") != "PublishBatch" {
		text := passed.Encode()
		again := r.Clone(r.Context())
		again.Body, again.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		out, err := p.next.RoundTrip(again)
		if err != nil || out.StatusCode != http.StatusOK || failed.Len() == 0 {
			return out, err
		}
		defer out.Body.Close()
		said, err := io.ReadAll(out.Body)
		if err != nil {
			return nil, err
		}
		answer = string(said)
	}
	answer = strings.Replace(answer, "</PublishBatchResult>", "<Failed>"+failed.String()+"</Failed></PublishBatchResult>", 1)
	answer = strings.Replace(answer, "<Failed></Failed>", "", 1)
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(answer)),
		ContentLength: int64(len(answer)), Request: r}, nil
}
