package dynamostream_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

func TestAnIdleShardIsReadFourTimesASecond(t *testing.T) {
	for _, shards := range []int{1, 2, 5} {
		t.Run(fmt.Sprint(shards, " shards"), func(t *testing.T) {
			inRig(t, localaws.Config{StreamShards: shards}, func(r *rig) {
				p := r.start()
				time.Sleep(time.Minute) // virtual
				before := r.engine.Requests()
				time.Sleep(5 * time.Minute) // virtual
				since := r.engine.Requests().Since(before)
				p.stop()
				want := int64(5 * 60 * 4 * shards)
				if n := since.Of(localaws.Streams, "GetRecords"); n > want+int64(shards) || n < want*9/10 {
					t.Errorf("%d GetRecords in 5 idle minutes, want about %d", n, want)
				}
				if n := since.Of(localaws.Streams, "GetShardIterator"); n != 0 {
					t.Errorf("%d iterators for shards that are read all the time", n)
				}
				if n := since.Of(localaws.Streams, "DescribeStream"); n > 31 {
					t.Errorf("%d DescribeStream in 5 minutes, want one in 10 s", n)
				}
				if n := since.Total(localaws.DynamoDB); n > 6 {
					t.Errorf("%d requests to the checkpoints of an idle table in 5 minutes, want one a minute", n)
				}
			})
		})
	}
}

func TestABusyShardIsReadPageAfterPage(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1, Latency: 10 * time.Millisecond}, func(r *rig) {
		for range 100 {
			r.put("a", "b", "c", "d", "e")
		}
		before := r.engine.Requests()
		began := time.Now()
		p := r.start(func(c *dynamostream.PollerConfig) { c.MaxBatchRecords = 10 })
		for r.relay.times("e/100") == 0 && time.Since(began) < time.Minute {
			time.Sleep(10 * time.Millisecond) // virtual
		}
		took := time.Since(began)
		since := r.engine.Requests().Since(before)
		p.stop()
		r.wantAll()
		r.wantOnce()
		// 50 pages of 10 ms each, and at most two checkpoints a second.
		if took > 700*time.Millisecond {
			t.Errorf("50 pages took %s", took)
		}
		if n := since.Of(localaws.Streams, "GetRecords"); n > 52 {
			t.Errorf("%d GetRecords for 50 pages", n)
		}
		if n := since.Of(localaws.DynamoDB, "UpdateItem"); n > 3 {
			t.Errorf("%d checkpoints within %s", n, took)
		}
	})
}

// A steady trickle keeps the place once a second, not once a record.
func TestAMovingPlaceIsKeptOnceASecond(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		p := r.start()
		time.Sleep(time.Second) // virtual
		before := r.engine.Requests()
		for range 600 {
			r.put("a")
			time.Sleep(100 * time.Millisecond) // virtual
		}
		if n := r.engine.Requests().Since(before).Of(localaws.DynamoDB, "UpdateItem"); n > 62 || n < 45 {
			t.Errorf("the place was kept %d times in a minute", n)
		}
		p.stop()
	})
}

// A restart finds a day's finished shards; it does not describe the stream anew
// for each.
func TestARestartDescribesTheStreamOnce(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 4}, func(r *rig) {
		p := r.start()
		for range 6 {
			r.must(r.engine.DynamoDB().RotateShards(things))
			time.Sleep(time.Minute) // virtual
		}
		p.stop()
		before := r.engine.Requests()
		p = r.start()
		time.Sleep(9 * time.Second) // virtual
		since := r.engine.Requests().Since(before)
		p.stop()
		if n := since.Of(localaws.Streams, "DescribeStream"); n != 1 {
			t.Errorf("%d DescribeStream", n)
		}
		if n := since.Of(localaws.Streams, "GetShardIterator"); n != 4 {
			t.Errorf("%d shards were read, want the 4 open ones", n)
		}
	})
}

func TestStoppingLetsBatchesEnd(t *testing.T) {
	for name, c := range map[string]struct {
		takes, drain, want time.Duration
		times              int
	}{
		"a batch that ends in time":   {5 * time.Second, 10 * time.Second, 4 * time.Second, 1},
		"a batch that takes too long": {time.Hour, 10 * time.Second, 10 * time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
				r.relay.takes = func() time.Duration { return c.takes }
				r.put("a")
				p := r.start(func(cfg *dynamostream.PollerConfig) { cfg.DrainTimeout = c.drain })
				time.Sleep(time.Second) // virtual
				began := time.Now()
				p.stop()
				if took := time.Since(began); took != c.want {
					t.Errorf("stopped after %s, want %s", took, c.want)
				}
				if r.relay.busy != 0 {
					t.Error("a batch is still at work")
				}
				if n := r.relay.times("a/1"); n != c.times {
					t.Errorf("the batch's record was handled %d times, want %d", n, c.times)
				}
				if place := r.place(); (place.Sequence != "") != (c.times == 1) {
					t.Errorf("the place is %v", place)
				}
				r.relay.takes = nil
				p = r.start()
				time.Sleep(time.Second) // virtual
				p.stop()
				r.wantAll()
				r.wantOnce()
			})
		})
	}
}

// Stopping is prompt at every moment of a poller's life, whatever it waits for.
func TestStoppingIsPromptWhateverIsWaitedFor(t *testing.T) {
	never := localaws.Fault{DelayBefore: time.Hour}
	for name, faults := range map[string]localaws.Faults{
		"an idle shard":     nil,
		"ListStreams":       on("ListStreams", never),
		"DescribeStream":    on("DescribeStream", never),
		"a checkpoint":      on("GetItem", never),
		"an iterator":       on("GetShardIterator", never),
		"a page":            on("GetRecords", never),
		"a backed-off read": on("GetRecords", localaws.Fault{Error: localaws.Throttled(localaws.Streams)}),
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, localaws.Config{StreamShards: 2}, func(r *rig) {
				r.put("a", "b", "c", "d")
				r.engine.SetFaults(faults)
				for _, age := range []time.Duration{0, time.Millisecond, 10 * time.Second, 5 * time.Minute} {
					p := r.start()
					time.Sleep(age) // virtual
					began := time.Now()
					p.stop()
					if took := time.Since(began); took > time.Millisecond {
						t.Errorf("stopped after %s", took)
					}
				}
				if lines := r.logs.with("context canceled"); len(lines) > 0 {
					t.Errorf("a stop was logged as a fault: %q", lines)
				}
			})
		})
	}
}

// Many pollers start and stop at once; run with the race detector.
func TestPollersAreIndependent(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.put("a", "b", "c")
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				p := r.start(func(c *dynamostream.PollerConfig) { c.Relay = &relay{} })
				time.Sleep(time.Duration(i) * 300 * time.Millisecond) // virtual
				if i > 0 && !p.Following() {
					r.t.Error("not following")
				}
				p.cancel()
				<-p.done
			})
		}
		all.Wait()
	})
}
