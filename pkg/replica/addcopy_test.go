package replica_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// olderMapping is the manifest before it was changed: the item replica kept
// less, under other names.
var olderMapping = []string{
	"set: {companyName: name, sector: sector}", "set: {title: name}",
	"set: {companyName: name}", "set: {title: name}",
}

// newerMapping has the fan-out carry the sector, too.
var newerMapping = []string{"        set: {companyName: name}\n", "        set: {companyName: name, companySector: sector}\n"}

// An entry that is added while the item replica is still as an older mapping
// wrote it takes what there is, and gets the rest from the backfill that the
// new mapping needs anyway: it must not pass for complete.
func TestAnEntryAddedBeforeTheBackfillOfANewMappingIsFilledByIt(t *testing.T) {
	inShelf(t, func(s *shelf) {
		change := upsert(time.Second, "name", "A", "sector", "X")
		s.apply(s.applier(olderMapping...), change)
		newer := s.applier(newerMapping...)
		if err := newer.AddCopy(s.t.Context(), "watchlists", "1", attrs("user", "ada", "cik", "1")); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(attrs("companyName", "A"), copied(s.watch("ada", "1"))); diff != "" {
			t.Errorf("before the backfill (-want +got)\n%s", diff)
		}
		s.apply(newer, change) // the backfill, at the same version
		if diff := cmp.Diff(attrs("companyName", "A", "companySector", "X"), copied(s.watch("ada", "1"))); diff != "" {
			t.Errorf("after the backfill (-want +got)\n%s", diff)
		}
	})
}

// An entry that changes its subject is read, edited and put by the service; what
// it carried of the old subject must not stay, least of all the version: it
// would outbid the new subject's changes.
func TestAnEntryThatChangesItsSubjectKeepsNothingOfTheOldOne(t *testing.T) {
	for name, c := range map[string]struct {
		before []*contracts.Change // of the new subject
		want   contracts.Item
	}{
		"to one without a profile yet": {nil, contracts.Item{}},
		"to a deleted one":             {[]*contracts.Change{deletion(time.Second)}, contracts.Item{}},
		"to one without that attribute": {[]*contracts.Change{upsert(time.Second, "name", "B")},
			attrs("companyName", "B")},
	} {
		t.Run(name, func(t *testing.T) {
			inShelf(t, func(s *shelf) {
				s.createSeats()
				a := s.applier(append([]string{
					"  - name: watchlists\n    partition_key: {name: user, type: S}\n    sort_key: {name: cik, type: S}\n", "  - name: seats\n    partition_key: {name: seat, type: S}\n",
					"- name: by-cik\n        partition_key: {name: cik, type: S}\n        sort_key: {name: user, type: S}\n        projection: keys_only\n        include: [profileVersion, profileMapping]", "- name: by-employer\n        partition_key: {name: employer, type: S}",
					"table: watchlists", "table: seats", "index: by-cik", "index: by-employer"}, newerMapping...)...)
				old := upsert(time.Hour, "name", "A", "sector", "X")
				old.Subject = "2"
				s.apply(a, old)
				for _, change := range c.before {
					s.apply(a, change)
				}
				seat := func() contracts.Item { return must(s.store.Read(s.t.Context(), "seats", attrs("seat", "7"))) }
				if err := a.AddCopy(s.t.Context(), "seats", "2", attrs("seat", "7", "note", "mine")); err != nil {
					t.Fatal(err)
				}
				if err := a.AddCopy(s.t.Context(), "seats", "1", seat()); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, copied(seat())); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				s.apply(a, upsert(time.Minute, "name", "C")) // before the old subject's version
				if got := seat(); got["companyName"].Text() != "C" || got["note"].Text() != "mine" || got["employer"].Text() != "1" {
					t.Errorf("after the next change of the new subject: %v", got)
				}
			})
		})
	}
}
