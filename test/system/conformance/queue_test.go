package conformance

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queue makes a queue with attributes, as name and value in turn. One whose
// name ends in .fifo is a FIFO queue.
func (p *probe) queue(suffix string, attributes ...string) (url, arn string) {
	p.Helper()
	given := make(map[string]string)
	for pair := range slices.Chunk(attributes, 2) {
		given[pair[0]] = pair[1]
	}
	if strings.HasSuffix(suffix, ".fifo") {
		given["FifoQueue"] = "true"
	}
	out, err := p.SQS.CreateQueue(p.ctx, &sqs.CreateQueueInput{QueueName: aws.String(p.named(suffix)), Attributes: given})
	p.must(err)
	return *out.QueueUrl, p.attribute(*out.QueueUrl, types.QueueAttributeNameQueueArn)
}

// attribute is a queue's attribute.
func (p *probe) attribute(url string, name types.QueueAttributeName) string {
	p.Helper()
	out, err := p.SQS.GetQueueAttributes(p.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{name}})
	p.must(err)
	return out.Attributes[string(name)]
}

func (p *probe) send(url string, bodies ...string) {
	p.Helper()
	for _, body := range bodies {
		_, err := p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
		p.must(err)
	}
}

// sendGroup sends to a FIFO queue. Each message's body deduplicates it.
func (p *probe) sendGroup(url, group string, bodies ...string) {
	p.Helper()
	for _, body := range bodies {
		_, err := p.SQS.SendMessage(p.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: &body})
		p.must(err)
	}
}

// receive takes up to ten messages, hiding them for seconds and waiting up to
// wait seconds for the first.
func (p *probe) receive(url string, hidden, wait int32) []types.Message {
	p.Helper()
	out, err := p.SQS.ReceiveMessage(p.ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: hidden, WaitTimeSeconds: wait,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	p.must(err)
	return out.Messages
}

// takeAndReturn receives messages and makes them visible again at once. (The SDK
// leaves a visibility timeout of 0 out of a receive.)
func (p *probe) takeAndReturn(url string) []types.Message {
	p.Helper()
	got := p.receive(url, 30, 1)
	for _, m := range got {
		_, err := p.SQS.ChangeMessageVisibility(p.ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
		p.must(err)
	}
	return got
}

// collect receives messages until there are as many as wanted, or none for two
// seconds, and deletes them.
func (p *probe) collect(url string, wanted int) []types.Message {
	p.Helper()
	var all []types.Message
	for len(all) < wanted {
		got := p.receive(url, 30, 2)
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			_, err := p.SQS.DeleteMessage(p.ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
			p.must(err)
		}
		all = append(all, got...)
	}
	return all
}

// bodies are messages' bodies in the order of receipt.
func bodies(messages []types.Message) string {
	parts := make([]string, len(messages))
	for i, m := range messages {
		parts[i] = aws.ToString(m.Body)
	}
	return strings.Join(parts, " ")
}

// sorted are messages' bodies in alphabetical order: a standard queue has none
// of its own.
func sorted(messages []types.Message) string {
	parts := strings.Fields(bodies(messages))
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// failed are a batch's failed entries by id.
func failed(entries []types.BatchResultErrorEntry) string {
	parts := make([]string, len(entries))
	for i, e := range entries {
		parts[i] = aws.ToString(e.Id) + " " + aws.ToString(e.Code) + " sender " + strconv.FormatBool(e.SenderFault)
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// digest is the MD5 of message attributes, after the page Amazon SQS message
// metadata.
func digest(attributes map[string]types.MessageAttributeValue) string {
	sum := md5.New()
	length := func(p []byte) {
		sum.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
		sum.Write(p)
	}
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		a := attributes[name]
		length([]byte(name))
		length([]byte(*a.DataType))
		if a.StringValue != nil {
			sum.Write([]byte{1})
			length([]byte(*a.StringValue))
		} else {
			sum.Write([]byte{2})
			length(a.BinaryValue)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}
