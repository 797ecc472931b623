package dynamostream_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

// failing makes every attempt at these records fail.
func failing(records ...string) func(string, int) error {
	return func(key string, n int) error {
		if slices.Contains(records, fmt.Sprint(key, "/", n)) {
			return errRelay
		}
		return nil
	}
}

func TestAFailingRecordHoldsUpNoOther(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		r.relay.setFail(failing("bad/1"))
		r.put("a", "bad")
		p := r.start()
		time.Sleep(5 * time.Second) // virtual
		held := r.place()
		for range 20 {
			r.put("a", "b")
			time.Sleep(time.Minute) // virtual
			for _, key := range []string{"a", "b"} {
				if last := fmt.Sprint(key, "/", r.written[key]); r.relay.times(last) != 1 {
					t.Fatalf("%s was handled %d times", last, r.relay.times(last))
				}
			}
		}
		if place := r.place(); place != held || place.Sequence == "" {
			t.Errorf("the place moved past a held record, from %v to %v", held, place)
		}
		if n := r.relay.attempts("bad/1"); n < 30 || n > 100 {
			t.Errorf("a held record was tried %d times in 20 minutes, want about once in 23 s", n)
		}

		// A restart begins at the held record and loses nothing.
		p.stop()
		p = r.start()
		time.Sleep(time.Minute) // virtual
		r.relay.setFail(nil)
		time.Sleep(time.Minute) // virtual
		p.stop()
		r.wantAll()
		if n := r.relay.times("bad/1"); n != 1 {
			t.Errorf("the held record succeeded %d times", n)
		}
		if place := r.place(); place.Sequence <= held.Sequence {
			t.Errorf("the place stayed at %v", place)
		}
		if lines := r.logs.with("ERROR", "records failed", errRelay.Error()); len(lines) == 0 || len(lines) > 20 {
			t.Errorf("%d lines about one failing record: %q", len(lines), lines)
		}
	})
}

func TestARecordIsGivenUpWhenItIsTooOld(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		r.relay.setFail(failing("bad/1"))
		r.relay.giveUp = errors.New("the dead-letter queue is out of order")
		r.put("a", "bad", "b")
		p := r.start(func(c *dynamostream.PollerConfig) { c.GiveUpAge, c.IdleWait = time.Hour, 5*time.Second })
		time.Sleep(59 * time.Minute) // virtual
		r.relay.mu.Lock()
		early := slices.Clone(r.relay.gaveUp)
		r.relay.mu.Unlock()
		if len(early) != 0 {
			t.Fatalf("given up too early: %q", early)
		}
		held := r.place()
		time.Sleep(30 * time.Minute) // virtual
		if place := r.place(); place != held {
			t.Errorf("the place moved to %v although the record could not be dead-lettered", place)
		}
		if len(r.logs.with("ERROR", "dead-letter queue is out of order")) == 0 {
			t.Error("not a word about the dead-letter queue")
		}
		r.relay.mu.Lock()
		r.relay.giveUp = nil
		r.relay.mu.Unlock()
		time.Sleep(time.Minute) // virtual
		p.stop()
		if got := r.relay.gaveUp; !slices.Equal(got, []string{"bad/1"}) {
			t.Errorf("gave up %q", got)
		}
		if place := r.place(); place == held {
			t.Errorf("the place stayed at %v", place)
		}
	})
}

// After half a day's downtime everything is old; one bad moment of the topic
// must not dead-letter it all.
func TestOldRecordsAreTriedBeforeTheyAreGivenUp(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		for i := range 50 {
			r.put(fmt.Sprint("key ", i))
		}
		time.Sleep(13 * time.Hour) // virtual
		until := time.Now().Add(15 * time.Second)
		r.relay.setFail(func(string, int) error {
			if time.Now().Before(until) {
				return errRelay
			}
			return nil
		})
		p := r.start()
		time.Sleep(2 * time.Minute) // virtual
		p.stop()
		r.wantAll()
		if n := len(r.relay.gaveUp); n != 0 {
			t.Errorf("%d records were given up after 15 seconds of throttling", n)
		}
	})
}

// When everything fails the shard is read no further than the limit and the
// batch that reached it, and all goes on by itself once the topic is back.
func TestAnOutageHoldsNoMoreThanTheLimit(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		for range 100 {
			r.put("a", "b", "c")
		}
		r.relay.setFail(func(string, int) error { return errRelay })
		p := r.start(func(c *dynamostream.PollerConfig) { c.MaxHeldRecords, c.MaxBatchRecords = 20, 8 })
		time.Sleep(time.Hour) // virtual: the iterator of a shard that is not read expires
		tried := make(map[string]bool)
		r.relay.mu.Lock()
		for _, record := range r.relay.tried {
			tried[record] = true
		}
		r.relay.mu.Unlock()
		if len(tried) < 20 || len(tried) > 27 {
			t.Errorf("%d records were read during the outage, want 20 to 27", len(tried))
		}
		if place := r.place(); place.Sequence != "" {
			t.Errorf("the place moved to %v, nothing is done with", place)
		}
		if lines := r.logs.with("records failed"); len(lines) > 400 {
			t.Errorf("%d lines about one outage of an hour", len(lines))
		}
		r.relay.setFail(nil)
		time.Sleep(2 * time.Minute) // virtual
		p.stop()
		r.wantAll()
		r.wantOnce()
	})
}

// A shard ends while one of its records is held: its children are read, and it
// is finished only when the record is done with.
func TestAShardEndsWhileARecordIsHeld(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		r.relay.setFail(failing("bad/1"))
		r.put("a", "bad", "b")
		p := r.start()
		time.Sleep(time.Second) // virtual
		r.split()
		r.put("a", "b", "bad")
		time.Sleep(time.Minute) // virtual
		for _, record := range []string{"a/2", "b/2", "bad/2"} {
			if r.relay.times(record) != 1 {
				t.Errorf("%s of a child was handled %d times", record, r.relay.times(record))
			}
		}
		if place := r.place(); place.Finished || place.Sequence == "" {
			t.Errorf("the parent's place is %v, its record is still held", place)
		}
		p.stop()
		p = r.start()
		time.Sleep(time.Minute) // virtual
		r.relay.setFail(nil)
		time.Sleep(time.Minute) // virtual
		if place := r.place(); !place.Finished {
			t.Errorf("the parent's place is %v", place)
		}
		p.stop()
		r.wantAll()
	})
}
