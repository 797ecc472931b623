package backfill_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// Whatever the owner and everybody else write meanwhile, and however often the
// backfill is killed and resumed, restarted or run twice: the subscriber that
// is new or was away ends with what the source holds, and the other one has received not one
// message of it.
func TestABackfillAmongLiveChangesConverges(t *testing.T) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inRig(t, localaws.Config{Seed: seed + 1, Shuffle: true}, func(r *rig) {
				w := &writers{rig: r, rng: rand.New(rand.NewPCG(seed, 1))}
				r.startRelay()
				r.subscribe("early", "")
				r.consume("early")
				if seed%2 == 1 { // it is not new, but was away for most of the time
					arn := r.subscribe("stats", "")
					r.consume("stats")
					w.write(100, time.Second)
					time.Sleep(time.Minute) // virtual
					r.filter(arn, nobody)
					w.write(80, time.Second)
					r.filter(arn, subscriberManifest("stats").Subscribes[0].FilterPolicy("stats"))
				} else {
					w.write(150, time.Second)
					r.subscribe("stats", "")
					r.consume("stats")
				}
				var writing sync.WaitGroup
				writing.Go(func() { w.write(60, 600*time.Millisecond) })
				r.untilFinished(rand.New(rand.NewPCG(seed, 2)))
				writing.Wait()
				time.Sleep(5 * time.Minute) // virtual
				r.agree("stats")
				r.agree("early")
				if n := r.got("early", "upsert", "backfill") + r.got("early", "delete", "backfill") + r.got("early", "canary", "backfill"); n != 0 {
					r.Errorf("the other subscriber received %d messages", n)
				}
				if r.got("stats", "upsert", "backfill") == 0 {
					r.Error("nothing came by the backfill")
				}
			})
		})
	}
}

// untilFinished runs backfills, one or two at a time, that are killed after some
// calls, until one is through.
func (r *rig) untilFinished(rng *rand.Rand) {
	for {
		var processes sync.WaitGroup
		finished := make([]bool, 1+rng.IntN(2))
		for i := range finished {
			calls, effect := 5+rng.IntN(60), rng.IntN(2) == 0
			restart, rate := rng.IntN(4) == 0, []float64{0, 20}[rng.IntN(2)]
			processes.Go(func() {
				_, err := r.runUntilKilled(calls, effect, func(c *backfill.Config) {
					c.Restart, c.Rate, c.PageItems, c.Segments = restart, rate, 10, 1+calls%3
				})
				if finished[i] = err == nil; !finished[i] && !errors.Is(err, errKilled) && !errors.Is(err, dynamostore.ErrSuperseded) {
					r.Error(err)
				}
			})
		}
		processes.Wait()
		for _, is := range finished {
			if is {
				return
			}
		}
	}
}

// writers are the owner's repository and those who write past it. Every write
// gives the item another name.
type writers struct {
	*rig
	rng   *rand.Rand
	names int
}

const writtenCompanies = 60

// write makes so many writes, with pauses of twice the mean at most.
func (w *writers) write(n int, mean time.Duration) {
	for range n {
		time.Sleep(time.Duration(w.rng.Int64N(int64(2 * mean)))) // virtual
		w.one(w.rng.IntN(writtenCompanies))
	}
}

func (w *writers) one(cik int) {
	w.names++
	item := company(cik, fmt.Sprint("Name ", w.names), 0)
	old, err := dynamostore.NewSource(w.DB, "companies").Read(w.Context(), contracts.Item{"cik": item["cik"]})
	if err != nil {
		w.Error(err)
		return
	}
	switch w.rng.IntN(10) {
	default:
		w.own(item, old)
	case 4: // the owner deletes
		delete(item, "name")
		delete(item, "sector")
		item["deleted"], item["expiresAt"] = contracts.Bool(true), replica.SourceTombstoneExpiry(time.Now(), contracts.VersionAt(time.Now()))
		w.own(item, old)
	case 5: // a script knows nothing of versions
		w.put(item)
	case 6: // a console keeps what it found
		if v, ok := old["version"]; ok {
			item["version"] = v
		}
		w.put(item)
	case 7: // a restore
		item["version"] = contracts.VersionAt(time.Now().Add(-time.Hour)).Value()
		w.put(item)
	case 8: // a script makes it another contract's
		item["kind"] = contracts.String("person")
		w.put(item)
	case 9:
		_, err := w.DB.DeleteItem(w.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("companies"), Key: dynamostore.ToAttributes(contracts.Item{"cik": item["cik"]})})
		if err != nil {
			w.Error(err)
		}
	}
}

// own is a write of the owner's repository, on condition of the version it read.
func (w *writers) own(item, old contracts.Item) {
	next, err := contracts.Next(time.Now(), contracts.VersionOf(old["version"], time.Now().Add(contracts.MaxAhead)))
	if err != nil {
		w.Error(err)
		return
	}
	item = maps.Clone(item)
	item["version"] = next.Value()
	in := &dynamodb.PutItemInput{TableName: aws.String("companies"), Item: dynamostore.ToAttributes(item),
		ExpressionAttributeNames: map[string]string{"#v": "version"}, ConditionExpression: aws.String("attribute_not_exists(#v)")}
	if v, ok := old["version"]; ok {
		in.ConditionExpression = aws.String("#v = :v")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":v": dynamostore.ToAttribute(v)}
	}
	_, err = w.DB.PutItem(w.Context(), in)
	if _, lost := errors.AsType[*types.ConditionalCheckFailedException](err); err != nil && !lost {
		w.Error(err)
	}
}
