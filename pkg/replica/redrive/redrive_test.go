package redrive_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Letters of each kind are told apart, nothing a letter holds keeps another from
// being listed, and all are visible afterwards.
func TestEveryKindOfLetterIsListedForWhatItIs(t *testing.T) {
	inRig(t, func(r *rig) {
		r.reject("refused by DynamoDB", body(r.company(1)))
		r.reject("refused by DynamoDB", body(r.company(2)))
		r.reject("malformed event", "{")
		r.moveBySQS(body(r.company(3)))
		// SNS could not deliver: the subscription's queue is not there.
		topic := must(r.Topics.CreateTopic(r.Context(), &sns.CreateTopicInput{Name: aws.String("company-profile-v1")}))
		gone := r.queue("gone", nil)
		must(r.Queues.SetQueueAttributes(r.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &r.dead, Attributes: map[string]string{
			"Policy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*"}]}`}}))
		must(r.Topics.Subscribe(r.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:000000000000:gone"),
			Attributes: map[string]string{"RawMessageDelivery": "true", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:stats-dlq"}`}}))
		must(r.Queues.DeleteQueue(r.Context(), &sqs.DeleteQueueInput{QueueUrl: &gone}))
		must(r.Topics.Publish(r.Context(), &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String(body(r.company(4)))}))
		// Somebody's damage: an encoding that nobody knows.
		must(r.Queues.SendMessage(r.Context(), &sqs.SendMessageInput{QueueUrl: &r.dead, MessageBody: aws.String("zzz"), MessageAttributes: map[string]types.MessageAttributeValue{
			sqssub.DeadLetterEncoding: {DataType: aws.String("String"), StringValue: aws.String("rot13")}}}))
		synctest.Wait()

		got := map[string]redrive.Letter{}
		listing, err := r.redrive().List(r.Context(), func(l redrive.Letter) error {
			got[l.Reason+"/"+l.Subject] = l
			return nil
		})
		if err != nil {
			r.Fatal(err)
		}
		r.wantDepths("0+0", "6+0")
		if listing.Letters != 6 || listing.Left != 0 || len(listing.Groups) != 5 || listing.Groups[0].Letters != 2 ||
			listing.Groups[0].Reason != "refused by DynamoDB" || listing.Groups[0].Contract != "company.profile/v1" {
			r.Errorf("listing %+v", listing)
		}
		for key, want := range map[string]redrive.Letter{
			"refused by DynamoDB/101":  {MovedBy: redrive.ByConsumer, Source: "stats", Detail: "refused by DynamoDB in full"},
			"malformed event/":         {MovedBy: redrive.ByConsumer, Source: "stats", Detail: "malformed event in full"},
			"received too often/103":   {MovedBy: redrive.BySQS, Source: "stats", ReceiveCount: 3},
			"not delivered by SNS/104": {MovedBy: redrive.BySNS},
			"unreadable letter/":       {MovedBy: redrive.ByConsumer},
		} {
			l, listed := got[key]
			if !listed || l.MovedBy != want.MovedBy || l.Source != want.Source || want.Detail != "" && l.Detail != want.Detail ||
				l.ReceiveCount != want.ReceiveCount || l.Body != nil || l.FirstSent.IsZero() {
				r.Errorf("%s: listed %v as %+v", key, listed, l)
			}
		}
		whole, err := r.redrive().Show(r.Context(), got["unreadable letter/"].ID)
		if err != nil || string(whole.Body) != "zzz" || whole.Unreadable == nil {
			r.Errorf("the unreadable letter shows as %+v, %v", whole, err)
		}
		if _, err := r.redrive().Show(r.Context(), "no-such-id"); !errors.Is(err, redrive.ErrNoLetter) {
			r.Errorf("a letter that is not there: %v", err)
		}
		r.wantDepths("0+0", "6+0")
	})
}

// What is put back is the message as it was, and gone from the dead-letter
// queue; ten share each request.
func TestARedrivePutsTheMessagesBackAsTheyWere(t *testing.T) {
	inRig(t, func(r *rig) {
		const letters = 25
		want := map[string]bool{}
		for n := range letters {
			want[body(r.company(n))] = true
			if n%2 == 0 {
				r.reject("retries exhausted", body(r.company(n)))
			} else {
				r.send(r.dead, body(r.company(n)))
			}
		}
		r.Engine.ResetRequests()
		plan, err := r.redrive().Plan(r.Context(), redrive.Selection{All: true})
		if err != nil || plan.Sent != letters || plan.Selected != letters {
			r.Fatalf("plan %+v, %v", plan, err)
		}
		r.wantDepths("0+0", "25+0")
		if got := r.requests("SendMessageBatch", "DeleteMessageBatch"); got != "SendMessageBatch 0, DeleteMessageBatch 0" {
			r.Errorf("a plan made the requests %s", got)
		}
		r.Engine.ResetRequests()
		result, err := r.redrive().Run(r.Context(), redrive.Selection{All: true})
		if err != nil || result.Sent != letters || result.Undeleted+result.Failed+result.Left != 0 {
			r.Fatalf("result %+v, %v", result, err)
		}
		r.wantDepths("25+0", "0+0")
		if got := r.requests("SendMessageBatch", "DeleteMessageBatch", "ReceiveMessage", "ChangeMessageVisibilityBatch"); got != "SendMessageBatch 3, DeleteMessageBatch 3, ReceiveMessage 4, ChangeMessageVisibilityBatch 0" {
			r.Errorf("the requests were %s", got)
		}
		for _, msg := range r.drain(r.main) {
			text := aws.ToString(msg.Body)
			if !want[text] {
				r.Errorf("put back twice, or never sent: %s", text)
			}
			delete(want, text)
			expected := attributes()
			if _, sns := msg.MessageAttributes["changed"]; !sns { // the consumer's own letter had two
				delete(expected, "changed")
			}
			if diff := cmp.Diff(expected, msg.MessageAttributes, cmpopts.IgnoreUnexported(types.MessageAttributeValue{})); diff != "" {
				r.Errorf("attributes (-sent +put back):\n%s", diff)
			}
		}
		if len(want) > 0 {
			r.Errorf("%d messages were not put back", len(want))
		}
	})
}

// Superseded is a message that would change no replica, whatever the source
// holds.
func TestOnlyWhatEveryReplicaHasOutgrownIsSuperseded(t *testing.T) {
	for name, c := range map[string]struct {
		replicas func(r *rig)
		want     redrive.Action
	}{
		"no replica yet":                      {func(*rig) {}, redrive.Send},
		"a lower version":                     {func(r *rig) { r.apply(r.change("7", "old", 5)) }, redrive.Send},
		"the same version":                    {func(r *rig) { r.apply(r.change("7", "name", 2)) }, redrive.Send},
		"a higher version":                    {func(r *rig) { r.apply(r.change("7", "new", 1)) }, redrive.Supersede},
		"a higher version, but a copy behind": {func(r *rig) { r.apply(r.change("7", "new", 1)); r.watch("ada", "7") }, redrive.Send},
		"higher versions in every copy": {func(r *rig) {
			r.watch("ada", "7")
			r.watch("bob", "7")
			r.apply(r.change("7", "new", 1))
		}, redrive.Supersede},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(r *rig) {
				c.replicas(r)
				r.reject("retries exhausted", body(r.change("7", "name", 2)))
				result, err := r.redrive().Run(r.Context(), redrive.Selection{All: true})
				if err != nil || len(result.Tallies) != 1 || result.Tallies[0].Action != c.want {
					r.Fatalf("result %+v, %v, want %s", result, err, c.want)
				}
				if c.want == redrive.Send {
					r.wantDepths("1+0", "0+0")
					return
				}
				r.wantDepths("0+0", "1+0")
				drop := r.redrive(func(cfg *redrive.Config) { cfg.DropSuperseded = true })
				if plan, err := drop.Plan(r.Context(), redrive.Selection{All: true}); err != nil || plan.Dropped != 1 {
					r.Fatalf("plan %+v, %v", plan, err)
				}
				if result, err := drop.Run(r.Context(), redrive.Selection{All: true}); err != nil || result.Superseded != 1 || result.Dropped != 1 {
					r.Fatalf("result %+v, %v", result, err)
				}
				r.wantDepths("0+0", "0+0")
			})
		})
	}
}

// A letter that the consumer would only reject again stays, with the reason.
func TestWhatWouldBeRejectedAgainIsRefused(t *testing.T) {
	inRig(t, func(r *rig) {
		ahead := r.change("9", "ahead", -24*30)
		letters := map[string]string{
			"malformed event":            "{",
			"unknown contract":           strings.Replace(body(r.company(1)), "company.profile.changed.v1", "company.profile.changed.v9", 1),
			"wrapped by SNS":             `{"Type":"Notification","TopicArn":"arn:aws:sns:us-east-1:000000000000:t","Message":"x"}`,
			"version lies in the future": body(ahead),
			"too old":                    body(r.change("8", "old", 46*24)),
		}
		want := map[string]bool{}
		for reason, text := range letters {
			want[reason] = true
			r.send(r.dead, text)
		}
		result, err := r.redrive().Run(r.Context(), redrive.Selection{All: true})
		if err != nil || result.Refused != 5 || result.Sent != 0 {
			r.Fatalf("result %+v, %v", result, err)
		}
		got := map[string]bool{}
		for _, tally := range result.Tallies {
			got[tally.Reason] = tally.Action == redrive.Refuse && tally.Advice != "" && tally.Detail != "" && tally.ID != ""
		}
		if diff := cmp.Diff(want, got); diff != "" {
			r.Errorf("refused, with advice (-want +got):\n%s", diff)
		}
		r.wantDepths("0+0", "5+0")
	})
}

// What is not selected is left, and visible.
func TestASelectionLeavesTheOthersVisible(t *testing.T) {
	for name, c := range map[string]struct {
		selection redrive.Selection
		sent      int
	}{
		"by reason":           {redrive.Selection{Reason: "b"}, 2},
		"by subject":          {redrive.Selection{Subject: "101"}, 1},
		"by contract":         {redrive.Selection{Contract: "company.profile/v1"}, 4},
		"by another contract": {redrive.Selection{Contract: "company.profile/v2"}, 0},
		"by both":             {redrive.Selection{Reason: "b", Subject: "101"}, 0},
		"everything":          {redrive.Selection{All: true}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(r *rig) {
				for n, reason := range []string{"a", "a", "b", "b"} {
					r.reject(reason, body(r.company(n)))
				}
				result, err := r.redrive().Run(r.Context(), c.selection)
				if err != nil || result.Sent != c.sent || result.Selected != c.sent {
					r.Errorf("result %+v, %v, want %d sent", result, err, c.sent)
				}
				r.wantDepths(fmt.Sprint(c.sent, "+0"), fmt.Sprint(4-c.sent, "+0"))
			})
		})
	}
	inRig(t, func(r *rig) {
		for n, reason := range []string{"b", "a", "b"} {
			r.reject(reason, body(r.company(n)))
		}
		plan, err := r.redrive().Plan(r.Context(), redrive.Selection{Reason: "A"})
		purge, purgeErr := r.redrive().PlanPurge(r.Context(), redrive.Selection{Reason: "A"})
		if err != nil || purgeErr != nil || cmp.Diff([]string{"a", "b"}, plan.OtherReasons) != "" || cmp.Diff(plan.OtherReasons, purge.OtherReasons) != "" {
			r.Errorf("plans %+v, %v; %+v, %v", plan, err, purge, purgeErr)
		}
		plan, err = r.redrive().Plan(r.Context(), redrive.Selection{Reason: "a", Subject: "nobody's"})
		if err != nil || plan.Selected != 0 || plan.OtherReasons != nil {
			r.Errorf("a reason that there is: %+v, %v", plan, err)
		}
	})
	inRig(t, func(r *rig) {
		id := r.send(r.dead, body(r.company(1)))
		r.send(r.dead, body(r.company(2)))
		result, err := r.redrive().Run(r.Context(), redrive.Selection{IDs: []string{id, "missing"}})
		if err != nil || result.Sent != 1 || cmp.Diff([]string{"missing"}, result.Missing) != "" {
			r.Errorf("result %+v, %v", result, err)
		}
		if _, err := r.redrive().Run(r.Context(), redrive.Selection{}); err == nil {
			r.Error("nothing was selected, and that was no error")
		}
		r.wantDepths("1+0", "1+0")
	})
}

// No more than the rate is put back.
func TestARedriveKeepsToItsRate(t *testing.T) {
	inRig(t, func(r *rig) {
		for n := range 100 {
			r.send(r.dead, body(r.company(n)))
		}
		begun := time.Now()
		result, err := r.redrive(func(cfg *redrive.Config) { cfg.Rate = 2 }).Run(r.Context(), redrive.Selection{All: true})
		if err != nil || result.Sent != 100 {
			r.Fatalf("result %+v, %v", result, err)
		}
		if took := time.Since(begun); took < 49*time.Second {
			r.Errorf("100 messages at 2 a second took %v", took)
		}
		r.wantDepths("100+0", "0+0")
	})
}

// Nothing is put back while the main queue is too long, but for the ten of one
// request.
func TestARedriveWaitsForALongQueue(t *testing.T) {
	inRig(t, func(r *rig) {
		const most = 40
		for n := range 100 {
			r.send(r.dead, body(r.company(n)))
		}
		for n := range 50 {
			r.send(r.main, body(r.company(200+n)))
		}
		ctx, stop := context.WithCancel(r.Context())
		var consuming sync.WaitGroup
		longest := 0
		consuming.Go(func() {
			for range time.Tick(time.Second) {
				if ctx.Err() != nil {
					return
				}
				main := must(r.Queues.ReceiveMessage(context.WithoutCancel(ctx), &sqs.ReceiveMessageInput{QueueUrl: &r.main, MaxNumberOfMessages: 1})).Messages
				for _, msg := range main {
					must(r.Queues.DeleteMessage(context.WithoutCancel(ctx), &sqs.DeleteMessageInput{QueueUrl: &r.main, ReceiptHandle: msg.ReceiptHandle}))
				}
				if depth, err := strconv.Atoi(strings.Split(r.depth(r.main), "+")[0]); err == nil && time.Since(r.start) > time.Minute {
					longest = max(longest, depth)
				}
			}
		})
		begun := time.Now()
		result, err := r.redrive(func(cfg *redrive.Config) { cfg.MaxBacklog = most }).Run(r.Context(), redrive.Selection{All: true})
		stop()
		consuming.Wait()
		if took := time.Since(begun); err != nil || result.Sent != 100 || took < 100*time.Second || longest > most+10 || longest == 0 {
			r.Errorf("%d put back in %v, the queue had up to %d messages, %v", result.Sent, took, longest, err)
		}
	})
}

func TestFIFOQueuesAreLeftToSQS(t *testing.T) {
	inRig(t, func(r *rig) {
		r.queue("letters.fifo", map[string]string{"FifoQueue": "true"})
		for _, edit := range []func(*redrive.Config){
			func(cfg *redrive.Config) { cfg.DeadLetters = "letters.fifo" },
			func(cfg *redrive.Config) { cfg.Queue = "letters.fifo" },
		} {
			if _, err := r.redrive(edit).Run(r.Context(), redrive.Selection{All: true}); !errors.Is(err, sqssub.ErrFIFO) {
				r.Errorf("a FIFO queue: %v", err)
			}
		}
	})
}

// A table that cannot be read ends the redrive before anything is judged by
// half; everything is visible afterwards.
func TestWithoutTheTablesNothingIsPutBack(t *testing.T) {
	inRig(t, func(r *rig) {
		r.send(r.dead, body(r.company(1)))
		r.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Service == localaws.DynamoDB {
				return localaws.Fault{Error: localaws.Unavailable(localaws.DynamoDB)}
			}
			return localaws.Fault{}
		})
		_, err := r.redrive().Run(r.Context(), redrive.Selection{All: true})
		if err == nil || !strings.HasPrefix(err.Error(), "try letter ") || errors.Is(err, context.Canceled) {
			r.Errorf("the error is %v", err)
		}
		r.wantDepths("0+0", "1+0")
	})
}

// What was judged before a failure is put back all the same, so that running it
// again and again comes to an end.
func TestWhatWasJudgedBeforeAFailureIsPutBack(t *testing.T) {
	inRig(t, func(r *rig) {
		for n := range 5 {
			r.send(r.dead, body(r.company(n)))
		}
		var reads atomic.Int64
		r.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Service == localaws.DynamoDB && c.Operation == "GetItem" && reads.Add(1) > 4 {
				return localaws.Fault{Error: localaws.Unavailable(localaws.DynamoDB)}
			}
			return localaws.Fault{}
		})
		result, err := r.redrive().Run(r.Context(), redrive.Selection{All: true})
		if err == nil || result.Sent != 2 { // each costs two reads
			r.Errorf("result %+v, %v, want an error and 2 sent", result, err)
		}
		r.wantDepths("2+0", "3+0")
	})
}
