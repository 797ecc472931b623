package dynamostream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

var errRelay = errors.New("the topic is throttled")

// process is a poller that can die: from then on nothing it does has an effect.
type process struct {
	*running
	*relay
	dynamostream.Checkpoints
	dead atomic.Bool
}

func (p *process) Handle(ctx context.Context, records []replica.Record) map[int]error {
	if p.dead.Load() {
		failed := make(map[int]error)
		for i := range records {
			failed[i] = errRelay
		}
		return failed
	}
	return p.relay.Handle(ctx, records)
}

func (p *process) Save(ctx context.Context, stream, shard string, c dynamostream.Checkpoint) error {
	if p.dead.Load() {
		return errRelay
	}
	return p.Checkpoints.Save(ctx, stream, shard, c)
}

func (r *rig) process() *process {
	p := &process{relay: r.relay, Checkpoints: r.checkpoints()}
	p.running = r.start(func(c *dynamostream.PollerConfig) {
		c.Relay, c.Checkpoints, c.MaxBatchRecords = p, p, 3
		c.DrainTimeout = time.Minute
	})
	return p
}

// kill ends a process without letting it finish anything.
func (p *process) kill() {
	p.dead.Store(true)
	p.stop()
}

// Whatever happens to shards, pollers, the relay and AWS, nothing is lost, and
// an item's records come in their order.
func TestNothingIsLostAcrossSplitsKillsAndFaults(t *testing.T) {
	for seed := range uint64(16) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			inRig(t, localaws.Config{StreamShards: 1 + random.IntN(3)}, func(r *rig) {
				var calls atomic.Uint64
				mishap := func(percent int) bool { // from any goroutine
					return rand.New(rand.NewPCG(seed, calls.Add(1))).IntN(100) < percent
				}
				r.relay.takes = func() time.Duration { return time.Duration(calls.Add(1)%7) * 100 * time.Millisecond }
				r.relay.fail = func(string, int) error {
					if mishap(10) {
						return errRelay
					}
					return nil
				}
				r.engine.SetFaults(func(c localaws.Call) localaws.Fault {
					switch {
					case c.Operation == "PutItem" || !mishap(15):
						return localaws.Fault{}
					case mishap(30):
						return localaws.Fault{Drop: localaws.DropResponse}
					case mishap(50):
						return localaws.Fault{Error: localaws.Throttled(c.Service)}
					default:
						return localaws.Fault{Error: localaws.Unavailable(c.Service)}
					}
				})
				p := r.process()
				for range 60 {
					switch n := random.IntN(100); {
					case n < 70:
						r.put(fmt.Sprint("key ", random.IntN(6)))
					case n < 73:
						r.split()
					case n < 82:
						r.must(r.engine.DynamoDB().RotateShards(things))
					case n < 88:
						p.kill()
						p = r.process()
					case n < 94:
						p.stop()
						p = r.process()
					}
					time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond) // virtual
				}
				r.engine.SetFaults(nil)
				r.relay.setFail(nil)
				r.settle()
				p.stop()
				r.wantAll()
			})
		})
	}
}

// After a clean stop the next poller goes on exactly where the last one was.
func TestACleanStopRepeatsNothing(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			inRig(t, localaws.Config{StreamShards: 1 + random.IntN(3), Latency: 7 * time.Millisecond}, func(r *rig) {
				r.relay.takes = func() time.Duration { return 120 * time.Millisecond }
				p := r.process()
				splits := 3 // each doubles the open shards
				for range 50 {
					switch n := random.IntN(10); {
					case n < 7:
						r.put(fmt.Sprint("key ", random.IntN(6)))
					case n < 8 && splits > 0:
						splits--
						r.split()
					case n >= 8:
						p.stop()
						p = r.process()
					}
					time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond) // virtual
				}
				r.settle()
				p.stop()
				r.wantAll()
				r.wantOnce()
			})
		})
	}
}

// The records of a parent's last page are handled before its children's first.
func TestChildrenWaitUntilTheirParentIsHandled(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		r.relay.takes = func() time.Duration {
			if r.written["a"] == 0 {
				return 0
			}
			r.relay.mu.Lock()
			defer r.relay.mu.Unlock()
			if len(r.relay.batches) == 1 {
				return time.Minute // the parent's page
			}
			return 0
		}
		r.put("a", "b")
		r.split()
		r.put("a", "b")
		p := r.start()
		time.Sleep(50 * time.Second) // virtual
		if n := r.relay.attempts("a/2") + r.relay.attempts("b/2"); n != 0 {
			t.Errorf("%d records of the children were tried while their parent's last page was at work", n)
		}
		time.Sleep(time.Minute) // virtual
		p.stop()
		r.wantAll()
		r.wantOnce()
	})
}

// A shard that splits is followed by its children at once, not after the next
// round of discovery.
func TestASplitIsFollowedAtOnce(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		p := r.start(func(c *dynamostream.PollerConfig) { c.DiscoverEvery = time.Hour })
		time.Sleep(10 * time.Second) // virtual
		r.split()
		r.put("a", "b", "c", "d")
		time.Sleep(2 * time.Second) // virtual
		r.wantAll()
		p.stop()
	})
}

// A table without a stream is said out loud; a stream that comes later is
// followed, and so are both the old and the new one when it is turned off and
// on again. Between two streams there is no order.
func TestEveryStreamOfATableIsFollowed(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.create("later", "p", nil)
		none := r.start(func(c *dynamostream.PollerConfig) { c.Table = "later" })
		time.Sleep(time.Second) // virtual
		if none.Following() || len(r.logs.with("ERROR", "later", "no stream")) == 0 {
			t.Errorf("a table without a stream: following %v, logged %q", none.Following(), r.logs.lines)
		}
		none.stop()

		r.put("a", "b")
		r.stream(false)
		time.Sleep(time.Minute) // virtual
		r.stream(true)
		r.put("a", "b")
		p := r.start()
		time.Sleep(time.Minute) // virtual
		if !p.Following() {
			t.Error("not following")
		}
		r.wantNoneLost()
		r.stream(false)
		r.stream(true)
		r.put("a", "c")
		time.Sleep(time.Minute) // virtual
		p.stop()
		r.wantNoneLost()
		r.wantOnce()
	})
}

// A poller runs for days: shards come, end and are trimmed away, streams vanish,
// and no false alarm is raised.
func TestADayLongRunRaisesNoAlarm(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		idle := func(c *dynamostream.PollerConfig) { c.IdleWait, c.DiscoverEvery = 30*time.Second, 10*time.Minute }
		p := r.start(idle)
		for hour := range 60 {
			r.put("a", "b")
			switch {
			case hour%4 == 3:
				r.must(r.engine.DynamoDB().RotateShards(things))
			case hour == 30:
				r.stream(false)
				r.stream(true)
			case hour%7 == 6:
				p.stop()
				time.Sleep(20 * time.Minute) // virtual
				p = r.start(idle)
			}
			time.Sleep(time.Hour) // virtual
		}
		p.stop()
		r.wantNoneLost()
		r.wantOnce()
		if lines := r.logs.with("ERROR"); len(lines) > 0 {
			t.Errorf("logged %q", lines)
		}
	})
}

// Two pollers of one name both do all the work and never move the place back.
func TestTwoPollersOfOneNameAreHarmless(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		slow := &relay{takes: func() time.Duration { return 3 * time.Second }}
		a := r.start()
		b := r.start(func(c *dynamostream.PollerConfig) { c.Relay, c.MaxBatchRecords = slow, 1 })
		var before string
		for range 30 {
			r.put("a", "b")
			time.Sleep(time.Second) // virtual
			synctest.Wait()
			place := r.place()
			if place.Sequence < before {
				t.Fatalf("the place moved from %s back to %s", before, place.Sequence)
			}
			before = place.Sequence
		}
		a.stop()
		b.stop()
		if r.place().Sequence < before {
			t.Errorf("the place moved from %s back to %s", before, r.place().Sequence)
		}
		r.wantAll()
		if lines := r.logs.with("checkpoint"); len(lines) > 0 {
			t.Errorf("logged %q", lines)
		}
	})
}
