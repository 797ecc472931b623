package reconcile_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// damage breaks one quiet company's copies, or its source, and says what a run
// must find.
type damage func(r *rig, cik string) []string

var none = contracts.Value{} // removes an attribute

func text(s string) contracts.Value { return contracts.String(s) }

// later is an item's version, moved.
func later(item contracts.Item, attribute string, by time.Duration) contracts.Value {
	return (contracts.VersionOf(item[attribute], time.Now().Add(contracts.MaxAhead)) + contracts.Version(by.Microseconds())).Value()
}

var damages = map[string]damage{
	"nothing is wrong": func(*rig, string) []string { return nil },
	"an attribute that nobody copies changed": func(r *rig, cik string) []string {
		r.own(cik, contracts.Item{"headquarters": text("Dallas")})
		return nil
	},
	"the merged copy is gone, the item is not": func(r *rig, cik string) []string {
		r.edit("company-stats", statsKey(cik), contracts.Item{"companyName": none, "sector": none, "profileVersion": none, "profileMapping": none})
		return []string{"missing company-stats " + cik}
	},
	"a dedicated copy is gone": func(r *rig, cik string) []string {
		r.remove("entries", idKey(cik))
		return []string{"missing entries " + cik}
	},
	"an old state is back": func(r *rig, cik string) []string {
		r.edit("company-stats", statsKey(cik), contracts.Item{
			"companyName": text("old"), "profileVersion": later(r.read("company-stats", statsKey(cik)), "profileVersion", -time.Hour)})
		return []string{"behind company-stats " + cik}
	},
	"the version is gone": func(r *rig, cik string) []string {
		r.edit("entries", idKey(cik), contracts.Item{"sourceVersion": none})
		return []string{"behind entries " + cik}
	},
	"somebody wrote into the copy": func(r *rig, cik string) []string {
		r.edit("company-stats", statsKey(cik), contracts.Item{"sector": text("wrong")})
		return []string{"different company-stats " + cik}
	},
	"a live item is marked for removal": func(r *rig, cik string) []string {
		r.edit("entries", idKey(cik), contracts.Item{"sourceExpiresAt": contracts.Number("99999999999")})
		return []string{"different entries " + cik}
	},
	"the copy is of another mapping": func(r *rig, cik string) []string {
		r.edit("company-stats", statsKey(cik), contracts.Item{"title": text("old"), "companyName": none, "profileMapping": text("clear:title=name")})
		return []string{"different company-stats " + cik}
	},
	"the copy is ahead": func(r *rig, cik string) []string {
		r.edit("company-stats", statsKey(cik), contracts.Item{
			"companyName": text("from nowhere"), "profileVersion": later(r.read("company-stats", statsKey(cik)), "profileVersion", time.Hour)})
		return []string{"ahead company-stats " + cik}
	},
	"the copy is ahead and equal": func(r *rig, cik string) []string {
		r.edit("entries", idKey(cik), contracts.Item{"sourceVersion": later(r.read("entries", idKey(cik)), "sourceVersion", time.Hour)})
		return []string{"ahead entries " + cik}
	},
	"an entry's copy is old, another's missing, a third's wrong, a fourth's ahead": func(r *rig, cik string) []string {
		at := func(user string) contracts.Item { return entryKey(user, cik) }
		version := func(by time.Duration) contracts.Value {
			return later(r.read("watchlists", at("ada")), "profileVersion", by)
		}
		r.edit("watchlists", at("ada"), contracts.Item{"companyName": text("old"), "profileVersion": version(-time.Hour)})
		r.Put("watchlists", at("bob"))
		r.edit("watchlists", at("cyd"), contracts.Item{"companyName": text("wrong")})
		r.edit("watchlists", at("dan"), contracts.Item{"profileVersion": version(2 * time.Hour)})
		const in = " watchlists by-cik "
		return []string{"behind" + in + cik + " ada", "missing" + in + cik + " bob", "different" + in + cik + " cyd", "ahead" + in + cik + " dan"}
	},
	"copies of an item that never was": func(r *rig, cik string) []string {
		for table, copied := range map[string][2]contracts.Item{
			"company-stats": {statsKey("ghost" + cik), r.read("company-stats", statsKey(cik))},
			"entries":       {idKey("ghost" + cik), r.read("entries", idKey(cik))},
			"watchlists":    {entryKey("ada", "ghost"+cik), r.read("watchlists", entryKey("ada", cik))},
		} {
			for name := range copied[0] {
				delete(copied[1], name)
			}
			r.Put(table, copied[0])
			r.edit(table, copied[0], copied[1])
		}
		return []string{"extra company-stats ghost" + cik, "extra entries ghost" + cik, "extra watchlists by-cik ghost" + cik + " ada"}
	},
	"a deleted item's copies live": func(r *rig, cik string) []string {
		merged, dedicated := r.read("company-stats", statsKey(cik)), r.read("entries", idKey(cik))
		r.own(cik, nil)
		time.Sleep(time.Minute)
		r.Put("company-stats", merged)
		r.Put("entries", dedicated)
		return []string{"extra company-stats " + cik, "extra entries " + cik}
	},
	"a tombstone is purged too early": func(r *rig, cik string) []string {
		r.own(cik, nil)
		time.Sleep(time.Minute)
		r.edit("entries", idKey(cik), contracts.Item{"sourceExpiresAt": contracts.Number(fmt.Sprint(time.Now().Add(48 * time.Hour).Unix()))})
		return []string{"different entries " + cik}
	},
	"a deleted item's copies are cleared": func(r *rig, cik string) []string {
		r.own(cik, nil)
		return nil
	},
	"the source item violates the contract": func(r *rig, cik string) []string {
		r.own(cik, contracts.Item{"name": contracts.Number("7")})
		return []string{"unpublishable " + cik}
	},
	"the source item is gone without a trace, and its copies cleared": func(r *rig, cik string) []string {
		r.own(cik, nil)
		time.Sleep(time.Minute)
		r.remove("companies", keyOf(cik))
		time.Sleep(time.Minute) // the relay puts the tombstone back
		return nil
	},
}

// mends says whether a repair can mend a damage.
func mends(name string) bool { return name != "the source item violates the contract" }

// traffic writes other companies all the time, in every way, until stop.
func (r *rig) traffic(rng *rand.Rand, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(50+rng.IntN(400)) * time.Millisecond):
		}
		cik := "busy" + strconv.Itoa(rng.IntN(6))
		switch rng.IntN(30) {
		case 0:
			r.own(cik, nil)
		case 1:
			r.remove("companies", keyOf(cik))
		case 2:
			r.watch("eve", cik)
		case 3: // by something that knows nothing of versions
			r.edit("companies", keyOf(cik), company(fmt.Sprint("foreign ", n)))
		default:
			r.own(cik, company(fmt.Sprint("name ", n)))
		}
	}
}

// Every kind of damage beside live traffic is found, and nothing else; a repair
// mends all of it but what only the owner can mend; then nothing is found.
func TestRunsFindExactlyTheDamageAndRepairIt(t *testing.T) {
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inRig(t, func(r *rig) {
				rng := rand.New(rand.NewPCG(seed, 11))
				r.start()
				quiet := make(map[string]string) // cik -> damage
				for name := range damages {
					for range 2 {
						cik := strconv.Itoa(len(quiet))
						quiet[cik] = name
						r.own(cik, company("company "+cik))
						r.Put("company-stats", contracts.Item{"pk": text("COMPANY#" + cik), "own": text("the service's")})
						for _, user := range []string{"ada", "cyd", "dan"} {
							r.watch(user, cik)
						}
					}
				}
				r.Put("company-stats", contracts.Item{"pk": text("USER#7"), "companyName": text("of another kind")})
				r.Put("watchlists", contracts.Item{"user": text("ada"), "cik": text("settings")}) // no company's
				time.Sleep(5 * time.Minute)
				stop := make(chan struct{})
				var traffic sync.WaitGroup
				traffic.Go(func() { r.traffic(rng, stop) })
				want, left := make(map[string]int), make(map[string]int)
				for cik, name := range quiet {
					for _, found := range damages[name](r, cik) {
						want[found]++
						if !mends(name) {
							left[found]++
						}
					}
				}
				time.Sleep(time.Minute)

				result, found := r.reconcile(false)
				if diff := cmp.Diff(want, found.counted()); diff != "" {
					r.Errorf("found (-want +got)\n%s%v", diff, result)
				}
				// What stamps a subject's source for one copy mends its other ones
				// before their pass.
				for name := range want {
					if subject, ok := strings.CutPrefix(name, "extra company-stats "); ok {
						delete(want, "extra entries "+subject)
						delete(want, "extra watchlists by-cik "+subject+" ada")
					}
				}
				result, found = r.reconcile(true)
				if diff := cmp.Diff(want, found.counted()); diff != "" {
					r.Errorf("found by the repair (-want +got)\n%s%v", diff, result)
				}
				for of, err := range found.repaired {
					if err != nil {
						r.Errorf("%s: %v", of, err)
					}
				}
				if result.Repaired != int64(len(want)-len(left)) || result.NotRepaired != 0 {
					r.Errorf("%d repaired and %d not, of %d that can be", result.Repaired, result.NotRepaired, len(want)-len(left))
				}
				result, found = r.reconcile(false)
				if diff := cmp.Diff(left, found.counted()); diff != "" {
					r.Errorf("found after the repair (-want +got)\n%s%v", diff, result)
				}
				close(stop)
				traffic.Wait()
				time.Sleep(5 * time.Minute)
				if result, found = r.reconcile(false); result.InFlight != 0 {
					r.Errorf("at rest %d differences are in flight: %v", result.InFlight, found.counted())
				}
				for cik := range quiet {
					if item := r.read("company-stats", statsKey(cik)); item["own"].Text() != "the service's" {
						r.Errorf("the service's own attribute of %s is lost: %v", cik, item)
					}
				}
			})
		})
	}
}
