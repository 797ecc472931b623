package status

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
)

// depth reads how many messages a queue holds. It receives none.
func (l *look) depth(ctx context.Context, queue string) Cell[Depth] {
	found, err := l.Clients.SQS.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queue)})
	if err == nil {
		var out *sqs.GetQueueAttributesOutput
		out, err = l.Clients.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: found.QueueUrl, AttributeNames: []types.QueueAttributeName{
			types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
			types.QueueAttributeNameApproximateNumberOfMessagesDelayed,
		}})
		if err == nil {
			return l.counted(queue, out.Attributes)
		}
	}
	if _, missing := errors.AsType[*types.QueueDoesNotExist](err); missing {
		return Cell[Depth]{Missing: true}
	}
	return failed[Depth](l, connect.SQS, "queue "+queue, err)
}

func (l *look) counted(queue string, attributes map[string]string) Cell[Depth] {
	var d Depth
	for name, into := range map[types.QueueAttributeName]*int{
		types.QueueAttributeNameApproximateNumberOfMessages:           &d.Waiting,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible: &d.InFlight,
		types.QueueAttributeNameApproximateNumberOfMessagesDelayed:    &d.Delayed,
	} {
		n, err := strconv.Atoi(attributes[string(name)])
		if err != nil {
			return unread[Depth](l, fmt.Sprintf("SQS: queue %s: %s is %q, no number", queue, name, attributes[string(name)]))
		}
		*into = n
	}
	return known(d)
}
