package redrive_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// giveUp is a consumer that gives every message up as soon as it comes, until
// ctx ends. Where bySQS is true it lets SQS move it.
func (r *rig) giveUp(ctx context.Context, bySQS bool) (wait func()) {
	letters := sqssub.NewDeadLetters(r.Queues, "stats-dlq", "stats")
	var consuming sync.WaitGroup
	consuming.Go(func() {
		for ctx.Err() == nil {
			out, err := r.Queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &r.main, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
			if err != nil {
				continue // the end of ctx
			}
			for _, msg := range out.Messages {
				if bySQS {
					_, err = r.Queues.ChangeMessageVisibility(context.WithoutCancel(ctx), &sqs.ChangeMessageVisibilityInput{QueueUrl: &r.main, ReceiptHandle: msg.ReceiptHandle})
				} else if err = letters.Send(context.WithoutCancel(ctx), replica.DeadLetter{Body: []byte(aws.ToString(msg.Body)), Reason: "bug in the handler"}); err == nil {
					_, err = r.Queues.DeleteMessage(context.WithoutCancel(ctx), &sqs.DeleteMessageInput{QueueUrl: &r.main, ReceiptHandle: msg.ReceiptHandle})
				}
				if err != nil {
					r.Error(err)
				}
			}
		}
	})
	return consuming.Wait
}

// A consumer that gives up at once what is put back does not keep a redrive
// busy for ever: each message is put back once, and what came back is said.
func TestWhatComesBackIsNotPutBackAgain(t *testing.T) {
	const letters = 30
	for _, bySQS := range []bool{false, true} {
		t.Run(map[bool]string{false: "by the consumer", true: "by SQS"}[bySQS], func(t *testing.T) {
			inRig(t, func(r *rig) {
				for n := range letters {
					r.reject("retries exhausted", body(r.company(n)))
				}
				r.reject("retries exhausted", body(r.company(0))) // an equal one from before is put back too
				time.Sleep(time.Minute)
				ctx, stop := context.WithCancel(r.Context())
				wait := r.giveUp(ctx, bySQS)
				result, err := r.redrive(func(cfg *redrive.Config) { cfg.Rate = 2 }).Run(r.Context(), redrive.Selection{All: true})
				stop()
				wait()
				if err != nil || result.Sent != letters+1 || result.Returned == 0 || result.Returned > letters+1 {
					r.Errorf("%d put back, %d came back, %v", result.Sent, result.Returned, err)
				}
				told := false
				for _, tally := range result.Tallies {
					told = told || tally.Action == redrive.Returned && tally.Advice != "" && tally.Letters == result.Returned
				}
				if !told {
					r.Errorf("the tallies do not say it: %+v", result.Tallies)
				}
				time.Sleep(time.Minute)
				r.found(letters)
			})
		})
	}
}

// Two operators at once share the letters: each is put back by one of them.
func TestTwoRedrivesAtOncePutEachLetterBackOnce(t *testing.T) {
	const letters = 200
	inRig(t, func(r *rig) {
		for n := range letters {
			r.send(r.dead, body(r.company(n)))
		}
		var both sync.WaitGroup
		var sent [2]int
		for i := range sent {
			both.Go(func() {
				result, err := r.redrive(func(cfg *redrive.Config) { cfg.Rate = 50 }).Run(r.Context(), redrive.Selection{All: true})
				if sent[i] = result.Sent; err != nil {
					r.Error(err)
				}
			})
		}
		both.Wait()
		if sent[0]+sent[1] != letters || sent[0] == 0 || sent[1] == 0 {
			r.Errorf("they put back %v, want %d in all and some each", sent, letters)
		}
		r.wantDepths(fmt.Sprint(letters, "+0"), "0+0")
	})
}

// A letter that the main queue does not take costs the others nothing, wherever
// in the batch it is, and stays.
func TestALetterThatIsTooLargeStaysAndTheOthersGo(t *testing.T) {
	inRig(t, func(r *rig) {
		for n := range 25 {
			change := r.company(n)
			if n == 0 || n == 13 {
				change = r.change(fmt.Sprint(100+n), strings.Repeat("x", 100<<10), 2) // the letter has it compressed
			}
			r.reject("retries exhausted", body(change))
		}
		// The whole request is refused, not the entry.
		r.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "SendMessageBatch" && strings.Contains(string(c.Body), "xxxx") {
				return localaws.Fault{Error: &wire.Error{Code: "AWS.SimpleQueueService.BatchRequestTooLong", Message: "too long", Status: http.StatusBadRequest}}
			}
			return localaws.Fault{}
		})
		result, err := r.redrive(func(cfg *redrive.Config) { cfg.DryRun = nil }).Run(r.Context(), redrive.Selection{All: true})
		if err != nil || result.Sent != 23 || result.Failed != 2 || result.Problem == nil {
			r.Errorf("result %+v, %v; want 23 put back and 2 left", result, err)
		}
		r.wantDepths("23+0", "2+0")
	})
}

// Ten thousand letters cost a request for ten of them at each step.
func TestWhatTenThousandLettersCost(t *testing.T) {
	const letters = 10_000
	inRig(t, func(r *rig) {
		for n := range letters {
			r.send(r.dead, body(r.company(n)))
		}
		r.Engine.ResetRequests()
		result, err := r.redrive(func(cfg *redrive.Config) { cfg.DryRun = nil }).Run(r.Context(), redrive.Selection{All: true})
		if err != nil || result.Sent != letters {
			r.Fatalf("result %+v, %v", result, err)
		}
		r.wantDepths(fmt.Sprint(letters, "+0"), "0+0")
		if got, want := r.requests("ReceiveMessage", "SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"),
			"ReceiveMessage 1001, SendMessageBatch 1000, DeleteMessageBatch 1000, ChangeMessageVisibilityBatch 0"; got != want {
			r.Errorf("the requests were %s, want %s", got, want)
		}
	})
}

// Attributes that no message can have, as somebody else may have written them,
// keep that letter from being put back and no other.
func TestHostileAttributesCostTheOthersNothing(t *testing.T) {
	inRig(t, func(r *rig) {
		hostile := map[string]string{
			"eleven of them":  `{"a0":{"type":"String","text":"x"},"a1":{"type":"String","text":"x"},"a2":{"type":"String","text":"x"},"a3":{"type":"String","text":"x"},"a4":{"type":"String","text":"x"},"a5":{"type":"String","text":"x"},"a6":{"type":"String","text":"x"},"a7":{"type":"String","text":"x"},"a8":{"type":"String","text":"x"},"a9":{"type":"String","text":"x"},"b0":{"type":"String","text":"x"}}`,
			"no type":         `{"a":{"text":"x"}}`,
			"no value":        `{"a":{"type":"String"}}`,
			"an unknown type": `{"a":{"type":"Rope","text":"x"}}`,
			"a reserved name": `{"AWS.evil":{"type":"String","text":"x"}}`,
		}
		n := 0
		for name, rest := range hostile {
			letter := letterOf(body(r.change(fmt.Sprint(500+n), name, 2)), "retries exhausted", "", rest)
			must(r.Queues.SendMessage(r.Context(), &sqs.SendMessageInput{QueueUrl: &r.dead, MessageBody: letter.Body, MessageAttributes: letter.MessageAttributes}))
			n++
			r.reject("retries exhausted", body(r.company(n)))
		}
		result, err := r.redrive().Run(r.Context(), redrive.Selection{All: true})
		if err != nil || result.Sent != n || result.Failed != len(hostile) || result.Problem == nil {
			r.Errorf("result %+v, %v; want %d put back and %d not taken", result, err, n, len(hostile))
		}
		r.wantDepths(fmt.Sprint(n, "+0"), fmt.Sprint(len(hostile), "+0"))
	})
}
