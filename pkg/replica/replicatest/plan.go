package replicatest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Kind is what a step of a plan does.
type Kind string

// The kinds of steps.
const (
	OwnWrite      Kind = "own write"       // versioned and conditional
	OwnDelete     Kind = "own delete"      // a tombstone
	OwnRace       Kind = "own race"        // two owners' writes at once, with skewed clocks
	ForeignWrite  Kind = "foreign write"   // changes a shared attribute, keeps the version
	ForeignPut    Kind = "foreign put"     // drops the version
	ForeignOld    Kind = "foreign restore" // lowers the version
	ForeignRevive Kind = "foreign revive"  // takes a tombstone's mark off, keeps the version
	ForeignDelete Kind = "foreign delete"
	IntoStamp     Kind = "write into a stamp"   // between the relay's read and its write
	IntoWrite     Kind = "write into own write" // between the owner's read and its write
	// Expiry ends a live item's TTL and sweeps it. A tombstone keeps the life its
	// writer gave it, which no version survives (DESIGN.md section 7); Peace lets
	// that pass.
	Expiry        Kind = "expiry"
	Unpublishable Kind = "unpublishable write"
	ServiceWrite  Kind = "service write" // the subscriber's own attribute, beside a copy
	Watch         Kind = "watch"         // a new local item with a copy
	Unwatch       Kind = "unwatch"

	KillRelay    Kind = "kill relay"    // between two of its calls
	KillConsumer Kind = "kill consumer" // likewise
	RollRelay    Kind = "roll relay"    // a graceful restart
	RollConsumer Kind = "roll consumer"
	PairRelay    Kind = "pair relay" // starts a second one, or stops it
	PairConsumer Kind = "pair consumer"
	SplitShards  Kind = "split shards"
	RotateShards Kind = "rotate shards"
	IndexLag     Kind = "index lag" // and a write of an item whose copy it does not show yet

	Backfill Kind = "backfill" // runs until it succeeds, whatever else happens
	Replay   Kind = "replay"   // likewise
	Redrive  Kind = "redrive"  // likewise
	Lapse    Kind = "lapse"    // a minute in which handlers outlast visibility timeouts
	// Blackout is longer than a stream keeps its records; a backfill makes up for
	// it.
	Blackout Kind = "blackout"

	Pause  Kind = "pause"  // seconds, everything running
	Outage Kind = "outage" // hours in which no process runs
	Peace  Kind = "peace"  // everything settles and is compared; then 31 days and a TTL sweep
)

// Step is one step of a plan.
type Step struct {
	// ID is the step's place in the seed's plan; values it writes carry it.
	ID   int
	Kind Kind
	// Item is the number of the source item or the subscriber concerned.
	Item int
	// N chooses among what the kind leaves open: users, attributes, calls
	// until a process dies.
	N int
	// Skew is the writer's clock against the true one.
	Skew time.Duration
	// Then is how long the plan waits after the step.
	Then time.Duration
}

// String describes a step for a trace.
func (s Step) String() string {
	text := fmt.Sprintf("%3d %s of %d, n %d", s.ID, s.Kind, s.Item, s.N)
	if s.Skew != 0 {
		text += fmt.Sprintf(", clock %+v", s.Skew)
	}
	if s.Then != 0 {
		text += fmt.Sprintf(", then %v", s.Then)
	}
	return text
}

// Plan is what one simulation does.
type Plan struct {
	// Seed decides about the weather, whatever the steps.
	Seed  uint64
	Steps []Step
}

// String lists the steps.
func (p Plan) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "seed %d, %d steps\n", p.Seed, len(p.Steps))
	for _, s := range p.Steps {
		fmt.Fprintln(&text, " ", s)
	}
	return text.String()
}

// weights are how often a kind comes, as a most; each seed draws its own.
var weights = []struct {
	kind Kind
	most int
}{
	{OwnWrite, 12}, {OwnDelete, 5}, {OwnRace, 6}, {ForeignWrite, 5}, {ForeignPut, 4}, {ForeignOld, 4}, {ForeignRevive, 2},
	{ForeignDelete, 4}, {IntoStamp, 4}, {IntoWrite, 3}, {Expiry, 3}, {Unpublishable, 1}, {ServiceWrite, 4}, {Watch, 5}, {Unwatch, 2},
	{KillRelay, 3}, {KillConsumer, 4}, {RollRelay, 1}, {RollConsumer, 2}, {PairRelay, 2}, {PairConsumer, 2},
	{SplitShards, 1}, {RotateShards, 1}, {IndexLag, 2}, {Backfill, 2}, {Replay, 2}, {Redrive, 2}, {Lapse, 2}, {Pause, 6}, {Outage, 1},
}

// Items is how many source items a plan writes: few, so that steps meet.
const Items = 3

// NewPlan returns the plan of a seed: 30 to 80 steps.
func NewPlan(seed uint64) Plan {
	rng := rand.New(rand.NewPCG(seed, 1))
	var kinds []Kind
	for _, w := range weights {
		for range rng.IntN(w.most + 1) {
			kinds = append(kinds, w.kind)
		}
	}
	kinds = append(kinds, OwnWrite)
	plan := Plan{Seed: seed}
	steps, peace, splits, blackouts := 30+rng.IntN(51), 0, 0, 0
	for id := range steps {
		s := Step{ID: id, Kind: kinds[rng.IntN(len(kinds))], Item: rng.IntN(Items), N: rng.IntN(1 << 16)}
		if rng.IntN(3) == 0 {
			s.Skew = time.Duration(rng.IntN(8000)-4000) * time.Millisecond
			if rng.IntN(6) == 0 {
				s.Skew *= 100
			}
		}
		switch rng.IntN(4) {
		case 0:
			s.Then = time.Duration(rng.IntN(3000)) * time.Millisecond
		case 1:
			s.Then = time.Duration(rng.IntN(100)) * time.Millisecond
		}
		switch {
		case s.Kind == SplitShards || s.Kind == RotateShards:
			if splits++; splits > 2 {
				s.Kind = Pause
			}
		case id > steps/3 && blackouts == 0 && rng.IntN(400) == 0:
			s.Kind, blackouts = Blackout, 1
		case id > steps/3 && peace == 0 && rng.IntN(200) == 0:
			s.Kind, peace = Peace, 1
		}
		if s.Kind == Pause {
			s.Then = time.Duration(rng.IntN(40_000)) * time.Millisecond
		}
		plan.Steps = append(plan.Steps, s)
	}
	return plan
}
