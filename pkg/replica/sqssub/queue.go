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

	mu       sync.Mutex
	limits   map[string]int     // by URL: MaximumMessageSize
	redrives map[string]redrive // by URL: RedrivePolicy
}

// redrive is what a queue's RedrivePolicy says. The zero redrive is none.
type redrive struct {
	deadLetters queue
	maxReceives int
}

func newQueues(client *sqs.Client, resolver wsqs.QueueUrlResolver, logger *slog.Logger) *queues {
	if resolver == nil {
		resolver = newByNameOrURL()
	}
	return &queues{client: client, resolver: resolver, logger: watermill.NewSlogLogger(logger),
		limits: map[string]int{}, redrives: map[string]redrive{}}
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

// redrive returns what a source queue's RedrivePolicy says. It is read once,
// unless there is none: one that is added works at once.
func (q *queues) redrive(ctx context.Context, source string) (redrive, error) {
	q.mu.Lock()
	known, ok := q.redrives[source]
	q.mu.Unlock()
	if ok {
		return known, nil
	}
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
	known = redrive{deadLetters: newQueue(aws.ToString(found.QueueUrl)), maxReceives: int(maxReceives)}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.redrives[source] = known
	return known, nil
}

func (q *queues) attribute(ctx context.Context, url string, name types.QueueAttributeName) (string, error) {
	out, err := q.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(url), AttributeNames: []types.QueueAttributeName{name}})
	if err != nil {
		return "", err
	}
	return out.Attributes[string(name)], nil
}
