package snspub

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	wsns "github.com/ThreeDotsLabs/watermill-aws/sns"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// topicNames finds topics by name with ListTopics and keeps what it has seen.
type topicNames struct {
	client *sns.Client

	listing chan struct{} // holds one token; its holder lists
	mu      sync.Mutex
	arns    map[string]string
}

func newTopicNames(client *sns.Client) *topicNames {
	return &topicNames{client: client, listing: make(chan struct{}, 1), arns: map[string]string{}}
}

// ResolveTopic implements watermill-aws's TopicResolver.
func (t *topicNames) ResolveTopic(ctx context.Context, topic string) (wsns.TopicArn, error) {
	if strings.HasPrefix(topic, "arn:") {
		return wsns.TopicArn(topic), nil
	}
	if arn, ok := t.known(topic); ok {
		return wsns.TopicArn(arn), nil
	}
	select {
	case t.listing <- struct{}{}:
		defer func() { <-t.listing }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if arn, ok := t.known(topic); ok { // the one before us has listed it
		return wsns.TopicArn(arn), nil
	}
	pages := sns.NewListTopicsPaginator(t.client, &sns.ListTopicsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		t.mu.Lock()
		for _, found := range page.Topics {
			arn := aws.ToString(found.TopicArn)
			t.arns[arn[strings.LastIndexByte(arn, ':')+1:]] = arn
		}
		t.mu.Unlock()
	}
	if arn, ok := t.known(topic); ok {
		return wsns.TopicArn(arn), nil
	}
	return "", fmt.Errorf("this account and region have no topic of that name; create it, or check the region and the credentials")
}

func (t *topicNames) known(topic string) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	arn, ok := t.arns[topic]
	return arn, ok
}

// limits reads each topic's MaximumMessageSize attribute once.
type limits struct {
	client *sns.Client

	mu    sync.Mutex
	bytes map[string]int
}

// of returns the topic's limit. The error says why the default is assumed; it
// is reported once, and the attribute is not asked for again.
func (l *limits) of(ctx context.Context, topicARN string) (int, error) {
	l.mu.Lock()
	limit, ok := l.bytes[topicARN]
	l.mu.Unlock()
	if ok {
		return limit, nil
	}
	limit, err := l.read(ctx, topicARN)
	if err != nil {
		limit = DefaultLimitBytes
		if ctx.Err() != nil || retry.Worthwhile(err) {
			return limit, nil // the next call asks again
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.bytes[topicARN]; ok {
		return known, nil
	}
	l.bytes[topicARN] = limit
	return limit, err
}

func (l *limits) read(ctx context.Context, topicARN string) (int, error) {
	out, err := l.client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(topicARN)})
	if err != nil {
		return 0, err
	}
	text, ok := out.Attributes["MaximumMessageSize"]
	if !ok {
		return DefaultLimitBytes, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 {
		return DefaultLimitBytes, nil
	}
	return limit, nil
}
