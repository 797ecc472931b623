package streamletters_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/streamletters"
)

// A relay's letter is put right by a stamp on the item as it is now, and gone.
func TestARelaysLetterIsPutRightByAStamp(t *testing.T) {
	inRig(t, func(r *rig) {
		version := contracts.VersionAt(time.Now())
		r.put("1", "now", version)
		r.bury("1", contracts.Item{"cik": contracts.String("1"), "name": contracts.String("then"), "version": contracts.Number("5")})
		r.bury("1") // its images were too large
		plan, err := r.mender().Queue(r.Context(), streamletters.QueueConfig{Client: r.Queues, Queue: "relay-dlq"}, false)
		if err != nil || plan.Mended != 2 || plan.Items != 1 || r.stamp("1") != 0 {
			r.Errorf("plan %+v, %v; stamped %v", plan, err, r.stamp("1"))
		}
		r.wantLetters(2)
		if result := r.mend(2, 0, 0); result.Items != 1 {
			r.Errorf("result %+v", result)
		}
		if item := r.read("1"); r.stamp("1") <= version || item["name"].Text() != "now" || item["version"].Text() != item["stampedVersion"].Text() {
			r.Errorf("the item is %v", item)
		}
	})
}

// An item named by many letters is stamped once.
func TestAnItemInManyLettersIsStampedOnce(t *testing.T) {
	inRig(t, func(r *rig) {
		r.put("1", "one", contracts.VersionAt(time.Now()))
		r.put("2", "two", contracts.VersionAt(time.Now()))
		for i := range 200 {
			r.bury(fmt.Sprint(1 + i%2))
		}
		r.Engine.ResetRequests()
		if result := r.mend(200, 0, 0); result.Items != 2 {
			r.Errorf("result %+v", result)
		}
		for operation, want := range map[string]int64{"UpdateItem": 2, "GetItem": 4} {
			if got := r.Engine.Requests().Of(localaws.DynamoDB, operation); got != want {
				r.Errorf("%d %s requests, want %d", got, operation, want)
			}
		}
		if got := r.Engine.Requests().Of(localaws.SQS, "DeleteMessageBatch"); got != 20 {
			r.Errorf("%d DeleteMessageBatch requests, want 20", got)
		}
	})
}

// Versions that only the letter's images show are outbid too.
func TestAStampOutbidsWhatTheLetterShows(t *testing.T) {
	inRig(t, func(r *rig) {
		shown := contracts.VersionAt(time.Now().Add(time.Hour))
		image := contracts.Item{"cik": contracts.String("1"), "version": shown.Value()}
		r.bury("1") // stamped first, and once more when the other letter shows a higher version
		r.bury("1", image)
		r.mend(2, 0, 0)
		if item := r.read("1"); r.stamp("1") <= shown || !item["deleted"].Bool() {
			r.Errorf("what is gone is now %v, want a tombstone above %v", item, shown)
		}
	})
}

// Stamped, an item that violates the contract would only come back as a letter;
// it is left until its owner has mended it, and so is everything that names
// nothing of ours. The others go ahead.
func TestWhatCannotBePutRightStaysWithTheReason(t *testing.T) {
	inRig(t, func(r *rig) {
		r.put("1", "", contracts.VersionAt(time.Now()))
		r.put("2", "fine", 0)
		r.bury("1")
		r.bury("2")
		r.post("not JSON")
		r.post(`{"hello":"world"}`)
		r.post(event("orders", "1"))
		r.post(`{"dynamodb":{"Keys":{"order":{"S":"1"}}}}`)
		result := r.mend(1, 2, 3)
		reasons := map[string]int{}
		for _, tally := range result.Tallies {
			reasons[tally.Reason] = tally.Letters
			if tally.ID == "" || tally.Detail == "" || tally.Advice == "" && tally.Action != streamletters.Mend {
				r.Errorf("the tally %+v does not help", tally)
			}
		}
		for _, reason := range []string{"state violates the contract", "another table's", "names nothing of ours"} {
			if reasons[reason] != 1 {
				r.Errorf("%d letters for the reason %q", reasons[reason], reason)
			}
		}
		if reasons["unreadable letter"] != 2 || r.stamp("1") != 0 || r.stamp("2") == 0 {
			r.Errorf("reasons %v; stamped %v and %v", reasons, r.stamp("1"), r.stamp("2"))
		}
		r.put("1", "mended", contracts.VersionAt(time.Now()))
		r.mend(1, 2, 2)
		if r.stamp("1") == 0 {
			r.Error("the mended item was not stamped")
		}
	})
}

// What Lambda keeps is read in every form in which it arrives.
func TestWhatLambdaKeepsIsPutRight(t *testing.T) {
	for name, body := range map[string]func(arn, shard, first, last string) string{
		"S3, with the payload as a text": func(arn, shard, first, last string) string {
			return metadata(arn, shard, first, last, event("companies", "1", "2", "3"))
		},
		"S3, with the payload as it is": func(arn, shard, first, last string) string {
			return metadata(arn, shard, first, last, map[string]any{"Records": []any{
				map[string]any{"dynamodb": map[string]any{"Keys": map[string]any{"cik": map[string]any{"S": "1"}}}},
				map[string]any{"dynamodb": map[string]any{"Keys": map[string]any{"cik": map[string]any{"S": "2"}}}},
				map[string]any{"dynamodb": map[string]any{"Keys": map[string]any{"cik": map[string]any{"S": "3"}}}}}})
		},
		"SQS, the range":         func(arn, shard, first, last string) string { return metadata(arn, shard, first, last, nil) },
		"SNS, the range wrapped": func(arn, shard, first, last string) string { return wrapped(metadata(arn, shard, first, last, nil)) },
		"the batch itself":       func(_, _, _, _ string) string { return event("companies", "1", "2", "3") },
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(r *rig) {
				for i := range 5 {
					r.put(fmt.Sprint(i), fmt.Sprint("company ", i), contracts.VersionAt(time.Now()))
				}
				arn, shard, records := r.stream()
				text := body(arn, shard, aws.ToString(records[1].Dynamodb.SequenceNumber), aws.ToString(records[3].Dynamodb.SequenceNumber))
				r.post(text)
				if result := r.mend(1, 0, 0); result.Items != 3 {
					r.Errorf("result %+v", result)
				}
				objects := bucket{"aws/lambda/esm/shard/001": text}
				result, err := r.mender().Objects(r.Context(), objects, true)
				if err != nil || result.Mended != 1 || result.Items != 3 || len(objects) != 0 {
					r.Errorf("objects: result %+v, %v, %d left", result, err, len(objects))
				}
				for i := range 5 {
					if stamped, named := r.stamp(fmt.Sprint(i)) != 0, i >= 1 && i <= 3; stamped != named {
						r.Errorf("item %d stamped: %v", i, stamped)
					}
				}
			})
		})
	}
}

// A range that nobody but a stranger can have written is not read to its end.
func TestARangeLongerThanABatchIsRefused(t *testing.T) {
	inRig(t, func(r *rig) {
		for i := range 10_001 {
			r.put("1", fmt.Sprint("name ", i), contracts.VersionAt(time.Now()))
		}
		arn, shard, records := r.stream()
		r.post(metadata(arn, shard, aws.ToString(records[0].Dynamodb.SequenceNumber), strings.Repeat("9", 40), nil))
		result := r.mend(0, 0, 1)
		if result.Tallies[0].Reason != "no batch" || result.StreamReads == 0 || result.StreamReads > 12 || r.stamp("1") != 0 {
			r.Errorf("result %+v; stamped %v", result, r.stamp("1"))
		}
	})
}

// An object that is gone is passed over, one that is archived is refused, and
// neither keeps the others from being put right.
func TestObjectsThatCannotBeReadKeepNoneFromBeingPutRight(t *testing.T) {
	inRig(t, func(r *rig) {
		r.put("1", "one", contracts.VersionAt(time.Now()))
		objects := troubled{bucket{"aws/lambda/esm/shard/001": "gone", "aws/lambda/esm/shard/002": "archived", "aws/lambda/esm/shard/003": event("companies", "1")}}
		result, err := r.mender().Objects(r.Context(), objects, true)
		if err != nil || result.Letters != 2 || result.Mended != 1 || result.Refused != 1 || r.stamp("1") == 0 || len(objects.bucket) != 2 {
			r.Errorf("result %+v, %v; stamped %v; left %v", result, err, r.stamp("1"), objects)
		}
	})
}

// troubled is a bucket in which some objects cannot be read.
type troubled struct{ bucket }

func (b troubled) Read(ctx context.Context, name string) ([]byte, error) {
	switch text, err := b.bucket.Read(ctx, name); string(text) {
	case "gone":
		return nil, fs.ErrNotExist
	case "archived":
		return nil, streamletters.ErrArchived
	default:
		return text, err
	}
}

// A range that the stream has forgotten is refused, and nothing is stamped for
// what is left of it.
func TestARangeThatIsGoneIsRefused(t *testing.T) {
	inRig(t, func(r *rig) {
		for i := range 5 {
			r.put(fmt.Sprint(i), fmt.Sprint("company ", i), contracts.VersionAt(time.Now()))
		}
		arn, shard, records := r.stream()
		first, last := aws.ToString(records[1].Dynamodb.SequenceNumber), aws.ToString(records[3].Dynamodb.SequenceNumber)
		r.post(metadata(arn, shard, first, last, nil))
		r.post(metadata(arn, "shardId-00000000000000000000-ffffffff", first, last, nil))
		time.Sleep(25 * time.Hour)
		result := r.mend(0, 0, 2)
		if len(result.Tallies) != 1 || result.Tallies[0].Reason != "no longer in the stream" || r.stamp("2") != 0 {
			r.Errorf("result %+v", result)
		}
		if result, err := r.mender(func(c *streamletters.Config) { c.Streams = nil }).
			Queue(r.Context(), streamletters.QueueConfig{Client: r.Queues, Queue: "relay-dlq"}, true); err != nil || result.Refused != 2 {
			r.Errorf("without a stream: %+v, %v", result, err)
		}
	})
}

// Wherever it is interrupted, a letter that is gone has had all its items
// stamped, and another run ends it.
func TestInterruptedAtAnyCallNoItemIsForgotten(t *testing.T) {
	for _, drop := range []localaws.Drop{localaws.DropRequest, localaws.DropResponse} {
		for call := int64(1); ; call++ {
			interrupted := false
			t.Run(fmt.Sprint("drop ", drop, " at call ", call), func(t *testing.T) {
				inRig(t, func(r *rig) {
					for i := range 4 {
						r.put(fmt.Sprint(i), fmt.Sprint("company ", i), contracts.VersionAt(time.Now()))
					}
					arn, shard, records := r.stream()
					r.post(metadata(arn, shard, aws.ToString(records[0].Dynamodb.SequenceNumber), aws.ToString(records[2].Dynamodb.SequenceNumber), nil))
					r.bury("3")
					ctx, cancel := context.WithCancel(r.Context())
					defer cancel()
					var calls atomic.Int64
					r.Engine.SetFaults(func(localaws.Call) localaws.Fault {
						if calls.Add(1) != call {
							return localaws.Fault{}
						}
						cancel()
						return localaws.Fault{Drop: drop}
					})
					result, err := r.mender().Queue(ctx, streamletters.QueueConfig{Client: r.Queues, Queue: "relay-dlq"}, true)
					if interrupted = calls.Load() >= call; interrupted && err != nil && !errors.Is(err, context.Canceled) {
						r.Errorf("the error is %v", err)
					}
					r.Engine.SetFaults(nil)
					if result.Mended > 0 && result.Undeleted == 0 && r.stamp("3") == 0 && r.stamp("0") == 0 {
						r.Error("a letter is gone and no item was stamped")
					}
					time.Sleep(5 * time.Minute)
					if _, err := r.mender().Queue(r.Context(), streamletters.QueueConfig{Client: r.Queues, Queue: "relay-dlq"}, true); err != nil {
						r.Error(err)
					}
					r.wantLetters(0)
					for i := range 4 {
						if r.stamp(fmt.Sprint(i)) == 0 {
							r.Errorf("item %d was not stamped and its letter is gone", i)
						}
					}
				})
			})
			if !interrupted {
				break
			}
		}
	}
}

// One letter is put right by its id, and the rate holds.
func TestOneLetterByItsIDAndAtARate(t *testing.T) {
	inRig(t, func(r *rig) {
		for i := range 20 {
			r.bury(fmt.Sprint(i))
		}
		begun := time.Now()
		mender := r.mender(func(c *streamletters.Config) { c.Rate = 2 })
		if result, err := mender.Queue(r.Context(), streamletters.QueueConfig{Client: r.Queues, Queue: "relay-dlq"}, true); err != nil || result.Mended != 20 {
			r.Errorf("result %+v, %v", result, err)
		}
		if took := time.Since(begun); took < 9*time.Second {
			r.Errorf("20 items at 2 a second took %v", took)
		}
		r.bury("1")
		r.bury("2")
		result, err := r.mender().Queue(r.Context(), streamletters.QueueConfig{Client: r.Queues, Queue: "relay-dlq", IDs: []string{"unknown"}}, true)
		if err != nil || result.Letters != 0 {
			r.Errorf("result %+v, %v", result, err)
		}
		r.wantLetters(2)
	})
}
