package localaws

import (
	"context"

	"github.com/tributary-dev/tributary/pkg/localaws/sns"
	"github.com/tributary-dev/tributary/pkg/localaws/sqs"
)

// subscribedQueues is SNS's way to the queues.
type subscribedQueues struct{ queues *sqs.Service }

// Deliver implements sns.Queues. The queue's policy decides.
func (q subscribedQueues) Deliver(ctx context.Context, d sns.Delivery) error {
	attributes := make(map[string]sqs.Attribute, len(d.Attributes))
	for name, attribute := range d.Attributes {
		attributes[name] = sqs.Attribute(attribute)
	}
	return q.queues.Deliver(ctx, sqs.Delivery{
		QueueARN: d.QueueARN, Service: "sns.amazonaws.com", SourceARN: d.TopicARN,
		Body: d.Body, Attributes: attributes,
		GroupID: d.GroupID, DeduplicationID: d.DeduplicationID,
	})
}
