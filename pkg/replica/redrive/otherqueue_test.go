package redrive_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Where queues share a dead-letter queue, the letters of another queue are left:
// put into this one they would be lost to the subscriber they were meant for.
func TestLettersOfAnotherQueueAreLeft(t *testing.T) {
	inRig(t, func(r *rig) {
		r.reject("retries exhausted", body(r.company(1)))
		must(r.Queues.CreateQueue(r.Context(), &sqs.CreateQueueInput{QueueName: aws.String("alerts"), Attributes: map[string]string{
			"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:stats-dlq","maxReceiveCount":2}`}}))
		if err := sqssub.NewDeadLetters(r.Queues, "stats-dlq", "alerts").Send(r.Context(), replica.DeadLetter{
			Body: []byte(body(r.company(2))), Reason: "retries exhausted", Detail: "in full"}); err != nil {
			t.Fatal(err)
		}
		main := r.main
		r.main = aws.ToString(must(r.Queues.GetQueueUrl(r.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("alerts")})).QueueUrl)
		r.moveBySQS(body(r.company(3)))
		r.main = main
		r.wantDepths("0+0", "3+0")
		result, err := r.redrive().Run(r.Context(), redrive.Selection{All: true})
		if err != nil || result.Sent != 1 || result.Refused != 2 {
			t.Errorf("result %+v, %v; want 1 put back and 2 left", result, err)
		}
		r.wantDepths("1+0", "2+0")
	})
}
