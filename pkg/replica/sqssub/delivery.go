package sqssub

import (
	"context"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// Delivery is what SQS says about a message that was handed out.
type Delivery struct {
	// Queue is the queue's name.
	Queue string
	// MessageID is SQS's; duplicates and redeliveries share it.
	MessageID string
	// ReceiveCount is how often the message has been received, this time
	// included. SQS calls it approximate.
	ReceiveCount int
	// FirstEnqueued is when the message was sent to the queue, to the
	// millisecond; zero where SQS did not say.
	FirstEnqueued time.Time
	// Group is the message group, empty where there is none.
	Group string
}

// deliveryContext carries a Delivery beside the values of the subscription.
type deliveryContext struct {
	context.Context
	delivery Delivery
}

type deliveryKey struct{}

// Value implements context.Context.
func (c *deliveryContext) Value(key any) any {
	if _, ours := key.(deliveryKey); ours {
		return &c.delivery
	}
	return c.Context.Value(key)
}

// Delivered returns what is known about the delivery, from the context of a
// message that a Subscriber handed out.
func Delivered(ctx context.Context) (Delivery, bool) {
	d, ok := ctx.Value(deliveryKey{}).(*Delivery)
	if !ok {
		return Delivery{}, false
	}
	return *d, true
}

// deliveryAttributes are the system attributes asked for with every receive.
var deliveryAttributes = []types.MessageSystemAttributeName{
	types.MessageSystemAttributeNameApproximateReceiveCount,
	types.MessageSystemAttributeNameSentTimestamp,
	types.MessageSystemAttributeNameMessageGroupId,
}

func newDelivery(queueName string, raw *types.Message) Delivery {
	d := Delivery{
		Queue:     queueName,
		MessageID: aws.ToString(raw.MessageId),
		Group:     raw.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
	}
	count, err := strconv.Atoi(raw.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	if err != nil {
		count = 1
	}
	d.ReceiveCount = count
	sent, err := strconv.ParseInt(raw.Attributes[string(types.MessageSystemAttributeNameSentTimestamp)], 10, 64)
	if err == nil {
		d.FirstEnqueued = time.UnixMilli(sent)
	}
	return d
}
