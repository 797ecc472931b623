package conformance

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// redriven makes a queue and its dead-letter queue, and has messages moved
// there.
func (p *probe) redriven(bodies ...string) (url, dead, deadARN string) {
	p.Helper()
	dead, deadARN = p.queue("dead")
	url, _ = p.queue("q", "RedrivePolicy", `{"deadLetterTargetArn":"`+deadARN+`","maxReceiveCount":1}`)
	p.send(url, bodies...)
	for len(p.takeAndReturn(url)) > 0 {
	}
	return url, dead, deadARN
}

// move starts a task and returns its handle.
func (p *probe) move(in *sqs.StartMessageMoveTaskInput) (handle *string, err error) {
	out, err := p.SQS.StartMessageMoveTask(p.ctx, in)
	if err != nil {
		return nil, err
	}
	return out.TaskHandle, nil
}

// moves are a queue's tasks, once the newest does not run any more.
func (p *probe) moves(arn string, most int32) []types.ListMessageMoveTasksResultEntry {
	p.Helper()
	for {
		out, err := p.SQS.ListMessageMoveTasks(p.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: &most})
		p.must(err)
		if len(out.Results) == 0 || aws.ToString(out.Results[0].Status) != "RUNNING" {
			return out.Results
		}
		p.pause(50 * time.Millisecond)
	}
}

// pause waits, or ends the case with its time.
func (p *probe) pause(d time.Duration) {
	p.Helper()
	select {
	case <-time.After(d):
	case <-p.ctx.Done():
		p.Fatal(p.ctx.Err())
	}
}

// moved is a task's result in a form that compares.
func moved(task types.ListMessageMoveTasksResultEntry) string {
	text := aws.ToString(task.Status) + " " + strconv.FormatInt(task.ApproximateNumberOfMessagesMoved, 10) +
		" of " + strconv.FormatInt(aws.ToInt64(task.ApproximateNumberOfMessagesToMove), 10)
	if task.TaskHandle != nil {
		text += " with a handle"
	}
	if task.DestinationArn != nil {
		text += " to a destination"
	}
	return text
}

func TestMoveTasks(t *testing.T) {
	none := map[string]difference{moto: {"has no message move tasks", `the call: no answer`}}
	check(t, messages, []behaviour{
		{
			name: "dead letters move back to the queue that they came from, as if sent anew",
			page: "StartMessageMoveTask",
			run: func(p *probe) {
				url, _, arn := p.redriven("x", "y")
				handle, err := p.move(&sqs.StartMessageMoveTaskInput{SourceArn: &arn})
				if err != nil {
					p.see("the call: %s", code(err))
					return
				}
				p.see("a handle %t", aws.ToString(handle) != "")
				for _, task := range p.moves(arn, 1) {
					p.see("%s, started in milliseconds %t", moved(task), time.Since(time.UnixMilli(task.StartedTimestamp)) < time.Minute)
				}
				got := p.collect(url, 2)
				p.see("%s", sorted(got))
				for _, m := range got {
					p.see("received %s", m.Attributes["ApproximateReceiveCount"])
				}
			},
			want: `
				a handle true
				COMPLETED 2 of 2, started in milliseconds true
				x y
				received 1
				received 1`,
			differs: none,
		},
		{
			name: "dead letters move to another queue",
			page: "StartMessageMoveTask",
			run: func(p *probe) {
				_, _, arn := p.redriven("x")
				other, otherARN := p.queue("other")
				if _, err := p.move(&sqs.StartMessageMoveTaskInput{SourceArn: &arn, DestinationArn: &otherARN, MaxNumberOfMessagesPerSecond: aws.Int32(500)}); err != nil {
					p.see("the call: %s", code(err))
					return
				}
				for _, task := range p.moves(arn, 1) {
					p.see("%s at %d a second", moved(task), aws.ToInt32(task.MaxNumberOfMessagesPerSecond))
				}
				p.see("%s", bodies(p.collect(other, 1)))
			},
			want: `
				COMPLETED 1 of 1 to a destination at 500 a second
				x`,
			differs: none,
		},
		{
			name: "one task a queue runs at a time; it is cancelled where it is, and once",
			page: "CancelMessageMoveTask",
			run: func(p *probe) {
				_, dead, arn := p.redriven("1", "2", "3")
				slow := &sqs.StartMessageMoveTaskInput{SourceArn: &arn, MaxNumberOfMessagesPerSecond: aws.Int32(1)}
				handle, err := p.move(slow)
				if err != nil {
					p.see("the call: %s", code(err))
					return
				}
				_, err = p.move(slow)
				p.see("a second one refused %t", err != nil)
				listed, err := p.SQS.ListMessageMoveTasks(p.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn})
				p.must(err)
				for _, task := range listed.Results {
					p.see("%s, its handle %t", aws.ToString(task.Status), aws.ToString(task.TaskHandle) == *handle)
				}
				out, err := p.SQS.CancelMessageMoveTask(p.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: handle})
				p.must(err)
				left := len(p.collect(dead, 3))
				p.see("moved some %t, left the others %t", out.ApproximateNumberOfMessagesMoved < 3, int64(left) == 3-out.ApproximateNumberOfMessagesMoved)
				for _, task := range p.moves(arn, 1) {
					p.see("%s, a handle %t", aws.ToString(task.Status), task.TaskHandle != nil)
				}
				_, err = p.SQS.CancelMessageMoveTask(p.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: handle})
				p.see("again refused %t", err != nil)
				_, err = p.SQS.CancelMessageMoveTask(p.ctx, &sqs.CancelMessageMoveTaskInput{TaskHandle: aws.String("made up")})
				p.see("made up %s", code(err))
			},
			want: `
				a second one refused true
				RUNNING, its handle true
				moved some true, left the others true
				CANCELLED, a handle false
				again refused true
				made up ResourceNotFoundException`,
			differs: none,
		},
		{
			name: "only dead-letter queues are moved from, to queues that are there, at up to 500 a second",
			page: "StartMessageMoveTask",
			run: func(p *probe) {
				url, _, arn := p.redriven()
				source := p.attribute(url, "QueueArn")
				start := func(what string, in *sqs.StartMessageMoveTaskInput) {
					_, err := p.move(in)
					p.see("%s: %s", what, code(err))
				}
				start("no dead-letter queue", &sqs.StartMessageMoveTaskInput{SourceArn: &source})
				start("no queue", &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(arn + "x")})
				start("to no queue", &sqs.StartMessageMoveTaskInput{SourceArn: &arn, DestinationArn: aws.String(arn + "x")})
				start("none a second", &sqs.StartMessageMoveTaskInput{SourceArn: &arn, MaxNumberOfMessagesPerSecond: aws.Int32(0)})
				start("501 a second", &sqs.StartMessageMoveTaskInput{SourceArn: &arn, MaxNumberOfMessagesPerSecond: aws.Int32(501)})
			},
			want: `
				no dead-letter queue: InvalidParameterValue
				no queue: ResourceNotFoundException
				to no queue: ResourceNotFoundException
				none a second: InvalidParameterValue
				501 a second: InvalidParameterValue`,
			differs: map[string]difference{moto: {"has no message move tasks", strings.Join([]string{
				"no dead-letter queue: no answer", "no queue: no answer", "to no queue: no answer",
				"none a second: no answer", "501 a second: no answer"}, "\n")}},
		},
		{
			name: "the newest tasks of a queue are listed, one unless more are asked for, and at most ten",
			page: "ListMessageMoveTasks",
			run: func(p *probe) {
				_, _, arn := p.redriven()
				for range 3 {
					if _, err := p.move(&sqs.StartMessageMoveTaskInput{SourceArn: &arn}); err != nil {
						p.see("the call: %s", code(err))
						return
					}
					p.moves(arn, 1)
				}
				one, err := p.SQS.ListMessageMoveTasks(p.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn})
				p.must(err)
				p.see("%d, %d", len(one.Results), len(p.moves(arn, 10)))
				for _, most := range []int32{0, 11} {
					_, err := p.SQS.ListMessageMoveTasks(p.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: &arn, MaxResults: &most})
					p.see("%d: %s", most, code(err))
				}
				_, err = p.SQS.ListMessageMoveTasks(p.ctx, &sqs.ListMessageMoveTasksInput{SourceArn: aws.String(arn + "x")})
				p.see("no queue: %s", code(err))
			},
			want: `
				1, 3
				0: InvalidParameterValue
				11: InvalidParameterValue
				no queue: ResourceNotFoundException`,
			differs: none,
		},
	})
}
