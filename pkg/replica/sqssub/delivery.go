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

type deliveryKey struct{}

// Delivered returns what is known about the delivery, from the context of a
// message that a Subscriber handed out.
func Delivered(ctx context.Context) (Delivery, bool) {
	d, ok := ctx.Value(deliveryKey{}).(Delivery)
	return d, ok
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
