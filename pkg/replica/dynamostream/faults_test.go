package dynamostream_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

// on makes every call of an operation end with a fault.
func on(operation string, fault localaws.Fault) localaws.Faults {
	return func(c localaws.Call) localaws.Fault {
		if c.Operation == operation && c.Service != localaws.SNS {
			return fault
		}
		return localaws.Fault{}
	}
}

// Whatever AWS answers for ten minutes, the poller asks with patience, says so,
// and goes on where it was as soon as the answers are right again.
func TestThePollerOutlivesAWSsFaults(t *testing.T) {
	notFound := &wire.Error{Code: "ResourceNotFoundException", Message: "Requested resource not found: Shard does not exist"}
	for name, c := range map[string]struct {
		faults  localaws.Faults
		minutes int
		most    int64 // requests of all kinds a minute
	}{
		"GetRecords throttled":            {on("GetRecords", localaws.Fault{Error: localaws.Throttled(localaws.Streams)}), 10, 60},
		"GetRecords out of order":         {on("GetRecords", localaws.Fault{Error: localaws.Unavailable(localaws.Streams)}), 10, 60},
		"GetRecords not answered":         {on("GetRecords", localaws.Fault{DelayBefore: time.Hour}), 10, 20},
		"GetRecords cut off":              {on("GetRecords", localaws.Fault{Drop: localaws.DropResponse}), 10, 60},
		"GetRecords always expired":       {on("GetRecords", localaws.Fault{Error: wire.Errorf("ExpiredIteratorException", "expired")}), 10, 60},
		"GetRecords always trimmed":       {on("GetRecords", localaws.Fault{Error: wire.Errorf("TrimmedDataAccessException", "trimmed")}), 10, 60},
		"GetRecords refused":              {on("GetRecords", localaws.Fault{Error: wire.Errorf("ValidationException", "Invalid ShardIterator")}), 10, 60},
		"GetRecords not found for long":   {on("GetRecords", localaws.Fault{Error: notFound}), 4, 60},
		"GetShardIterator not authorized": {on("GetShardIterator", localaws.Fault{Error: wire.Errorf("AccessDeniedException", "not authorized")}), 10, 60},
		"DescribeStream throttled":        {on("DescribeStream", localaws.Fault{Error: localaws.Throttled(localaws.Streams)}), 10, 60},
		"ListStreams not answered":        {on("ListStreams", localaws.Fault{DelayBefore: time.Hour}), 10, 20},
		"checkpoints not read":            {on("GetItem", localaws.Fault{Error: localaws.Throttled(localaws.DynamoDB)}), 10, 80},
		"checkpoints not answered":        {on("GetItem", localaws.Fault{DelayBefore: time.Hour}), 10, 20},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
				r.put("a", "b")
				r.engine.SetFaults(c.faults)
				before := r.engine.Requests().Total()
				p := r.start()
				time.Sleep(time.Duration(c.minutes) * time.Minute) // virtual
				if n := r.engine.Requests().Total() - before; n > c.most*int64(c.minutes) || n < 5 {
					t.Errorf("%d requests in %d minutes, want at most %d a minute", n, c.minutes, c.most)
				}
				if len(r.logs.with("trying again"))+len(r.logs.with("lost unread")) == 0 {
					t.Errorf("logged %q", r.logs.lines)
				}
				r.put("a", "b")
				r.engine.SetFaults(nil)
				time.Sleep(45 * time.Second) // virtual
				r.wantAll()
				p.stop()
				r.wantOnce()
			})
		})
	}
}

// While checkpoints cannot be kept, records are handled all the same, and a
// shard that ends is not forgotten: its end is kept once that works again.
func TestCheckpointsThatAreNotKeptHoldNothingUp(t *testing.T) {
	for name, fault := range map[string]localaws.Fault{
		"throttled":    {Error: localaws.Throttled(localaws.DynamoDB)},
		"out of order": {Error: localaws.Unavailable(localaws.DynamoDB)},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
				r.engine.SetFaults(on("UpdateItem", fault))
				p := r.start()
				for i := range 120 {
					if i == 60 {
						r.split()
					}
					r.put("a", "b")
					time.Sleep(time.Second) // virtual
				}
				time.Sleep(30 * time.Second) // virtual
				r.wantAll()
				if n := r.engine.Requests().Of(localaws.DynamoDB, "UpdateItem"); n > 300 {
					t.Errorf("%d attempts to keep 3 places in 150 s", n)
				}
				r.engine.SetFaults(nil)
				time.Sleep(time.Minute) // virtual
				if place := r.place(); !place.Finished {
					t.Errorf("the ended shard's place is %v", place)
				}
				p.stop()
				p = r.start()
				time.Sleep(10 * time.Second) // virtual
				p.stop()
				r.wantOnce()
			})
		})
	}
}

func TestAMissingCheckpointTableIsNamed(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		_, err := r.db.DeleteTable(r.t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String(places)})
		r.must(err)
		time.Sleep(time.Minute) // virtual
		r.put("a")
		p := r.start()
		time.Sleep(time.Minute) // virtual
		if len(r.logs.with("ERROR", "there is no table places")) == 0 {
			t.Errorf("logged %q", r.logs.lines)
		}
		r.create(places, "id", nil)
		time.Sleep(10 * time.Second) // virtual
		p.stop()
		r.wantAll()
	})
}

// A relay that blocks for longer than an iterator lives.
func TestABlockedRelayOutlivesItsIterator(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		blocked := true
		r.relay.takes = func() time.Duration {
			if blocked {
				blocked = false
				return 20 * time.Minute
			}
			return 0
		}
		r.put("a", "b")
		p := r.start()
		time.Sleep(time.Minute) // virtual
		r.put("a", "b")
		time.Sleep(21 * time.Minute) // virtual
		p.stop()
		r.wantAll()
		r.wantOnce()
		if len(r.logs.with("WARN", "ExpiredIterator")) != 1 {
			t.Errorf("logged %q", r.logs.lines)
		}
	})
}

// More than a day of downtime loses records. That is said, by the shard whose
// place is gone and by the stream, and what is left is read.
func TestADowntimeOfMoreThanADayIsSaidAndSurvived(t *testing.T) {
	for name, rotate := range map[string]bool{"in one long shard": false, "through shards that came and went": true} {
		t.Run(name, func(t *testing.T) {
			inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
				r.put("a")
				p := r.start()
				time.Sleep(time.Minute) // virtual
				p.stop()
				r.put("lost")
				for range 10 {
					time.Sleep(3 * time.Hour) // virtual
					if rotate {
						r.must(r.engine.DynamoDB().RotateShards(things))
					}
				}
				r.put("left")
				p = r.start()
				time.Sleep(time.Minute) // virtual
				r.put("left")
				time.Sleep(time.Minute) // virtual
				p.stop()
				for _, record := range []string{"a/1", "left/1", "left/2"} {
					if r.relay.times(record) != 1 {
						t.Errorf("%s was handled %d times", record, r.relay.times(record))
					}
				}
				if lines := r.logs.with("ERROR", "not followed", "backfill"); len(lines) != 1 {
					t.Errorf("said %d times that the stream was not followed", len(lines))
				}
				if lines := r.logs.with("ERROR", "older than 24 hours are gone"); !rotate && len(lines) != 1 {
					t.Errorf("said %d times that the shard was trimmed", len(lines))
				}
				before := len(r.logs.lines)
				p = r.start()
				time.Sleep(time.Minute) // virtual
				p.stop()
				if len(r.logs.lines) != before {
					t.Errorf("the next start repeats the alarm: %q", r.logs.lines[before:])
				}
			})
		})
	}
}

// A shard that vanishes while it is read counts as gone only once the stream
// does not list it any more; what comes after it is read.
func TestAShardThatVanishesIsSaidToBeGone(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		r.relay.fail, r.relay.giveUp = func(string, int) error { return errRelay }, errRelay
		for i := range 30 {
			r.put(fmt.Sprint("key ", i))
		}
		p := r.start(func(c *dynamostream.PollerConfig) {
			c.MaxHeldRecords, c.MaxBatchRecords, c.GiveUpAge = 5, 5, 23*time.Hour+59*time.Minute
			c.IdleWait, c.DiscoverEvery, c.MaxRetryWait = time.Minute, 2*time.Minute, 10*time.Minute
		})
		time.Sleep(time.Minute) // virtual
		r.split()
		time.Sleep(26 * time.Hour) // virtual
		r.put("left")
		r.relay.mu.Lock()
		r.relay.giveUp, r.relay.fail = nil, nil
		r.relay.mu.Unlock()
		time.Sleep(20 * time.Minute) // virtual
		p.stop()
		if len(r.logs.with("ERROR", "the shard is gone")) != 1 {
			t.Errorf("logged %q", r.logs.lines)
		}
		if r.relay.times("left/1") != 1 {
			t.Error("the vanished shard's children were not read")
		}
	})
}
