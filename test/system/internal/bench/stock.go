package bench

import (
	"context"
	"errors"

	"github.com/ThreeDotsLabs/watermill"
	wsns "github.com/ThreeDotsLabs/watermill-aws/sns"
	wsqs "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"golang.org/x/sync/errgroup"
)

// stockPublishers are the callers that publish at the same time; the publisher
// itself sends one message after the other.
const stockPublishers = 16

// publishStock publishes with watermill-aws's publisher.
func publishStock(ctx context.Context, p *publishing) (int, error) {
	prepared, err := p.prepare(ctx, 1)
	if err != nil {
		return 0, err
	}
	topics, err := wsns.NewGenerateArnTopicResolver(account, region)
	if err != nil {
		return 0, err
	}
	publisher, err := wsns.NewPublisher(wsns.PublisherConfig{AWSConfig: awsConfig(p.endpoint), TopicResolver: topics}, watermill.NewSlogLogger(logger()))
	if err != nil {
		return 0, err
	}
	if err := p.begin(); err != nil {
		return 0, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(stockPublishers)
	messages := 0
	for i, batch := range prepared {
		if _, err := p.due(ctx, i, len(prepared), 1); err != nil {
			return 0, errors.Join(err, group.Wait())
		}
		messages += len(batch)
		group.Go(func() error { return publisher.Publish(topicName, batch...) })
	}
	return messages, errors.Join(group.Wait(), publisher.Close())
}

// consumeStock consumes with watermill-aws's subscriber, a Watermill router and
// one UpdateItem a message.
func consumeStock(ctx context.Context, c *consuming) error {
	cfg := awsConfig(c.endpoint)
	database := dynamodb.NewFromConfig(cfg)
	config := wsqs.SubscriberConfig{AWSConfig: cfg, OptFns: []func(*sqs.Options){c.meter.client}}
	if c.variant.receives > 1 {
		config.GenerateReceiveMessageInput = func(ctx context.Context, url wsqs.QueueURL) (*sqs.ReceiveMessageInput, error) {
			in, err := wsqs.GenerateReceiveMessageInputDefault(ctx, url)
			if err == nil {
				in.MaxNumberOfMessages = int32(c.variant.receives)
			}
			return in, err
		}
	}
	log := watermill.NewSlogLogger(logger())
	subscriber, err := wsqs.NewSubscriber(config, log)
	if err != nil {
		return err
	}
	err = route(ctx, log, subscriber, func(msg *message.Message) error {
		e, version, err := readEvent(msg.Payload)
		if err != nil {
			return err
		}
		if _, err := database.UpdateItem(msg.Context(), e.update()); err != nil && !stale(err) {
			return err
		}
		c.meter.settle(e.Subject, version)
		return nil
	})
	return errors.Join(err, subscriber.Close())
}
