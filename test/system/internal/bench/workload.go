package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/test/system/internal/input"
)

// Pattern says in which order items change.
type Pattern string

// The patterns.
const (
	// Steady: every item once, all other changes by a Zipf distribution, in
	// random order.
	Steady Pattern = "steady"
	// Burst: every item that changes does so ten times in a row.
	Burst Pattern = "burst"
)

const (
	// zipfExponent is YCSB's usual skew.
	zipfExponent = 0.99
	// burstChanges are the changes of one burst.
	burstChanges = 10
	// initialVersion is that of every item before the first change.
	initialVersion contracts.Version = 1_700_000_000_000_000
)

// Workload is a sequence of changes to an owner's items: the lines of a change
// log, played to many items beside each other. It is immutable.
type Workload struct {
	subjects []string
	states   []contracts.Item // of the log's lines; nil deletes the item
	before   []int            // each item's state before the first change
	changes  []step
}

// step is one change: the item and its new state.
type step struct{ item, state int }

// NewWorkload plays a log to items under keys of their own, each beginning at
// another line. Equal arguments make equal workloads. Every change changes
// something.
func NewWorkload(pattern Pattern, log []input.ProfileChange, changes, items int, seed uint64) (*Workload, error) {
	switch {
	case items < 1 || changes < items && pattern == Steady:
		return nil, fmt.Errorf("workload %s: %d changes over %d items: want at least one change an item", pattern, changes, items)
	case len(log) < 2:
		return nil, fmt.Errorf("workload %s: the change log has %d lines, want at least 2", pattern, len(log))
	}
	w := &Workload{states: make([]contracts.Item, len(log))}
	for i, line := range log {
		if line.Op == input.Delete {
			continue
		}
		p := line.Profile
		state, err := contracts.Marshal(profilev1.Contract, profilev1.Profile{
			Name: p.Name, Sector: p.Sector, SubIndustry: p.SubIndustry, Headquarters: p.Headquarters,
			Tickers: p.Tickers, Founded: p.Founded, DateAdded: p.DateAdded,
		})
		if err != nil {
			return nil, fmt.Errorf("workload %s: %s: %w", pattern, line.At, err)
		}
		w.states[i] = state
	}
	for i := range items {
		w.subjects = append(w.subjects, fmt.Sprintf("%s-%d", log[i%len(log)].CIK, i))
		w.before = append(w.before, i%len(log))
	}
	random := rand.New(rand.NewPCG(seed, uint64(len(pattern))))
	order := steadyOrder(random, changes, items)
	if pattern == Burst {
		order = burstOrder(random, changes, items)
	}
	now := append([]int(nil), w.before...)
	for _, item := range order {
		next := (now[item] + 1) % len(log)
		for w.same(now[item], next) && next != now[item] {
			next = (next + 1) % len(log)
		}
		if next == now[item] {
			return nil, fmt.Errorf("workload %s: all lines of the change log have the same state", pattern)
		}
		now[item] = next
		w.changes = append(w.changes, step{item, next})
	}
	return w, nil
}

func (w *Workload) same(a, b int) bool {
	return (w.states[a] == nil) == (w.states[b] == nil) && w.states[a].Equal(w.states[b])
}

// steadyOrder is every item once and the rest by Zipf, shuffled.
func steadyOrder(random *rand.Rand, changes, items int) []int {
	ranked := random.Perm(items)
	sums := make([]float64, items)
	total := 0.0
	for rank := range sums {
		total += math.Pow(float64(rank+1), -zipfExponent)
		sums[rank] = total
	}
	order := random.Perm(items)
	for len(order) < changes {
		rank := sort.SearchFloat64s(sums, random.Float64()*total)
		order = append(order, ranked[min(rank, items-1)])
	}
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// burstOrder is one item after the other, ten changes each.
func burstOrder(random *rand.Rand, changes, items int) []int {
	var order []int
	for turn := random.Perm(items); ; {
		for _, item := range turn {
			for range burstChanges {
				if len(order) == changes {
					return order
				}
				order = append(order, item)
			}
		}
	}
}

// First is the workload up to so many changes.
func (w *Workload) First(changes int) *Workload {
	first := *w
	first.changes = w.changes[:min(changes, len(w.changes))]
	return &first
}

// Clock gives the changes their versions, and so the times at which the owner
// is to have made them: the first at Base, each Step after the one before it.
type Clock struct {
	Base time.Time
	Step time.Duration // whole microseconds
}

func (c Clock) at(change int) time.Time { return c.Base.Add(time.Duration(change) * c.Step) }

func (c Clock) version(change int) contracts.Version { return contracts.VersionAt(c.at(change)) }

// change returns which change has a version; negative for the initial state.
func (c Clock) change(v contracts.Version) int { return int(v.Time().Sub(c.Base) / c.Step) }

// Records returns the stream records of the changes, with old and new images.
func (w *Workload) Records(clock Clock) []replica.Record {
	images := make([]contracts.Item, len(w.subjects))
	records := make([]replica.Record, len(w.changes))
	for i, c := range w.changes {
		if images[c.item] == nil {
			images[c.item] = w.image(c.item, w.before[c.item], initialVersion)
		}
		version := clock.version(i)
		next := w.image(c.item, c.state, version)
		records[i] = replica.Record{
			EventID: fmt.Sprintf("event-%d", i), EventName: replica.Modify,
			SequenceNumber: fmt.Sprintf("%021d", i+1),
			Created:        version.Time().Truncate(time.Second),
			Keys:           contracts.Item{keyAttribute: next[keyAttribute]},
			Old:            images[c.item], New: next,
		}
		images[c.item] = next
	}
	return records
}

// image is an item in the owner's table.
func (w *Workload) image(item, state int, version contracts.Version) contracts.Item {
	image := contracts.Item{keyAttribute: contracts.String(w.subjects[item]), "version": version.Value()}
	for name, v := range w.states[state] {
		image[name] = v
	}
	if w.states[state] == nil {
		image["deleted"] = contracts.Bool(true)
		image["expiresAt"] = replica.SourceTombstoneExpiry(version.Time(), version)
	}
	return image
}

// held is what the replica holds of an item.
type held struct {
	version contracts.Version
	copied  contracts.Item
}

// Initial returns what the replica holds before the first change.
func (w *Workload) Initial() map[string]held {
	all := make(map[string]held, len(w.subjects))
	for i, subject := range w.subjects {
		all[subject] = held{initialVersion, copied(w.states[w.before[i]])}
	}
	return all
}

// Final returns what the replica has to hold after the last change.
func (w *Workload) Final(clock Clock) map[string]held {
	all := w.Initial()
	for i, c := range w.changes {
		all[w.subjects[c.item]] = held{clock.version(i), copied(w.states[c.state])}
	}
	return all
}
