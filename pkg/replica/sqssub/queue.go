package sqssub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// queue is one that exists.
type queue struct {
	name, url string
	fifo      bool
}

func newQueue(url string) queue {
	name := url[strings.LastIndexByte(url, '/')+1:]
	return queue{name: name, url: url, fifo: strings.HasSuffix(name, ".fifo")}
}

// byNameOrURL takes URLs as they are and looks names up, once.
type byNameOrURL struct {
	names *wsqs.GetQueueUrlByNameUrlResolver
}

func newByNameOrURL() byNameOrURL {
	return byNameOrURL{wsqs.NewGetQueueUrlByNameUrlResolver(wsqs.GetQueueUrlByNameUrlResolverConfig{})}
}

// ResolveQueueUrl implements watermill-aws's QueueUrlResolver.
func (r byNameOrURL) ResolveQueueUrl(ctx context.Context, params wsqs.ResolveQueueUrlParams) (wsqs.QueueUrlResolverResult, error) {
	if strings.Contains(params.Topic, "://") {
		return wsqs.TransparentUrlResolver{}.ResolveQueueUrl(ctx, params)
	}
	return r.names.ResolveQueueUrl(ctx, params)
}

// queues finds queues and what is worth knowing about them.
type queues struct {
	client   *sqs.Client
	resolver wsqs.QueueUrlResolver
	logger   watermill.LoggerAdapter

	asking   chan struct{} // holds a token; its holder asks for a RedrivePolicy
	mu       sync.Mutex
	limits   map[string]int          // by URL: MaximumMessageSize
	redrives map[string]knownRedrive // by URL: RedrivePolicy
}

// redrive is what a queue's RedrivePolicy says. The zero redrive is none.
type redrive struct {
	deadLetters queue
	maxReceives int
}

// knownRedrive is a redrive, or why it is not known, and until when that holds;
// zero is for ever.
type knownRedrive struct {
	redrive
	err   error
	until time.Time
}

// redriveLife is how long it is believed that a queue has no RedrivePolicy, or
// that it may not be read: every nack needs to know, and every request is billed.
const redriveLife = time.Minute

func newQueues(client *sqs.Client, resolver wsqs.QueueUrlResolver, logger *slog.Logger) *queues {
	if resolver == nil {
		resolver = newByNameOrURL()
	}
	return &queues{client: client, resolver: resolver, logger: watermill.NewSlogLogger(logger),
		asking: make(chan struct{}, 1), limits: map[string]int{}, redrives: map[string]knownRedrive{}}
}

// find returns the queue of a name or URL.
func (q *queues) find(ctx context.Context, name string) (queue, error) {
	found, err := q.resolver.ResolveQueueUrl(ctx, wsqs.ResolveQueueUrlParams{Topic: name, SqsClient: q.client, Logger: q.logger})
	switch {
	case err != nil:
		return queue{}, err
	case found.Exists != nil && !*found.Exists, found.QueueURL == nil, *found.QueueURL == "":
		return queue{}, errors.New("there is no such queue in this account and region; create it, or check the region and the credentials")
	}
	return newQueue(string(*found.QueueURL)), nil
}

// limitBytes returns the largest message a queue takes. Where it cannot be
// read, 256 KiB are assumed, though the default is 1 MiB: too careful a guess
// only compresses a body without need.
func (q *queues) limitBytes(ctx context.Context, url string) int {
	q.mu.Lock()
	limit, ok := q.limits[url]
	q.mu.Unlock()
	if ok {
		return limit
	}
	attribute, err := q.attribute(ctx, url, types.QueueAttributeNameMaximumMessageSize)
	if err != nil && retry.Worthwhile(err) {
		return 256 << 10 // the next call asks again
	}
	limit, err = strconv.Atoi(attribute)
	if err != nil || limit < 1 {
		limit = 256 << 10
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.limits[url] = limit
	return limit
}

// deadLetterQueue returns the queue that a source queue's RedrivePolicy names.
func (q *queues) deadLetterQueue(ctx context.Context, source string) (queue, error) {
	policy, err := q.redrive(ctx, source)
	if err == nil && policy.deadLetters.url == "" {
		err = ErrNoDeadLetterQueue
	}
	return policy.deadLetters, err
}

// redrive returns what a source queue's RedrivePolicy says. It is read once;
// where there is none, or no right to read it, again after redriveLife.
func (q *queues) redrive(ctx context.Context, source string) (redrive, error) {
	if known, ok := q.knownRedrive(source); ok {
		return known.redrive, known.err
	}
	select {
	case q.asking <- struct{}{}:
		defer func() { <-q.asking }()
	case <-ctx.Done():
		return redrive{}, context.Cause(ctx)
	}
	if known, ok := q.knownRedrive(source); ok { // the one before us has asked
		return known.redrive, known.err
	}
	policy, err := q.readRedrive(ctx, source)
	known := knownRedrive{redrive: policy, err: err}
	switch {
	case err != nil && (retry.Worthwhile(err) || ctx.Err() != nil):
		return redrive{}, err // the next call asks again
	case err != nil || policy.deadLetters.url == "":
		known.until = time.Now().Add(redriveLife)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.redrives[source] = known
	return policy, err
}

func (q *queues) knownRedrive(source string) (knownRedrive, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	known, ok := q.redrives[source]
	return known, ok && (known.until.IsZero() || time.Now().Before(known.until))
}

func (q *queues) readRedrive(ctx context.Context, source string) (redrive, error) {
	text, err := q.attribute(ctx, source, types.QueueAttributeNameRedrivePolicy)
	if err != nil {
		return redrive{}, fmt.Errorf("read the redrive policy: %w", err)
	}
	if text == "" {
		return redrive{}, nil
	}
	var policy struct {
		Target      string      `json:"deadLetterTargetArn"`
		MaxReceives json.Number `json:"maxReceiveCount"` // a number, or one in quotes
	}
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return redrive{}, fmt.Errorf("read the redrive policy: %w", err)
	}
	parts := strings.Split(policy.Target, ":") // arn:aws:sqs:region:account:name
	if len(parts) != 6 {
		return redrive{}, fmt.Errorf("%w; the redrive policy names %q", ErrNoDeadLetterQueue, policy.Target)
	}
	found, err := q.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{
		QueueName: aws.String(parts[5]), QueueOwnerAWSAccountId: aws.String(parts[4])})
	if err != nil {
		return redrive{}, fmt.Errorf("find the dead-letter queue %s: %w", policy.Target, err)
	}
	maxReceives, _ := policy.MaxReceives.Int64() // 0 where SQS took something else
	return redrive{deadLetters: newQueue(aws.ToString(found.QueueUrl)), maxReceives: int(maxReceives)}, nil
}

func (q *queues) attribute(ctx context.Context, url string, name types.QueueAttributeName) (string, error) {
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return "", err
	}
	return out.Attributes[string(name)], nil
}
