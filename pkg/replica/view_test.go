package replica_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
)

func views(t testing.TB, edits ...string) []*replica.View {
	t.Helper()
	m := must(parseStats(edits...))
	all, err := replica.Views(profilev1.Contract, m.Subscribes[0], m.Tables)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// tombstones makes the item replica a dedicated table.
var tombstones = []string{
	"partition_key: {name: cik, type: S}\n  - name: watch", "partition_key: {name: cik, type: S}\n    ttl_attribute: profileExpiresAt\n  - name: watch",
	"on_delete: clear\n      - table: watch", "on_delete: tombstone\n      - table: watch",
}

// source is an item as its owner's table has it, of the n-th second.
func source(n int, pairs ...string) replica.Snapshot {
	return replica.Snapshot{Subject: "1", Version: second(n), Live: true, Shared: attrs(pairs...)}
}

func gone(n int) replica.Snapshot { return replica.Snapshot{Subject: "1", Version: second(n)} }

var viewTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func second(n int) contracts.Version {
	return contracts.VersionAt(viewTime.Add(time.Duration(n) * time.Second))
}

const statsMapping = "clear:companyName=name,sector=sector"

// copyOf is a local item with a copy of the n-th second.
func copyOf(n int, pairs ...string) contracts.Item {
	item := attrs(pairs...)
	item["cik"], item["own"] = contracts.String("1"), contracts.String("the service's")
	item["profileVersion"], item["profileMapping"] = second(n).Value(), contracts.String(statsMapping)
	return item
}

func without(item contracts.Item, names ...string) contracts.Item {
	item = maps.Clone(item)
	for _, name := range names {
		delete(item, name)
	}
	return item
}

func with(item contracts.Item, name string, v contracts.Value) contracts.Item {
	item = maps.Clone(item)
	item[name] = v
	return item
}

func TestViewTellsDriftFromWhatIsRight(t *testing.T) {
	own := contracts.Item{"cik": contracts.String("1"), "own": contracts.String("the service's")}
	live := source(5, "name", "A", "sector", "X")
	right := copyOf(5, "companyName", "A", "sector", "X")
	noCreate := []string{"        set: {companyName: name, sector: sector}\n", "        set: {companyName: name, sector: sector}\n        create: false\n",
		fanOutText, ""} // which needs an item replica that creates
	for behaviour, c := range map[string]struct {
		source replica.Snapshot
		local  contracts.Item
		want   replica.Drift
		edits  []string
	}{
		"a copy of the same version and content":           {source: live, local: right, want: replica.InStep},
		"a version gap by an attribute that is not copied": {source: live, local: copyOf(3, "companyName", "A", "sector", "X"), want: replica.InStep},
		"no local item":                 {source: live, want: replica.Missing},
		"a local item without any copy": {source: live, local: own, want: replica.Missing},
		"older content":                 {source: live, local: copyOf(3, "companyName", "B", "sector", "X"), want: replica.Behind},
		"an attribute of an older state that the source has no more":   {source: source(5, "name", "A"), local: copyOf(3, "companyName", "A", "sector", "X"), want: replica.Behind},
		"a copy that lost its version":                                 {source: live, local: without(right, "profileVersion"), want: replica.Behind},
		"a version that is none":                                       {source: live, local: with(right, "profileVersion", contracts.String("5")), want: replica.Behind},
		"a version of the year 2300":                                   {source: live, local: with(right, "profileVersion", contracts.Number("10413792000000000")), want: replica.Behind},
		"other content of the same version":                            {source: live, local: copyOf(5, "companyName", "B", "sector", "X"), want: replica.Different},
		"an attribute too few":                                         {source: live, local: without(right, "sector"), want: replica.Different},
		"an attribute of another type":                                 {source: live, local: with(right, "sector", contracts.Number("1")), want: replica.Different},
		"another mapping":                                              {source: live, local: with(right, "profileMapping", contracts.String("clear:title=name")), want: replica.Different},
		"no mapping":                                                   {source: live, local: without(right, "profileMapping"), want: replica.Different},
		"a version above, other content":                               {source: live, local: copyOf(6, "companyName", "B"), want: replica.Ahead},
		"a version above, equal content":                               {source: live, local: copyOf(6, "companyName", "A", "sector", "X"), want: replica.Ahead},
		"a cleared copy of an item that came back":                     {source: live, local: copyOf(4), want: replica.Behind},
		"a deleted item's cleared copy":                                {source: gone(5), local: copyOf(5), want: replica.InStep},
		"a cleared copy of an earlier delete":                          {source: gone(5), local: copyOf(2), want: replica.InStep},
		"a deleted item that was never copied":                         {source: gone(5), local: own, want: replica.InStep},
		"a deleted item without a local one":                           {source: gone(5), want: replica.InStep},
		"a deleted item's live copy":                                   {source: gone(5), local: copyOf(4, "companyName", "A"), want: replica.Extra},
		"a deleted item's live copy of the same version":               {source: gone(5), local: copyOf(5, "companyName", "A"), want: replica.Extra},
		"a copy ahead of the delete":                                   {source: gone(5), local: copyOf(6), want: replica.Ahead},
		"a live copy of an item that is gone without a trace":          {source: replica.Snapshot{}, local: right, want: replica.Extra},
		"a cleared copy of an item that is gone without a trace":       {source: replica.Snapshot{}, local: copyOf(9), want: replica.InStep},
		"what an old mapping left of a deleted item":                   {source: gone(5), local: with(with(own, "profileMapping", contracts.String("clear:title=name")), "title", contracts.String("A")), want: replica.Extra},
		"a deleted item's copy that an old mapping cleared":            {source: gone(5), local: with(copyOf(5), "profileMapping", contracts.String("clear:title=name")), want: replica.InStep},
		"no local item where no change creates one":                    {source: live, want: replica.InStep, edits: noCreate},
		"a local item without a copy where no change creates one":      {source: live, local: own, want: replica.Missing, edits: noCreate},
		"an empty string is a value":                                   {source: source(5, "name", "", "sector", "X"), local: copyOf(5, "companyName", "", "sector", "X"), want: replica.InStep},
		"an empty string that should be there":                         {source: source(5, "name", "", "sector", "X"), local: copyOf(5, "sector", "X"), want: replica.Different},
		"unshared attributes of the source and the service's own ones": {source: live, local: with(right, "sectorKey", contracts.String("mine")), want: replica.InStep},
	} {
		t.Run(behaviour, func(t *testing.T) {
			if got := views(t, c.edits...)[0].Compare(c.source, c.local, viewTime); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// fanOutText is the fan-out in statsManifest.
var fanOutText = statsManifest[strings.Index(statsManifest, "      - table: watchlists"):]

func TestViewKnowsTombstones(t *testing.T) {
	view := views(t, tombstones...)[0]
	expiry := func(n int, life time.Duration) contracts.Value {
		return contracts.Number(fmt.Sprint(second(n).Time().Add(life).Unix()))
	}
	dead := without(copyOf(5), "own")
	dead["profileMapping"] = contracts.String(view.Fingerprint())
	alive := with(with(dead, "companyName", contracts.String("A")), "sector", contracts.String("X"))
	dead["profileDeleted"], dead["profileExpiresAt"] = contracts.Bool(true), expiry(5, replica.ReplicaTombstoneLife)
	for behaviour, c := range map[string]struct {
		source replica.Snapshot
		local  contracts.Item
		want   replica.Drift
	}{
		"a tombstone of a deleted item":               {gone(5), dead, replica.InStep},
		"a tombstone of an item that is gone":         {replica.Snapshot{}, dead, replica.InStep},
		"no tombstone, since it expired":              {gone(5), nil, replica.InStep},
		"an item that lives on":                       {gone(6), alive, replica.Extra},
		"an item that lives on without any attribute": {gone(6), without(alive, "companyName", "sector"), replica.Extra},
		"a tombstone that never expires":              {gone(5), without(dead, "profileExpiresAt"), replica.Different},
		"a tombstone that is purged too early":        {gone(5), with(dead, "profileExpiresAt", expiry(5, time.Hour)), replica.Different},
		"a tombstone of a live item":                  {source(5, "name", "A", "sector", "X"), dead, replica.Different},
		"an older tombstone of a live item":           {source(6, "name", "A", "sector", "X"), dead, replica.Behind},
		"a live item that TTL is going to remove":     {source(5, "name", "A", "sector", "X"), with(alive, "profileExpiresAt", expiry(5, time.Hour)), replica.Different},
		"a live item": {source(5, "name", "A", "sector", "X"), alive, replica.InStep},
		"a tombstone whose version is above the source's": {gone(4), dead, replica.Ahead},
	} {
		t.Run(behaviour, func(t *testing.T) {
			if got := view.Compare(c.source, c.local, viewTime); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// What an applier has written is in step by the view, and a view has nothing to
// say that the applier would not mend by the same change.
func TestViewAgreesWithTheApplier(t *testing.T) {
	all := views(t)
	item, fan := all[0], all[1]
	inShelf(t, func(s *shelf) {
		a := s.applier()
		rapid.Check(t, func(rt *rapid.T) {
			cik := rapid.StringMatching(`[a-z]{8}`).Draw(rt, "cik")
			s.put("watchlists", attrs("user", "ada", "cik", cik))
			var last replica.Snapshot
			for _, n := range rapid.SliceOfN(rapid.IntRange(1, 9), 1, 4).Draw(rt, "seconds") {
				change := upsert(time.Duration(n)*time.Second, "name", fmt.Sprint("name ", n), "sector", fmt.Sprint("sector ", n%2))
				if n%3 == 0 {
					change.Operation, change.Attributes = contracts.Delete, nil
				}
				change.Subject = cik
				s.apply(a, change)
				if change.Version >= last.Version {
					last = replica.Snapshot{Subject: cik, Version: change.Version, Live: change.Attributes != nil, Shared: change.Attributes}
				}
			}
			now := time.Now()
			if got := item.Compare(last, s.company(cik), now); got != replica.InStep {
				rt.Errorf("the item replica is %s: source %v, local %v", got, last, s.company(cik))
			}
			if got := fan.Compare(last, s.watch("ada", cik), now); got != replica.InStep {
				rt.Errorf("the copy is %s: source %v, local %v", got, last, s.watch("ada", cik))
			}
		})
	})
}

func TestViewsKnowWhoseCopyAnItemIs(t *testing.T) {
	all := views(t, "        key: {cik: subject}\n", "        subject: \"{cik}\"\n        key: {cik: \"COMPANY#{cik}\"}\n")
	item, fan := all[0], all[1]
	// Of the items that name the subject the index lists those that have a rank.
	ranked := views(t, "partition_key: {name: cik, type: S}\n        sort_key: {name: user, type: S}\n", "partition_key: {name: cik, type: S}\n        sort_key: {name: rank, type: S}\n")[1]
	if got := []string{item.Name(), fan.Name()}; !slices.Equal(got, []string{"company-stats", "watchlists by-cik"}) {
		t.Errorf("the views are %v", got)
	}
	for behaviour, c := range map[string]struct {
		view    *replica.View
		local   contracts.Item
		subject string
		ok      bool
	}{
		"an item's key leads back":                  {item, attrs("cik", "COMPANY#7"), "7", true},
		"an item of another kind has none":          {item, attrs("cik", "USER#7"), "", false},
		"a key of another type has none":            {item, contracts.Item{"cik": contracts.Number("7")}, "", false},
		"a copy's index key leads back":             {fan, attrs("user", "ada", "cik", "7"), "7", true},
		"an item that is not in the index has none": {fan, attrs("user", "ada"), "", false},
		"one that the index lists has":              {ranked, attrs("user", "ada", "cik", "7", "rank", "first"), "7", true},
		"one without the index's sort key has none": {ranked, attrs("user", "ada", "cik", "7"), "", false},
		"one with an empty sort key has none":       {ranked, attrs("user", "ada", "cik", "7", "rank", ""), "", false},
		"one that was copied to, and left, has":     {ranked, attrs("user", "ada", "cik", "7", "companyName", "A"), "7", true},
	} {
		if subject, ok := c.view.Subject(c.local); subject != c.subject || ok != c.ok {
			t.Errorf("%s: got %q, %v", behaviour, subject, ok)
		}
	}
	key, err := item.Key("7")
	if diff := cmp.Diff(attrs("cik", "COMPANY#7"), key); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := fan.Key("7"); err == nil {
		t.Error("a fan-out gave one local item for a subject")
	}
	if diff := cmp.Diff(attrs("user", "ada", "cik", "7"), fan.LocalKey(attrs("user", "ada", "cik", "7", "own", "x"))); diff != "" {
		t.Error(diff)
	}
}

// What Attributes and SourceAttributes name is enough: nothing else makes a
// difference to a live item's comparison.
func TestViewsNeedOnlyTheAttributesTheyName(t *testing.T) {
	m := profileManifest(t)
	s := must(replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract))
	all := views(t)
	if diff := cmp.Diff([]string{"deleted", "expiresAt", "mapping", "name", "sector", "stampedVersion", "stampedVersionFor", "version"},
		replica.SourceAttributes(s, all)); diff != "" {
		t.Errorf("of the source (-want +got)\n%s", diff)
	}
	for _, view := range all {
		for _, local := range []contracts.Item{copyOf(5, "companyName", "A", "sector", "X"), copyOf(4, "companyName", "B"), copyOf(6)} {
			part := contracts.Item{}
			for _, name := range view.Attributes() {
				if v, ok := local[name]; ok {
					part[name] = v
				}
			}
			whole, some := view.Compare(source(5, "name", "A", "sector", "X"), local, viewTime), view.Compare(source(5, "name", "A", "sector", "X"), part, viewTime)
			if whole != some {
				t.Errorf("%s: %v is %s, what is asked for of it %s", view.Name(), local, whole, some)
			}
		}
	}
}
