package replica_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// Each history below is the one that ends wrong without one clause of DESIGN.md
// section 7; the comment names the clause.

// A stamped record differs from its predecessor in the version alone and must
// not be skipped.
func TestForeignWriteReachesSubscribersThroughItsStamp(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(named("1", "Old Name"))
		w.relayFor(time.Minute)
		w.put(named("1", "New Name"))
		w.relayFor(time.Minute)
		w.agree("name", "1")
		if seen := w.topic.seenBy("name", "1"); seen == nil || seen.Version != contracts.VersionOf(w.read("1")["version"], time.Time{}) {
			t.Errorf("published %v, the source has %v", seen, w.read("1"))
		}
	})
}

// A stamp must not give up because it lost to a versioned write of another
// attribute: subscribers of the first one would be stale for ever.
func TestStampIsMadeAlthoughAVersionedWriteOvertookIt(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "Old Name"))
		w.relayFor(time.Minute)
		renamed := w.read("1")
		renamed["name"] = contracts.String("New Name")
		w.put(renamed) // keeps the version
		w.own("1", time.Now(), attrs("sector", "Utilities"))
		w.relayFor(time.Minute)
		w.agree("name", "1")
		w.agree("sector", "1")
	})
}

// hooked is a source table on which something else happens between a stamp's
// read and its write.
type hooked struct {
	replica.SourceTable
	afterRead func()
}

func (h *hooked) Read(ctx context.Context, key contracts.Item) (contracts.Item, error) {
	item, err := h.SourceTable.Read(ctx, key)
	if hook := h.afterRead; hook != nil {
		h.afterRead = nil
		hook()
	}
	return item, err
}

// A stamp without the existence condition creates ghosts: an item of nothing
// but a key and a version, live for ever.
func TestStampCreatesNoGhostOfAnItemDeletedMeanwhile(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(named("1", "Name"))
		w.table = &hooked{SourceTable: w.source, afterRead: func() { w.remove("1") }}
		w.relayFor(time.Minute)
		if item := w.read("1"); !item["deleted"].Bool() {
			t.Errorf("the source has %v, want a tombstone", item)
		}
		w.agree("name", "1")
	})
}

// A tombstone put where the item came back meanwhile would delete it.
func TestStampPutsNoTombstoneOverAnItemRecreatedMeanwhile(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "Old Name"))
		w.relayFor(time.Minute)
		w.remove("1")
		w.table = &hooked{SourceTable: w.source, afterRead: func() { w.put(named("1", "New Name")) }}
		w.relayFor(time.Minute)
		if item := w.read("1"); item["deleted"].Bool() || item["name"].Text() != "New Name" {
			t.Errorf("the source has %v, want the re-created item", item)
		}
		w.agree("name", "1")
	})
}

// Forgetting the old image's version lets a delete fall below what replicas
// already hold.
func TestDeleteOutbidsAVersionThatRanAhead(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now().Add(time.Hour), named("1", "Name"))
		w.relayFor(time.Minute)
		w.remove("1")
		w.relayFor(time.Minute)
		w.agree("name", "1")
	})
}

// The same for a restore: the item comes back with an old version, or none.
func TestRestoreOutbidsWhatReplicasHold(t *testing.T) {
	for name, drop := range map[string]bool{"with its old version": false, "without a version": true} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.own("1", time.Now(), named("1", "Old Name"))
				backup := w.read("1")
				if drop {
					delete(backup, "version")
				}
				w.relayFor(time.Minute)
				w.own("1", time.Now().Add(time.Hour), attrs("name", "New Name"))
				w.relayFor(time.Minute)
				w.put(backup)
				w.relayFor(time.Minute)
				w.agree("name", "1")
			})
		})
	}
}

// A restore into a table whose item and tombstone are gone: only the old
// version tells, by its age.
func TestRestoreLongAfterTheDeleteComesBack(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "Name"))
		backup := w.read("1")
		w.relayFor(time.Minute)
		w.own("1", time.Now(), nil)
		w.relayFor(time.Minute)
		deleted := w.topic.seenBy("name", "1").Version
		time.Sleep(24 * time.Hour) // virtual
		w.remove("1")              // somebody cleans the tombstone up by hand, and its stamp after it
		w.relayFor(time.Minute)
		w.remove("1")
		w.put(backup)
		w.relayFor(time.Minute)
		w.agree("name", "1")
		if seen := w.topic.seenBy("name", "1"); seen.Version <= deleted {
			t.Errorf("came back at %s, deleted at %s", seen.Version, deleted)
		}
	})
}

// A tombstone stamped without renewing its expiry is purged before the
// replicas' ones.
func TestStampOfATombstoneRenewsItsExpiry(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "Name"))
		w.own("1", time.Now(), nil)
		w.relayFor(time.Minute)
		time.Sleep(29 * 24 * time.Hour) // virtual
		touched := w.read("1")
		delete(touched, "version")
		touched["expiresAt"] = contracts.Number("1")
		w.put(touched)
		w.relayFor(time.Minute)
		expires := contracts.VersionOf(w.read("1")["expiresAt"], time.Time{})
		if left := time.Until(time.Unix(int64(expires), 0)); left < 29*24*time.Hour {
			t.Errorf("the tombstone expires in %s, want about %s", left, replica.SourceTombstoneLife)
		}
	})
}

// Nor must it be left alone because it became a tombstone only while it was
// stamped as a live item.
func TestStampThatMeetsATombstoneUnawaresRenewsItsExpiryAllTheSame(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "Old Name"))
		w.relayFor(time.Minute)
		renamed := w.read("1")
		renamed["name"] = contracts.String("New Name")
		w.put(renamed)
		w.table = &hooked{SourceTable: w.source, afterRead: func() {
			deleted := w.read("1")
			deleted["deleted"] = contracts.Bool(true)
			w.put(deleted) // keeps the version, so that the stamp goes through
		}}
		w.relayFor(time.Minute)
		w.agree("name", "1")
		expires := contracts.VersionOf(w.read("1")["expiresAt"], time.Time{})
		if left := time.Until(time.Unix(int64(expires), 0)); left < 29*24*time.Hour {
			t.Errorf("the tombstone expires in %s, want about %s", left, replica.SourceTombstoneLife)
		}
	})
}

// A stampedVersion above the version is nobody's stamp: it was written by hand,
// and nothing of that came through the stream.
func TestAStampedVersionWrittenByHandAnswersNoRecord(t *testing.T) {
	inWorld(t, func(w *world) {
		w.own("1", time.Now(), named("1", "Old Name"))
		w.relayFor(time.Minute)
		item := w.read("1")
		item["name"] = contracts.String("New Name")
		w.put(item)
		item["stampedVersion"] = contracts.VersionAt(time.Now().Add(time.Hour)).Value()
		w.put(item)
		w.relayFor(time.Minute)
		w.agree("name", "1")
	})
}

// TTL's removal of a tombstone publishes nothing; its removal of a live item
// is a delete like any other.
func TestTTLOfTombstonesIsSilentAndOfItemsIsADelete(t *testing.T) {
	inWorld(t, func(w *world) {
		_, err := w.db.UpdateTimeToLive(w.t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName:               aws.String(companies),
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(true)},
		})
		if err != nil {
			t.Fatal(err)
		}
		soon := contracts.Number(itoa(time.Now().Add(time.Hour).Unix()))
		w.own("1", time.Now(), named("1", "Tombstone"))
		w.own("1", time.Now(), nil)
		tomb := w.read("1")
		tomb["expiresAt"] = soon
		w.put(tomb) // an unshared attribute only: not foreign
		live := named("2", "Live")
		live["expiresAt"] = soon
		w.own("2", time.Now(), live)
		w.relayFor(time.Minute)
		published := len(w.topic.changes)
		time.Sleep(2 * time.Hour) // virtual
		w.engine.DynamoDB().SweepTTL(w.t.Context())
		if w.read("1") != nil || w.read("2") != nil {
			t.Fatal("TTL removed nothing")
		}
		w.relayFor(time.Minute)
		w.agree("name", "2")
		for _, c := range w.topic.changes[published:] {
			if c.Subject == "1" && c.Version > contracts.VersionOf(tomb["version"], time.Time{}) {
				t.Errorf("the purge of a tombstone published %s@%s", c.Subject, c.Version)
			}
		}
		if !w.read("2")["deleted"].Bool() {
			t.Errorf("the source has %v, want a tombstone", w.read("2"))
		}
	})
}

// A stamp is not itself foreign, so it cannot loop; not even where the relay's
// clock is slow and the stream is read late.
func TestStampsDoNotLoop(t *testing.T) {
	for name, slow := range map[string]time.Duration{"right clock": 0, "slow clock": 10 * time.Minute, "fast clock": -10 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.now = func() time.Time { return time.Now().Add(-slow) }
				w.put(named("1", "Name"))
				time.Sleep(time.Hour) // virtual
				stamps := &counted{SourceTable: w.source, takes: 2 * time.Second}
				w.table = stamps
				w.relayFor(10 * time.Minute)
				w.agree("name", "1")
				if stamps.writes > 2 {
					t.Errorf("%d stamps for one foreign write", stamps.writes)
				}
			})
		})
	}
}

type counted struct {
	replica.SourceTable
	writes int
	takes  time.Duration // virtual time that passes before a write
}

func (c *counted) Restamp(ctx context.Context, key, set, was contracts.Item) (bool, error) {
	c.writes++
	time.Sleep(c.takes)
	return c.SourceTable.Restamp(ctx, key, set, was)
}

// A record handled twice, by another relay or after a crash, is stamped once.
func TestARecordHandledTwiceIsStampedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(named("1", "Name"))
		stamps := &counted{SourceTable: w.source}
		w.table = stamps
		w.relayFor(time.Minute)
		w.places = &places{} // reads the stream from its beginning
		w.relayFor(time.Minute)
		if stamps.writes != 1 {
			t.Errorf("%d stamps for one foreign write", stamps.writes)
		}
	})
}

// A version far in the future counts as missing and comes back to the present.
func TestAVersionTooFarAheadIsBroughtBack(t *testing.T) {
	inWorld(t, func(w *world) {
		item := named("1", "Name")
		item["version"] = contracts.VersionAt(time.Now().Add(1000 * time.Hour)).Value()
		w.put(item)
		w.relayFor(time.Minute)
		w.agree("name", "1")
		if v := contracts.VersionOf(w.read("1")["version"], time.Now().Add(time.Hour)); v == 0 {
			t.Errorf("the source still has version %v", w.read("1")["version"].Text())
		}
	})
}
