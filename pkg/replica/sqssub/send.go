package sqssub

import (
	"context"
	"fmt"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	// sendAttempts is how often an entry is sent, some four seconds.
	sendAttempts = 6
	// sendLinger is how long a message waits for others to share its request.
	sendLinger = 5 * time.Millisecond
	// sendBatchBytes is what a request carries at most, unless a single message
	// is larger. SQS allows 1 MiB ("SendMessageBatch"); 256 KiB is what older
	// versions of that page say, and other engines may still hold to.
	sendBatchBytes = 256 << 10
)

// parcel is a message on its way into a queue.
type parcel struct {
	entry types.SendMessageBatchRequestEntry
	bytes int
	fate  chan error // of capacity 1
}

// SendDelayed puts a message on a queue, given by name or URL, from which it
// can first be received after the delay, rounded up to whole seconds; at most
// 15 minutes. It returns when SQS has stored it, having shared the request with
// others that wait at the same moment. FIFO queues have no delays of single
// messages. It goes on working while subscriptions drain. Where ctx ends first,
// the message may have been stored all the same.
func (s *Subscriber) SendDelayed(ctx context.Context, queueName string, msg *message.Message, delay time.Duration) error {
	if delay < 0 || delay > MaxDelay {
		return fmt.Errorf("send to queue %s: the delay is %v, SQS takes up to %v", queueName, delay, MaxDelay)
	}
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return fmt.Errorf("send to queue %s: %w", queueName, ErrClosed)
	}
	s.sending.Add(1)
	s.mu.Unlock()
	defer s.sending.Done()

	to, err := s.queues.find(ctx, queueName)
	if err != nil {
		return fmt.Errorf("send to queue %s: %w", queueName, err)
	}
	if to.fifo && delay > 0 {
		return fmt.Errorf("send to queue %s: a FIFO queue does not delay single messages", queueName)
	}
	attributes := wireForm{}.attributes(msg)
	if len(attributes) > MaxAttributes {
		return fmt.Errorf("send to queue %s: the message has %d attributes with its UUID, SQS takes %d", queueName, len(attributes), MaxAttributes)
	}
	p := &parcel{
		bytes: len(msg.Payload) + attributeBytes(attributes),
		entry: types.SendMessageBatchRequestEntry{
			MessageBody:       aws.String(string(msg.Payload)),
			MessageAttributes: attributes,
			DelaySeconds:      int32((delay + time.Second - 1) / time.Second),
		},
	}
	if err := s.post(ctx, to, p); err != nil {
		return fmt.Errorf("send to queue %s: %w", queueName, err)
	}
	return nil
}

// post has a parcel sent and waits for its fate.
func (s *Subscriber) post(ctx context.Context, to queue, p *parcel) error {
	p.fate = make(chan error, 1)
	s.sender(to).add(p)
	select {
	case err := <-p.fate:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Subscriber) sender(to queue) *batcher[*parcel] {
	s.mu.Lock()
	defer s.mu.Unlock()
	sender, ok := s.senders[to.url]
	if !ok {
		sender = &batcher[*parcel]{
			linger: sendLinger, parallel: parallelRequests,
			bytes: func(p *parcel) int { return p.bytes }, maxBytes: sendBatchBytes,
		}
		if to.fifo {
			sender.parallel = 1 // requests side by side would lose the order
		}
		sender.run = func(batch []*parcel) {
			for i, err := range sendBatch(s.sends, s.client, to.url, s.cfg.Random, batch, &s.counts) {
				batch[i].fate <- err
			}
		}
		s.senders[to.url] = sender
	}
	return sender
}

// sendBatch sends up to ten parcels and returns their fates.
func sendBatch(ctx context.Context, client *sqs.Client, url string, random func() float64, batch []*parcel, c *counts) []error {
	return inBatch(ctx, sendAttempts, random, batch, func(ctx context.Context, batch []*parcel) (answer, error) {
		in := &sqs.SendMessageBatchInput{QueueUrl: aws.String(url)}
		for i, p := range batch {
			entry := p.entry
			entry.Id = entryID(i)
			in.Entries = append(in.Entries, entry)
		}
		c.sendRequests.Add(1)
		out, err := client.SendMessageBatch(ctx, in)
		if err != nil {
			return answer{}, err
		}
		said := answer{failed: out.Failed}
		for _, ok := range out.Successful {
			said.done = append(said.done, ok.Id)
		}
		return said, nil
	})
}
