package sns

import "context"

// Queues is where SNS puts messages: the SQS side of a delivery.
type Queues interface {
	// Deliver puts one message on a queue. It returns a *wire.Error where the
	// queue refuses: a status below 500 is a client-side error (the queue is
	// gone, its policy does not let the topic in, the message is invalid) and
	// is not tried again; any other error is a server-side one and is retried,
	// as the AWS page "Amazon SNS message delivery retries" describes. Deliver
	// is called concurrently.
	Deliver(ctx context.Context, d Delivery) error
}

// Delivery is one message on its way from a topic to a queue.
type Delivery struct {
	// QueueARN names the queue: a subscription's endpoint or its dead-letter
	// queue.
	QueueARN string
	// TopicARN is the source a queue policy's aws:SourceArn condition sees.
	TopicARN string
	// Body is the SQS message body: the published message where the
	// subscription is raw, else the JSON notification.
	Body string
	// Attributes are SQS message attributes by name; only raw deliveries have
	// any.
	Attributes map[string]Attribute
	// GroupID is the MessageGroupId, empty where the publisher gave none.
	GroupID string
	// DeduplicationID is the MessageDeduplicationId, empty for a standard
	// topic and on the way to a standard queue.
	DeduplicationID string
}

// Attribute is a message attribute's value.
type Attribute struct {
	// DataType is String, String.Array, Number or Binary, perhaps with a
	// custom label after a dot.
	DataType string
	// StringValue is set for every type but Binary.
	StringValue string
	// BinaryValue is set for Binary.
	BinaryValue []byte
}
