package redrive

import (
	"fmt"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// MaxAge is how long after its first publication a message may be put back. The
// tombstones in replicas live 60 days: what is younger than 45 days is applied
// well before they are purged, after which it could bring back what was deleted.
const MaxAge = 45 * 24 * time.Hour

// Action is what a redrive does with a letter.
type Action string

// The actions.
const (
	// Send: put it back into the main queue.
	Send Action = "send"
	// Supersede: every replica holds a higher version; putting it back would
	// change nothing.
	Supersede Action = "superseded"
	// Refuse: it must not be put back, or would only come again.
	Refuse Action = "refuse"
	// Returned: it was put back by this run, and is here again.
	Returned Action = "came back"
)

// reasonWrapped is the consumer's for an event inside SNS's envelope.
const reasonWrapped = "wrapped by SNS"

// Facts are what is known about a letter when it is judged.
type Facts struct {
	// Now is when.
	Now time.Time
	// Unreadable and Unknown are the letter's.
	Unreadable, Unknown error
	// OtherQueue is the queue the letter comes from, where that is not the one it
	// would be put into.
	OtherQueue string
	// Operation and Published are the event's.
	Operation contracts.Operation
	Published time.Time
	// Trial is what the dry run said; nil where there was none.
	Trial *replica.Trial
	// Untried is what kept the dry run from saying anything, and would again.
	Untried error
}

// Verdict is what is to become of a letter.
type Verdict struct {
	Action Action
	// Reason groups letters of one action; Advice says what to do, for Refuse.
	Reason, Advice string
	// Detail is the error in full, for Refuse.
	Detail string
	// Unproven says what the dry run cannot know, for Send.
	Unproven string
}

// returned is the verdict on a letter that this run has put back before.
func returned(l *Letter) Verdict {
	return Verdict{Action: Returned, Reason: l.Reason, Detail: l.Detail,
		Advice: "the consumer has just given it up again: mend the cause, or purge it and backfill"}
}

// Judge says what is to become of a letter. The version at the source does not
// come into it: a filter may have kept the newer change from this subscriber.
func Judge(f Facts) Verdict {
	switch {
	case f.Unreadable != nil:
		return Verdict{Action: Refuse, Reason: ReasonUnreadable, Detail: f.Unreadable.Error(),
			Advice: "show it, then purge it, and reconcile what it may have been about"}
	case f.OtherQueue != "":
		return Verdict{Action: Refuse, Reason: "another queue's", Detail: fmt.Sprintf("it comes from the queue %s, whose subscriber would lose it", f.OtherQueue),
			Advice: "redrive that queue's subscription; where the queue is no more, purge it and backfill"}
	case f.Untried != nil:
		return Verdict{Action: Refuse, Reason: "not tried", Detail: f.Untried.Error(),
			Advice: "what the manifest names has to be there first (terraform apply, or replicactl bootstrap --apply); then redrive it again"}
	case f.Trial != nil && f.Trial.Rejected != nil:
		v := Verdict{Action: Refuse, Reason: f.Trial.Rejected.Reason, Detail: f.Trial.Rejected.Error(),
			Advice: "the consumer would reject it again: mend the cause, or purge it and backfill"}
		switch {
		case v.Reason == reasonWrapped:
			v.Advice = "no consumer reads it: turn on the subscription's raw message delivery (terraform apply, or replicactl bootstrap --apply), then purge it and backfill"
		case f.Unknown != nil:
			v.Advice = "deploy a consumer that knows it, or purge it and backfill"
		}
		return v
	case f.Unknown != nil:
		return Verdict{Action: Refuse, Reason: "not an event", Detail: f.Unknown.Error(),
			Advice: "deploy a consumer that knows it, or purge it and backfill"}
	case f.Operation == contracts.Canary:
		return Verdict{Action: Refuse, Reason: "canary", Detail: "a probe of a backfill that is over",
			Advice: "purge it; the next backfill sends another"}
	case f.Trial != nil && f.Trial.Superseded:
		return Verdict{Action: Supersede, Reason: "every replica holds a higher version"}
	case f.Now.Sub(f.Published) > MaxAge:
		return Verdict{Action: Refuse, Reason: "too old",
			Detail: fmt.Sprintf("first published on %s, %d days ago; the limit is %d", f.Published.UTC().Format(time.DateOnly),
				int(f.Now.Sub(f.Published).Hours()/24), int(MaxAge.Hours()/24)),
			Advice: "purge it and backfill the subscriber, which brings the state as it is now"}
	case f.Trial == nil:
		return Verdict{Action: Send, Unproven: "nothing was tried: there is no dry run"}
	case len(f.Trial.Functions) > 0:
		return Verdict{Action: Send, Unproven: fmt.Sprintf("the service's own functions %v were not tried", f.Trial.Functions)}
	default:
		return Verdict{Action: Send}
	}
}
