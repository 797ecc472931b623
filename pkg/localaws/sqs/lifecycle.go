package sqs

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"
)

// recreateAfter is how long the name of a deleted queue stays taken, and
// purgeEvery how far apart two purges must be ("CreateQueue" and "PurgeQueue",
// API reference).
const (
	recreateAfter = 60 * time.Second
	purgeEvery    = 60 * time.Second
)

type queueURLAnswer struct {
	QueueURL string `json:"QueueUrl"`
}

func (s *Service) createQueue(ctx context.Context, in struct {
	QueueName  string
	Attributes map[string]string
	Tags       map[string]string `json:"tags"`
}) (any, error) {
	if err := checkQueueName(in.QueueName); err != nil {
		return nil, err
	}
	wanted, err := defaultSettings().apply(in.Attributes)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(in.QueueName, fifoSuffix) != wanted.fifo {
		return nil, invalid("The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length; FifoQueue must be true for such a name and for no other.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	if q := s.queues[in.QueueName]; q != nil {
		if name, same := q.settings.same(in.Attributes, wanted); !same {
			return nil, errorf("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
		return queueURLAnswer{s.url(ctx, q.name)}, nil
	}
	maps.DeleteFunc(s.deleted, func(_ string, at time.Time) bool { return now.Sub(at) >= recreateAfter })
	if _, recently := s.deleted[in.QueueName]; recently {
		return nil, errorf("QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
	}
	if err := s.checkRedrive(s.arn(in.QueueName), wanted); err != nil {
		return nil, err
	}
	s.queues[in.QueueName] = newQueue(s, in.QueueName, wanted, maps.Clone(in.Tags))
	return queueURLAnswer{s.url(ctx, in.QueueName)}, nil
}

func (s *Service) deleteQueue(_ context.Context, in struct {
	QueueURL string `json:"QueueUrl"`
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	delete(s.queues, q.name)
	s.deleted[q.name] = now
	q.gone = true
	q.disarm()
	q.settle(now)
	return empty{}, nil
}

func (s *Service) getQueueURL(ctx context.Context, in struct {
	QueueName              string
	QueueOwnerAWSAccountID string `json:"QueueOwnerAWSAccountId"`
}) (any, error) {
	if err := checkQueueName(in.QueueName); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queues[in.QueueName] == nil || in.QueueOwnerAWSAccountID != "" && in.QueueOwnerAWSAccountID != s.cfg.AccountID {
		return nil, noSuchQueue()
	}
	return queueURLAnswer{s.url(ctx, in.QueueName)}, nil
}

func (s *Service) purgeQueue(_ context.Context, in struct {
	QueueURL string `json:"QueueUrl"`
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	if !q.purged.IsZero() && now.Sub(q.purged) < purgeEvery {
		return nil, errorf("PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.name)
	}
	q.purged = now
	q.empty()
	return empty{}, nil
}

func (s *Service) listQueues(ctx context.Context, in struct {
	MaxResults      *int
	NextToken       string
	QueueNamePrefix string
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.queues))
	for name := range s.queues {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			names = append(names, name)
		}
	}
	urls, next, err := s.page(ctx, names, in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return struct {
		QueueUrls []string `json:",omitempty"`
		NextToken string   `json:",omitempty"`
	}{urls, next}, nil
}

func (s *Service) listDeadLetterSourceQueues(ctx context.Context, in struct {
	QueueURL   string `json:"QueueUrl"`
	MaxResults *int
	NextToken  string
}) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nil, err
	}
	urls, next, err := s.page(ctx, s.sourcesOf(q.arn), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return struct {
		QueueUrls []string `json:"queueUrls"`
		NextToken string   `json:",omitempty"`
	}{urls, next}, nil
}

// sourcesOf names the queues whose dead-letter queue this is.
func (s *Service) sourcesOf(arn string) []string {
	var names []string
	for name, q := range s.queues {
		if q.settings.redrive != nil && q.settings.redrive.target == arn {
			names = append(names, name)
		}
	}
	return names
}

// page cuts one page from a list of queues. A token is the last name of the
// page before; only a caller that sets MaxResults gets one ("ListQueues", API
// reference).
func (s *Service) page(ctx context.Context, names []string, maxResults *int, token string) (urls []string, next string, err error) {
	limit := 1000
	if maxResults != nil {
		if limit = *maxResults; limit < 1 || limit > 1000 {
			return nil, "", invalid("Value %d for parameter MaxResults is invalid. Reason: Must be between 1 and 1000, if provided.", limit)
		}
	}
	after, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return nil, "", invalid("Value %s for parameter NextToken is invalid. Reason: Invalid or expired next token.", token)
	}
	slices.Sort(names)
	start, found := slices.BinarySearch(names, string(after))
	if found {
		start++
	}
	urls = []string{}
	for _, name := range names[start:min(start+limit, len(names))] {
		urls = append(urls, s.url(ctx, name))
	}
	if maxResults != nil && start+limit < len(names) {
		next = base64.RawURLEncoding.EncodeToString([]byte(names[start+limit-1]))
	}
	return urls, next, nil
}
