package replica_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// race is a subscriber in the middle of a roll-out: consumers of the old and
// the new mapping, services that add and remove entries, and a network that
// loses requests and answers, all at once.
type race struct {
	*shelf
	rng  *rand.Rand
	lock sync.Mutex
}

func (r *race) roll(n int) int {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.rng.IntN(n)
}

// until repeats something until it succeeds, as redelivery does.
func (r *race) until(do func() error) {
	for attempt := 0; ; attempt++ {
		time.Sleep(time.Duration(r.roll(3000)) * time.Millisecond) // virtual
		err := do()
		if err == nil {
			return
		}
		if attempt == 100 {
			r.t.Errorf("it never succeeds: %v", err)
			return
		}
	}
}

// tryRemove removes an entry, as the service does.
func (r *race) tryRemove(user string) error {
	_, err := r.db.DeleteItem(r.t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String("watchlists"), Key: dynamostore.ToAttributes(attrs("user", user, "cik", "1")),
	})
	return err
}

// deliver applies a change as a consumer does: its second pass comes later, and
// everything may come twice, by either consumer.
func (r *race) deliver(consumers []*replica.Applier, c *contracts.Change, done *sync.WaitGroup) {
	for range 1 + r.roll(2) {
		done.Go(func() {
			var result replica.Result
			r.until(func() (err error) {
				result, err = consumers[r.roll(len(consumers))].Apply(r.t.Context(), c, replica.FirstPass)
				return err
			})
			if result.Again > 0 {
				time.Sleep(result.Again + time.Duration(r.roll(5))*time.Second)
				r.until(func() error {
					_, err := consumers[r.roll(len(consumers))].Apply(r.t.Context(), c, replica.SecondPass)
					return err
				})
			}
		})
	}
}

// Whatever consumers of two mappings, additions, removals and lost answers do
// to each other: everything ends with the latest version, and after the
// roll-out's backfill the replica and every entry hold
// the latest state under the new mapping, no removed entry is back, and the
// service's own attributes are untouched.
func TestARollOutUnderFaultsEndsWithTheLatestStateEverywhere(t *testing.T) {
	for seed := range uint64(16) {
		for name, atomic := range map[string]string{"": "", " atomically": "\n        atomic: true"} {
			t.Run(fmt.Sprint("seed ", seed, name), func(t *testing.T) {
				inShelf(t, func(s *shelf) {
					r := &race{shelf: s, rng: rand.New(rand.NewPCG(seed, 11))}
					r.run("index: by-cik\n", "index: by-cik"+atomic+"\n")
				})
			})
		}
	}
}

func (r *race) run(edits ...string) {
	consumers := []*replica.Applier{r.applier(slices.Concat(edits, newerMapping)...), r.applier(slices.Concat(edits, olderMapping)...)}
	r.watched()
	r.engine.SetFaults(func(localaws.Call) localaws.Fault {
		switch r.roll(8) {
		case 0:
			return localaws.Fault{Drop: localaws.DropResponse}
		case 1:
			return localaws.Fault{Drop: localaws.DropRequest}
		case 2:
			return localaws.Fault{DelayBefore: time.Duration(r.roll(2000)) * time.Millisecond}
		}
		return localaws.Fault{}
	})
	var last *contracts.Change
	var done sync.WaitGroup
	for i := range 5 {
		last = deletion(time.Duration(i+1) * time.Second)
		if r.roll(3) > 0 {
			last = upsert(time.Duration(i+1)*time.Second, "name", fmt.Sprint("name ", i), "sector", fmt.Sprint("sector ", r.roll(2)))
			if r.roll(4) == 0 {
				delete(last.Attributes, "sector")
			}
		}
		r.deliver(consumers, last, &done)
	}
	removed := []string{"new0", "bob"}
	for i := range 3 {
		user := fmt.Sprint("new", i)
		done.Go(func() {
			r.until(func() error {
				return consumers[r.roll(2)].AddCopy(r.t.Context(), "watchlists", "1", attrs("user", user, "cik", "1", "note", user))
			})
			if i == 0 {
				r.until(func() error { return r.tryRemove(user) })
			}
		})
	}
	done.Go(func() { r.until(func() error { return r.tryRemove("bob") }) })
	done.Wait()
	r.engine.SetFaults(nil)
	time.Sleep(time.Minute) // virtual: nothing is under way any more
	entries := slices.DeleteFunc(append([]string{"new0", "new1", "new2"}, users...), func(u string) bool { return slices.Contains(removed, u) })
	for _, item := range append([]contracts.Item{r.company("1")}, r.entries(entries)...) {
		if !item["profileVersion"].Equal(last.Version.Value()) {
			r.t.Errorf("before the backfill, at version %s: %v", last.Version, item)
		}
	}
	if _, err := consumers[0].Apply(r.t.Context(), last, replica.FirstPass); err != nil {
		r.t.Fatal(err)
	}
	want := contracts.Item{}
	for local, name := range map[string]string{"companyName": "name", "sector": "sector"} {
		if v, ok := last.Attributes[name]; ok {
			want[local] = v
		}
	}
	if diff := cmp.Diff(want, copied(r.company("1"))); diff != "" {
		r.t.Errorf("the replica (-want +got)\n%s", diff)
	}
	if v, ok := want["sector"]; ok {
		want["companySector"] = v
		delete(want, "sector")
	}
	for i, item := range r.entries(entries) {
		if diff := cmp.Diff(want, copied(item)); diff != "" || item["note"].Text() != entries[i] {
			r.t.Errorf("the entry of %s, with the note %q (-want +got)\n%s", entries[i], item["note"].Text(), diff)
		}
	}
	for i, item := range r.entries(removed) {
		if item != nil {
			r.t.Errorf("the removed entry of %s is back: %v", removed[i], item)
		}
	}
}

func (r *race) entries(of []string) []contracts.Item {
	var items []contracts.Item
	for _, user := range of {
		items = append(items, r.watch(user, "1"))
	}
	return items
}
