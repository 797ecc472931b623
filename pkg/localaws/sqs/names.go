package sqs

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const fifoSuffix = ".fifo"

func isFIFOName(name string) bool { return strings.HasSuffix(name, fifoSuffix) }

// queueName is what a queue may be called, without .fifo ("Amazon SQS queue
// quotas"); the suffix counts towards the 80 characters.
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func checkQueueName(name string) error {
	if name == "" {
		return missing("QueueName")
	}
	if len(name) > 80 || !queueName.MatchString(strings.TrimSuffix(name, fifoSuffix)) {
		return invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

// arn returns a queue's ARN.
func (s *Service) arn(name string) string {
	return "arn:aws:sqs:" + s.cfg.Region + ":" + s.cfg.AccountID + ":" + name
}

// nameOf returns the queue name in one of this account's and region's ARNs.
func (s *Service) nameOf(arn string) (string, bool) {
	return strings.CutPrefix(arn, s.arn(""))
}

// url returns a queue's URL, at the address the caller used.
func (s *Service) url(ctx context.Context, name string) string {
	base := wire.Endpoint(ctx)
	if base == "" {
		base = "https://sqs." + s.cfg.Region + ".amazonaws.com"
	}
	return base + "/" + s.cfg.AccountID + "/" + name
}

// find returns the queue a URL names. Only the path counts: a queue URL stays
// good when the engine is reached by another address. The service is locked.
func (s *Service) find(queueURL string) (*queue, error) {
	if queueURL == "" {
		return nil, missing("QueueUrl")
	}
	parsed, err := url.Parse(queueURL)
	if err != nil {
		return nil, errorf("InvalidAddress", "The address %s is not valid for this endpoint.", queueURL)
	}
	account, name, ok := strings.Cut(strings.Trim(parsed.Path, "/"), "/")
	if !ok {
		return nil, errorf("InvalidAddress", "The address %s is not valid for this endpoint.", queueURL)
	}
	q := s.queues[name]
	if q == nil || account != s.cfg.AccountID {
		return nil, noSuchQueue()
	}
	q.advance(s.cfg.Now())
	return q, nil
}

// findARN returns the queue of an ARN, nil if there is none. The service is
// locked.
func (s *Service) findARN(arn string) *queue {
	name, ok := s.nameOf(arn)
	if !ok {
		return nil
	}
	q := s.queues[name]
	if q != nil {
		q.advance(s.cfg.Now())
	}
	return q
}
