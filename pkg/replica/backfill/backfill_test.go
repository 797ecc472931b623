package backfill_test

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
)

// A subscriber that comes late gets everything the table holds, tombstones
// included, and nobody else a message of it.
func TestALateSubscriberGetsEverything(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.startRelay()
		r.subscribe("early", "")
		r.consume("early")
		now := contracts.VersionAt(time.Now())
		r.fill(40)
		r.put(company(40, "Unversioned", 0))
		r.put(company(41, "Gone", now))
		gone := company(41, "", now+1)
		delete(gone, "name")
		gone["deleted"], gone["expiresAt"] = contracts.Bool(true), replica.SourceTombstoneExpiry(time.Now(), now)
		r.put(gone)
		other := company(42, "Nobody's business", now)
		other["kind"] = contracts.String("person")
		r.put(other)
		wrong := company(43, "", now)
		wrong["name"] = contracts.Number("43")
		r.put(wrong)
		large := company(44, "Large", now)
		large["headquarters"] = contracts.String(strings.Repeat("x", 300<<10))
		r.put(large)
		time.Sleep(time.Hour) // virtual

		r.subscribe("stats", "")
		r.consume("stats")
		var told []backfill.Rejection
		result, err := r.backfill(nil, func(c *backfill.Config) {
			c.Rejected = func(rejection backfill.Rejection) { told = append(told, rejection) }
			c.PageItems = 7
		}).Run(r.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := backfill.Counts{Scanned: 45, Published: 42, Tombstones: 1, Foreign: 1, Rejected: 2}
		if result.Counts != want || result.Resumed || result.Run == "" {
			t.Errorf("counted %+v, want %+v", result, want)
		}
		reasons := map[string]string{}
		for _, r := range result.Rejections {
			reasons[r.Subject] = r.Reason
		}
		if len(told) != 2 || reasons["43"] != "state violates the contract" || reasons["44"] != "larger than the topic accepts" {
			t.Errorf("rejected %+v, told %+v", result.Rejections, told)
		}
		time.Sleep(time.Minute) // virtual
		for _, cik := range []int{43, 44} {
			r.put(company(cik, "Mended", contracts.VersionAt(time.Now())))
		}
		time.Sleep(time.Minute) // virtual
		r.agree("stats")
		r.agree("early")
		if n := r.got("early", "upsert", "backfill") + r.got("early", "delete", "backfill") + r.got("early", "canary", "backfill"); n != 0 {
			t.Errorf("the other subscriber received %d messages", n)
		}
		if r.got("stats", "upsert", "backfill") != 41 || r.got("stats", "delete", "backfill") != 1 || r.got("stats", "canary", "backfill") != 1 {
			t.Errorf("received %v", r.deliveries)
		}
	})
}

// Items that no relay has seen yet are stamped first, and what is published is
// what they are then: also where a foreign write came in between.
func TestUnversionedItemsAreStampedAndThenPublished(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		r.consume("stats")
		far := contracts.VersionAt(time.Now().Add(1000 * time.Hour))
		for i := range 23 {
			r.put(company(i, "Unversioned", []contracts.Version{0, far}[i%2]))
		}
		overtake := func(key, seen contracts.Item) { // a write that leaves the version as it is
			item := company(0, "Overtaken", 0)
			maps.Copy(item, key)
			if v, ok := seen["version"]; ok {
				item["version"] = v
			}
			r.put(item)
		}
		result, err := r.backfill(nil, func(c *backfill.Config) {
			c.Table = hooked{SourceTable: c.Table, before: overtake}
		}).Run(r.Context())
		if err != nil {
			t.Fatal(err)
		}
		if result.Stamped != 23 || result.Published != 23 {
			t.Errorf("counted %+v", result)
		}
		time.Sleep(time.Minute) // virtual
		r.agree("stats")
		for cik, item := range r.items("stats-copies") {
			if item["companyName"].Text() != "Overtaken" {
				t.Errorf("the copy of %s is %v", cik, item)
			}
		}
		r.startRelay() // what it makes of the stamps changes nothing
		time.Sleep(time.Minute)
		r.agree("stats")
	})
}

// An item whose version is taken away as often as it is stamped is reported, and
// its neighbours are published.
func TestAnItemThatStaysWithoutAVersionIsReported(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		r.consume("stats")
		r.put(company(1, "Contested", 0))
		r.put(company(2, "Unversioned", 0))
		result, err := r.backfill(nil, func(c *backfill.Config) {
			c.Table = hooked{SourceTable: c.Table, after: func(key, _ contracts.Item) {
				if key["cik"].Text() == "1" {
					r.put(company(1, "Contested", 0))
				}
			}}
		}).Run(r.Context())
		if err != nil {
			t.Fatal(err)
		}
		if result.Published != 1 || len(result.Rejections) != 1 || result.Rejections[0].Subject != "1" || result.Rejections[0].Reason != "stays without a version" {
			t.Errorf("%+v", result)
		}
	})
}

// hooked is a source table on which something else happens around a stamp.
type hooked struct {
	replica.SourceTable
	before, after func(key, guard contracts.Item)
}

func (h hooked) Restamp(ctx context.Context, key, set, was contracts.Item) (bool, error) {
	guarded := contracts.Item{}
	for name, v := range was {
		if !v.IsZero() {
			guarded[name] = v
		}
	}
	if h.before != nil {
		h.before(key, guarded)
	}
	done, err := h.SourceTable.Restamp(ctx, key, set, was)
	if h.after != nil {
		h.after(key, guarded)
	}
	return done, err
}

// It costs one request for ten items, one for each page and place, and none for
// an item by itself.
func TestRequestsOfABackfill(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		const items = 430
		r.subscribe("stats", "")
		r.consume("stats")
		r.fill(items)
		before := r.Engine.Requests()
		result, err := r.backfill(nil, func(c *backfill.Config) { c.Segments, c.PageItems = 2, 100 }).Run(r.Context())
		if err != nil || result.Published != items {
			t.Fatalf("%+v, %v", result, err)
		}
		spent := r.Engine.Requests().Since(before)
		scans := spent.Of(localaws.DynamoDB, "Scan")
		if scans < 6 || scans > 7 { // of each segment, every full page and the rest
			t.Errorf("%d scans", scans)
		}
		// Of each page but the last of a segment, ten full requests; the canary.
		if n := spent.Of(localaws.SNS, "PublishBatch"); n < items/10+1 || n > items/10+1+2 {
			t.Errorf("%d PublishBatch", n)
		}
		if n := spent.Of(localaws.DynamoDB, "GetItem"); n > 6 {
			t.Errorf("%d GetItem: reads of versioned items", n)
		}
	})
}

// The rate holds over all segments.
func TestTheRateIsKept(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		r.consume("stats")
		r.fill(300)
		start := time.Now()
		if _, err := r.backfill(nil, func(c *backfill.Config) { c.Rate = 10 }).Run(r.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < 28*time.Second || took > 40*time.Second {
			t.Errorf("300 items at 10 a second took %s", took)
		}
	})
}

func TestWhatIsWrongWithAConfigIsSaidAtOnce(t *testing.T) {
	_, err := backfill.New(backfill.Config{Subscriber: replica.AudienceAll, Segments: 1000, Rate: -1, ResumeWithin: -1})
	for _, part := range []string{"Source is missing", "Runs is missing", "Attributes is missing", "every subscriber", "Segments is 1000", "Rate is -1", "ResumeWithin is -1ns"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("no word of %q in: %v", part, err)
		}
	}
}
