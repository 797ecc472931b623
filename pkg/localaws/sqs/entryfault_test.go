package sqs_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// A batch whose request succeeds may have entries that failed, each with
// AWS's reason and no fault of the sender's, while its neighbours took effect.
func TestSingleEntriesOfBatchesFail(t *testing.T) {
	refused := ""
	withConfig(t, localaws.Config{SQSEntryFault: func(operation, id string) error {
		if strings.HasPrefix(operation, refused) && id == "1" {
			return localaws.Unavailable(localaws.SQS)
		}
		return nil
	}}, func(b *bench) {
		url := b.queue("q", nil)
		check := func(done int, failed []types.BatchResultErrorEntry, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			if done != 2 || len(failed) != 1 {
				t.Fatalf("%d entries succeeded, failed are %v", done, failed)
			}
			if f := failed[0]; aws.ToString(f.Id) != "1" || f.SenderFault || aws.ToString(f.Code) == "" {
				t.Errorf("the failure is %+v", f)
			}
		}
		refused = "Send"
		sent, err := b.client.SendMessageBatch(b.ctx, &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []types.SendMessageBatchRequestEntry{
			{Id: aws.String("0"), MessageBody: aws.String("a")}, {Id: aws.String("1"), MessageBody: aws.String("b")}, {Id: aws.String("2"), MessageBody: aws.String("c")},
		}})
		check(len(sent.Successful), sent.Failed, err)
		refused = "none"
		if _, err := b.client.SendMessage(b.ctx, &sqs.SendMessageInput{QueueUrl: url, MessageBody: aws.String("b")}); err != nil {
			t.Fatal(err)
		}
		received, err := b.client.ReceiveMessage(b.ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10})
		if err != nil || len(received.Messages) != 3 {
			t.Fatalf("received %v, %v; want a, b and c once each", received, err)
		}
		ids := []string{"0", "1", "2"}
		var visibilities []types.ChangeMessageVisibilityBatchRequestEntry
		var deletes []types.DeleteMessageBatchRequestEntry
		for i, m := range received.Messages {
			visibilities = append(visibilities, types.ChangeMessageVisibilityBatchRequestEntry{Id: &ids[i], ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 5})
			deletes = append(deletes, types.DeleteMessageBatchRequestEntry{Id: &ids[i], ReceiptHandle: m.ReceiptHandle})
		}
		refused = "Change"
		changed, err := b.client.ChangeMessageVisibilityBatch(b.ctx, &sqs.ChangeMessageVisibilityBatchInput{QueueUrl: url, Entries: visibilities})
		check(len(changed.Successful), changed.Failed, err)
		refused = "Delete"
		deleted, err := b.client.DeleteMessageBatch(b.ctx, &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: deletes})
		check(len(deleted.Successful), deleted.Failed, err)
		left, err := b.client.ReceiveMessage(b.ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20})
		if err != nil || len(left.Messages) != 0 {
			t.Fatalf("before the visibility timeout, left are %v, %v", left, err)
		}
		left, err = b.client.ReceiveMessage(b.ctx, &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20})
		if err != nil || len(left.Messages) != 1 || aws.ToString(left.Messages[0].MessageId) != aws.ToString(received.Messages[1].MessageId) {
			t.Fatalf("left are %v, %v; want the message that was not deleted", left, err)
		}
	})
}
