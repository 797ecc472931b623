package replica_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// Whatever an item is, stamped or not, a tombstone or gone: raising it comes
// through the stream above what was asked for, with every attribute in changed,
// and is what the source then holds.
func TestRaiseOutbidsAndTellsEverything(t *testing.T) {
	for name, prepare := range map[string]func(w *world){
		"an item":               func(w *world) { w.own("1", time.Now(), named("1", "A")) },
		"an item just stamped":  func(w *world) { w.put(named("1", "A")) },
		"an item ahead of time": func(w *world) { w.own("1", time.Now().Add(time.Hour), named("1", "A")) },
		"a version out of reach": func(w *world) {
			item := named("1", "A")
			item["version"] = contracts.VersionAt(time.Now().Add(1000 * time.Hour)).Value()
			w.put(item)
		},
		"a tombstone": func(w *world) {
			w.own("1", time.Now(), named("1", "A"))
			w.own("1", time.Now(), nil)
		},
		"nothing": func(*world) {},
	} {
		for lead, above := range map[string]time.Duration{"below the clock": -time.Hour, "ahead of the clock": 3 * time.Hour} {
			t.Run(name+", "+lead, func(t *testing.T) {
				inWorld(t, func(w *world) {
					prepare(w)
					w.relayFor(time.Minute)
					time.Sleep(20 * 24 * time.Hour) // virtual; most of a tombstone's life
					before, floor := w.read("1"), contracts.VersionAt(time.Now().Add(above))
					version, err := profileSource(t).Raise(w.t.Context(), w.source, keyOf("1"), floor, time.Now)
					if err != nil {
						t.Fatal(err)
					}
					w.relayFor(time.Minute)
					seen := w.topic.seenBy("founded", "1") // an attribute that no write here touches
					latest := time.Now().Add(contracts.MaxAhead)
					after := w.read("1")
					if seen == nil || seen.Version != version || version <= floor || version <= contracts.VersionOf(before["version"], latest) ||
						contracts.VersionOf(after["version"], latest) != version {
						t.Fatalf("raised to %s above %s, the subscriber has %+v, the source %v", version, floor, seen, after)
					}
					w.agree("name", "1")
					if !after["deleted"].Bool() {
						return
					}
					if left := time.Until(time.Unix(int64(contracts.VersionOf(after["expiresAt"], time.Time{})), 0)); left < 29*24*time.Hour {
						t.Errorf("the tombstone expires in %s", left)
					}
				})
			})
		}
	}
}

// Writes made between the read and the stamp are not lost, and a delete meanwhile
// makes no ghost.
func TestRaiseStartsOverWhereSomebodyWroteMeanwhile(t *testing.T) {
	for name, meanwhile := range map[string]func(w *world){
		"a versioned write": func(w *world) { w.own("1", time.Now(), attrs("name", "New")) },
		"a foreign write":   func(w *world) { w.put(named("1", "New")) },
		"a delete":          func(w *world) { w.own("1", time.Now(), nil) },
		"a removal":         func(w *world) { w.remove("1") },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.own("1", time.Now(), named("1", "Old"))
				w.relayFor(time.Minute)
				table := &hooked{SourceTable: w.source, afterRead: func() { meanwhile(w) }}
				if _, err := profileSource(t).Raise(w.t.Context(), table, keyOf("1"), 0, time.Now); err != nil {
					t.Fatal(err)
				}
				if item := w.read("1"); !item["deleted"].Bool() && item["name"].Text() != "New" {
					t.Errorf("the source has %v", item)
				}
				w.relayFor(time.Minute)
				w.agree("name", "1")
				w.agree("sector", "1")
			})
		})
	}
}

// ADR 0003: a stamp dated long before its record is answered by another, once.
func TestRaiseByASlowClockComesToRest(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "A"))
		w.relayFor(time.Minute)
		time.Sleep(time.Hour) // virtual
		slow := func() time.Time { return time.Now().Add(-30 * time.Minute) }
		version, err := profileSource(t).Raise(w.t.Context(), w.source, keyOf("1"), 0, slow)
		if err != nil {
			t.Fatal(err)
		}
		stamps := &counted{SourceTable: w.source}
		w.table = stamps
		w.relayFor(10 * time.Minute)
		w.agree("name", "1")
		if seen := w.topic.seenBy("founded", "1"); seen == nil || seen.Version <= version || stamps.writes != 1 {
			t.Errorf("raised to %s; after %d stamps of the relay the subscriber has %+v", version, stamps.writes, seen)
		}
	})
}

// Nothing that the relay would take for valid is above such a version, so a
// stamp would be answered below it for ever.
func TestRaiseRefusesWhatNoValidVersionOutbids(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "A"))
		before := w.read("1")["version"].Text()
		_, err := profileSource(t).Raise(w.t.Context(), w.source, keyOf("1"), contracts.VersionAt(time.Now().Add(24*time.Hour)), time.Now)
		if _, ok := errors.AsType[*replica.RejectedError](err); !ok || !strings.Contains(err.Error(), "remove the version") {
			t.Errorf("got %v", err)
		}
		if after := w.read("1")["version"].Text(); after != before {
			t.Errorf("the version went from %s to %s", before, after)
		}
	})
}

// A write whose answer is lost is not made twice.
func TestRaiseKnowsItsOwnWrite(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "A"))
		table := &deaf{counted{SourceTable: w.source}}
		version, err := profileSource(t).Raise(w.t.Context(), table, keyOf("1"), 0, time.Now)
		if err != nil || table.writes != 1 || w.read("1")["version"].Text() != version.String() {
			t.Errorf("%d writes, raised to %s, %v; the source has %v", table.writes, version, err, w.read("1"))
		}
	})
}

// Whoever brings an item back while its tombstone is stamped, and keeps the
// version, does not get the tombstone's expiry with it.
func TestRaisePutsNoExpiryOnAnItemBroughtBackMeanwhile(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "A"))
		w.own("1", time.Now(), nil)
		if _, err := profileSource(t).Raise(w.t.Context(), &reviving{SourceTable: w.source, w: w}, keyOf("1"), 0, time.Now); err != nil {
			t.Fatal(err)
		}
		w.relayFor(time.Minute)
		w.agree("name", "1")
		if item := w.read("1"); item["name"].Text() != "B" || !item["expiresAt"].IsZero() {
			t.Errorf("the source has %v", item)
		}
	})
}

// reviving is a source table whose item 1 is brought back before the first stamp.
type reviving struct {
	replica.SourceTable
	w *world
}

func (r *reviving) Restamp(ctx context.Context, key, set, was contracts.Item) (bool, error) {
	if r.w != nil {
		item := named("1", "B")
		item["version"] = was["version"]
		r.w.put(item)
		r.w = nil
	}
	return r.SourceTable.Restamp(ctx, key, set, was)
}

// deaf is a source table whose answers are lost, and whose client's retry meets
// its own write.
type deaf struct{ counted }

func (d *deaf) Restamp(ctx context.Context, key, set, was contracts.Item) (bool, error) {
	_, err := d.counted.Restamp(ctx, key, set, was)
	return false, err
}

// Where contracts share a table, the stamp says which one it is for: an item
// that became another contract's, or is gone, is announced as deleted.
func TestRaiseInATableThatContractsShare(t *testing.T) {
	for name, other := range map[string]contracts.Item{
		"another contract's item": directoryItem("5", attrs("kind", "person", "name", "B")),
		"an item that is gone":    nil,
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.createDirectory()
				s := directorySource(t)
				w.sources, w.sourceTable = []*replica.Source{s}, "directory"
				w.source = dynamostore.NewSource(w.db, "directory")
				w.table = w.source
				if other != nil {
					_, err := w.db.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("directory"), Item: dynamostore.ToAttributes(other)})
					if err != nil {
						t.Fatal(err)
					}
				}
				w.relayFor(time.Minute)
				if seen := w.topic.seenBy("name", "5"); seen != nil {
					t.Fatalf("it was announced before: %+v", seen)
				}
				key := must(s.Key("5"))
				version := must(s.Raise(w.t.Context(), w.source, key, 0, time.Now))
				w.relayFor(time.Minute)
				if seen := w.topic.seenBy("name", "5"); seen == nil || seen.Operation != contracts.Delete || seen.Version != version {
					t.Errorf("raised to %s, the subscriber has %+v", version, seen)
				}
				item := must(w.source.Read(w.t.Context(), key))
				if item["kind"].Text() != other["kind"].Text() || item["name"].Text() != other["name"].Text() {
					t.Errorf("the item became %v", item)
				}
				snap, ours, err := s.Snapshot(item, time.Now())
				if !ours || snap.Live || snap.Version != version || err != nil {
					t.Errorf("its snapshot is %+v, ours %v, %v", snap, ours, err)
				}
			})
		})
	}
	if _, err := directorySource(t).Raise(t.Context(), nil, attrs("pk", "USER", "sk", "5"), 0, time.Now); err == nil {
		t.Error("a key of another contract's was raised")
	}
}

// What has a version is left alone, and so is what is gone; a foreign write
// meanwhile keeps its content.
func TestStampUnversioned(t *testing.T) {
	for name, c := range map[string]struct {
		meanwhile func(w *world)
		writes    int
	}{
		"nothing meanwhile":         {func(*world) {}, 1},
		"the relay was faster":      {func(w *world) { w.relayFor(time.Minute) }, 0},
		"removed meanwhile":         {func(w *world) { w.remove("1") }, 0},
		"a foreign write meanwhile": {func(w *world) { w.put(named("1", "New")) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.put(named("1", "Old"))
				seen := w.read("1")
				c.meanwhile(w)
				before := w.read("1")
				table := &counted{SourceTable: w.source}
				if err := profileSource(t).StampUnversioned(w.t.Context(), table, seen, time.Now); err != nil {
					t.Fatal(err)
				}
				after := w.read("1")
				took := after["version"].Text() != before["version"].Text()
				if took != (c.writes == 1) || after["name"].Text() != before["name"].Text() {
					t.Errorf("the source had %v and has %v", before, after)
				}
				w.relayFor(time.Minute)
				w.agree("name", "1")
			})
		})
	}
}
