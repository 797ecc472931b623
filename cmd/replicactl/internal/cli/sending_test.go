package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/replay"
)

// looked is the recipient of the services' own manifests, as it would have been
// found.
func looked(t *testing.T, items, bytes int64) *recipient {
	t.Helper()
	var all []*manifest.Manifest
	for _, service := range []string{"profile", "stats"} {
		m, err := manifest.Load("../../../../services/" + service + "/" + manifest.FileName)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	set := target.New(all)
	r := &recipient{items: items, tableBytes: bytes}
	var err error
	if r.owner, err = set.Publication("company.profile/v1"); err != nil {
		t.Fatal(err)
	}
	if r.sub, err = set.Subscription("company.profile/v1", "stats"); err != nil {
		t.Fatal(err)
	}
	if r.source, err = r.owner.Source(); err != nil {
		t.Fatal(err)
	}
	return r
}

func countOf(t *testing.T, p *plan, what string) planCount {
	t.Helper()
	for _, c := range p.Counts {
		if c.What == what {
			return c
		}
	}
	t.Fatalf("the plan counts no %q: %+v", what, p.Counts)
	return planCount{}
}

func requestsOf(t *testing.T, p *plan, operation string) int64 {
	t.Helper()
	for _, line := range p.Requests {
		if line.Operation == operation {
			return line.Requests
		}
	}
	t.Fatalf("the plan has no %q: %+v", operation, p.Requests)
	return 0
}

func TestAPlanTakesOffWhatAnInterruptedRunDid(t *testing.T) {
	r := looked(t, 1_000_000, 1_000_000_000)
	f := &backfillFlags{sendingFlags: sendingFlags{contract: "company.profile/v1", to: "stats", rate: 250, maxBacklog: 10_000}, segments: 4}
	now := time.Unix(1_800_001_000, 0)
	planned := func(before *dynamostore.Run) *plan { return backfillPlan(r, f, f.last(before, now)) }
	fresh := planned(nil)
	before := &dynamostore.Run{Started: time.Unix(1_800_000_000, 0), Saved: now.Add(-dynamostore.ResumeWithin), Segments: []dynamostore.Place{
		{Done: true, Counts: map[string]int64{"scanned": 300_000}}, {Counts: map[string]int64{"scanned": 450_000}},
	}}
	resumed := planned(before)
	if all, left := requestsOf(t, fresh, "PublishBatch"), requestsOf(t, resumed, "PublishBatch"); all != 100_000 || left != 25_000 {
		t.Errorf("publishes %d in all, %d when resumed", all, left)
	}
	if fresh.Dollars <= resumed.Dollars || resumed.Dollars <= 0 {
		t.Errorf("costs %v in all, %v when resumed", fresh.Dollars, resumed.Dollars)
	}
	if c := countOf(t, resumed, "to read"); c.N != 250_000 || !c.Estimate {
		t.Errorf("%+v to read", c)
	}
	for p, want := range map[*plan]string{fresh: "it takes about 1h6m40s", resumed: "it takes about 16m40s"} {
		if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, want) {
			t.Errorf("no %q in %s", want, notes)
		}
	}
	if notes := strings.Join(resumed.Notes, "\n"); !strings.Contains(notes, "with its 2 segments, 1 of them done") {
		t.Errorf("says %s", notes)
	}
	f.restart = true
	if anew := planned(before); requestsOf(t, anew, "PublishBatch") != 100_000 || !strings.Contains(strings.Join(anew.Notes, "\n"), "is given up") {
		t.Errorf("a restart plans %+v", anew)
	}
	// One that nothing was heard of for longer is resumed only where that is said.
	f.restart, before.Saved = false, now.Add(-dynamostore.ResumeWithin-time.Second)
	if old := planned(before); requestsOf(t, old, "PublishBatch") != 100_000 || !strings.Contains(strings.Join(old.Notes, "\n"), "last heard of at 2027-01-15T07:16:39Z, over an hour ago, and is given up") {
		t.Errorf("after an old run it plans %+v", old)
	}
	f.resumeOld = true
	if old := planned(before); requestsOf(t, old, "PublishBatch") != 25_000 {
		t.Errorf("going on with an old run it plans %+v", old)
	}
	f.resumeOld, before.Finished = false, before.Started.Add(time.Hour)
	if again := planned(before); requestsOf(t, again, "PublishBatch") != 100_000 || !strings.Contains(strings.Join(again.Notes, "\n"), "this is another one") {
		t.Errorf("a run after one that ended plans %+v", again)
	}
	// Fewer counted than were read: DynamoDB's count is old.
	before.Finished, before.Saved, r.items = time.Time{}, now, 10
	if late := planned(before); countOf(t, late, "to read").N != 0 || late.Dollars < 0 {
		t.Errorf("after an old count it plans %+v", late)
	}
}

func TestSpansAreReadAsAgesOrMoments(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		since, until string
		from, to     time.Time
		usage, old   bool
	}{
		"an age":                       {since: "3h", from: now.Add(-3 * time.Hour), to: now},
		"ages":                         {since: "3h", until: "30m", from: now.Add(-3 * time.Hour), to: now.Add(-30 * time.Minute)},
		"moments":                      {since: "2026-03-01T02:00:00Z", until: "2026-03-01T05:00:00+02:00", from: now.Add(-10 * time.Hour), to: now.Add(-9 * time.Hour)},
		"an age and a moment":          {since: "24h", until: "2026-03-01T02:00:00Z", from: now.Add(-24 * time.Hour), to: now.Add(-10 * time.Hour)},
		"older than the stream":        {since: "24h1s", old: true},
		"no time":                      {since: "yesterday", usage: true},
		"an age to come":               {since: "-3h", usage: true},
		"a moment to come":             {since: "2026-03-01T12:00:01Z", usage: true},
		"an end before the beginning":  {since: "3h", until: "4h", usage: true},
		"an end that is no time":       {since: "3h", until: "noon", usage: true},
		"an end before, both long ago": {since: "2025-03-01T12:00:01Z", until: "2024-03-01T12:00:01Z", usage: true},
	} {
		f := replayFlags{since: c.since, until: c.until, sendingFlags: sendingFlags{contract: "company.profile/v1", to: "stats"}}
		from, to, err := f.span(now)
		_, usage := errors.AsType[*usageError](err)
		if usage != c.usage || errors.Is(err, replay.ErrTooOld) != c.old || (err != nil) != (c.usage || c.old) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (!from.Equal(c.from) || !to.Equal(c.to)) {
			t.Errorf("%s: from %s to %s", name, from, to)
		}
		if c.old && !strings.HasSuffix(err.Error(), "replicactl backfill --contract company.profile/v1 --to stats") {
			t.Errorf("%s: no advice in %v", name, err)
		}
	}
}

func TestWhatStoppedABackfillSaysHowToGoOn(t *testing.T) {
	begun := &backfill.Result{Run: "r", Counts: backfill.Counts{Published: 7}}
	broke := errors.New("scan: throttled")
	for name, c := range map[string]struct {
		flags backfillFlags
		done  *backfill.Result
		err   error
		want  string // how; empty for no advice but the error's own
		text  string
	}{
		"before it began":       {done: &backfill.Result{}, err: broke, want: "nothing was published; run the same command again", text: "scan: throttled"},
		"in the middle":         {done: begun, err: broke, want: "7 changes were published and noted; run the same command again within an hour, it goes on where it stopped", text: "scan: throttled"},
		"after a restart":       {flags: backfillFlags{runFlags: runFlags{restart: true}}, done: begun, err: broke, want: "7 changes were published and noted; run the same command without --restart within an hour, it goes on where it stopped", text: "scan: throttled"},
		"by another's restart":  {done: begun, err: dynamostore.ErrSuperseded, text: "somebody began it with --restart"},
		"by the canary's death": {done: &backfill.Result{}, err: &backfill.CanaryError{Subscriber: "stats", Waited: time.Minute}, text: "did not note it within 1m0s"},
	} {
		err := stoppedBackfill(&c.flags, c.done, c.err)
		stopped, _ := errors.AsType[*resumable](err)
		if !errors.Is(err, c.err) || !strings.Contains(err.Error(), c.text) || (stopped != nil) != (c.want != "") || stopped != nil && stopped.how != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRejectedItemsAreListedWithTheNumberOfTheOthers(t *testing.T) {
	var out bytes.Buffer
	printRejected(&out, []rejectedView{{"320193", "state violates the contract", "name: is a number"}, {"", "no subject", "the key has no cik"}}, 5)
	want := "5 can never be published as they are, and were left out:\n" +
		"  320193  state violates the contract  name: is a number\n" +
		"  -       no subject                   the key has no cik\n" +
		"  and 3 more\n"
	if out.String() != want {
		t.Errorf("printed\n%s", &out)
	}
	out.Reset()
	if printRejected(&out, nil, 0); out.Len() > 0 {
		t.Errorf("printed %s of nothing", &out)
	}
}
