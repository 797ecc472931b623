package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// lacking is about copies that a change would mend: where is it?
func (j judging) lacking(worst replica.Drift) Verdict {
	stored := j.lowest()
	if j.s.Subscription != nil && j.s.Subscription.Depth.Missing {
		return Verdict{State: StateUnsubscribed, Command: j.backfill(),
			Says: fmt.Sprintf("%s's queue %s does not exist, so that nothing reaches it: apply its Terraform root (or replicactl bootstrap), then %s.", j.s.Service, j.s.Subscription.Queue, j.backfill())}
	}
	if v, dead := j.deadLetter(stored); dead {
		return v
	}
	if v, unpublished := j.nowhere(); unpublished {
		return v
	}
	if v, waiting := j.relay(stored); waiting {
		return v
	}
	if v, gaveUp := j.gaveUp(); gaveUp {
		return v
	}
	if v, deaf := j.subscription(stored); deaf {
		return v
	}
	published, at := j.published(stored)
	if depth, ok := j.depth(); ok && depth.Total() > 0 {
		return j.queued(worst, depth)
	}
	if published && j.f.At.Sub(at) < soon+j.s.secondPass {
		return Verdict{State: StateOnItsWay, Says: fmt.Sprintf("%s is %s, and a change was made %s ago: it is on its way, explain again in a minute.", j.drifting(), worst, ago(j.f.At.Sub(at)))}
	}
	v := Verdict{State: StateMissed, Command: j.repair()}
	v.Says = fmt.Sprintf("%s is %s, and no change of it is on its way any more: it was missed. %s mends what differs", j.drifting(), worst, j.repair())
	if hidden := j.hidden(published); len(hidden) > 0 {
		known := "no change of it was found"
		if published {
			known = fmt.Sprintf("a change of %s ago is not applied", ago(j.f.At.Sub(at)))
		}
		v.Says = fmt.Sprintf("%s is %s, and %s: it was missed, unless it is still %s. Where it is not, %s mends what differs",
			j.drifting(), worst, known, strings.Join(hidden, ", or "), j.repair())
	}
	if j.f.Source.State == Live || j.f.Source.State == Tombstone {
		v.Says += ", " + j.backfill() + " tells everything anew"
	}
	v.Says += "."
	return v
}

// hidden are the places in which a change may be that could not be looked into.
func (j judging) hidden(published bool) []string {
	var places []string
	if _, known := j.relayAt(); !known && (published || !j.f.Stream.Complete) {
		places = append(places, "before the relay, whose place cannot be read here (under Lambda its iterator age tells, else its log)")
	}
	if r := j.f.Relay; j.f.relayLettersUnread || r != nil && r.Letters.Unread != "" {
		places = append(places, "in the relay's dead-letter queue "+r.DeadLetterQueue+", which was not read whole")
	}
	s := j.s.Subscription
	if s == nil {
		return append(places, "in its queues, which were not read")
	}
	if s.Depth.Unread != "" {
		places = append(places, "in "+s.Queue+", whose depth was not read")
	}
	if j.s.lettersUnread || s.Letters.Unread != "" {
		places = append(places, "in its dead-letter queue "+s.DeadLetterQueue+", which was not read whole")
	}
	return places
}

// queued is about a change that may be in the queue. Who looks on needs to know
// whether waiting helps.
func (j judging) queued(worst replica.Drift, depth status.Depth) Verdict {
	next := fmt.Sprintf("wait until it is drained, then explain again; if its lag grows, %s's log says why", j.s.Service)
	switch {
	case depth.Waiting > 0 && depth.InFlight == 0:
		next = fmt.Sprintf("nobody seems to receive: see that %s's consumer runs, and explain again once the queue is drained", j.s.Service)
	case depth.Waiting == 0 && depth.InFlight > 0:
		next = fmt.Sprintf("explain again in a minute; if it is the same then, %s's consumer keeps failing or hangs, of which its log tells", j.s.Service)
	}
	lag := "lag not known"
	if c := j.s.Subscription.Lag; c.Value != nil {
		lag = "lag " + c.Value.String()
	}
	return Verdict{State: StateInQueue, Says: fmt.Sprintf("%s is %s, and %s still holds messages (%s; %s), among which the change may be: %s.",
		j.drifting(), worst, j.s.Subscription.Queue, depthText(status.Cell[status.Depth]{Value: &depth}), lag, next)}
}

// deadLetter is about changes in the dead-letter queue that are above what the
// drifting copies hold.
func (j judging) deadLetter(stored contracts.Version) (Verdict, bool) {
	newer := slices.DeleteFunc(slices.Clone(j.s.Letters), func(l Letter) bool { return l.version <= stored })
	if len(newer) == 0 {
		return Verdict{}, false
	}
	latest := slices.MaxFunc(newer, func(a, b Letter) int { return int(min(1, max(-1, a.version-b.version))) })
	command := j.redrive() + " --apply"
	return Verdict{State: StateDeadLetter, Command: command,
		Says: fmt.Sprintf("%s is %s, and version %s is a dead letter in %s because of: %s. Mend the cause, then %s puts it back.",
			j.drifting(), j.worst(), latest.Version, latest.Queue, latest.Reason, command)}, true
}

// relay is about a record above the stored version that the relay is not done
// with.
func (j judging) relay(stored contracts.Version) (Verdict, bool) {
	if at, found := j.undone(stored); found {
		return j.waiting(at), true
	}
	// A version's record is of about the same moment.
	oldest, known := j.relayAt()
	if version := j.f.Source.snapshot.Version; known && version != 0 && version.Time().Add(soon).Before(oldest) {
		return Verdict{}, false // it is done with the present state
	}
	return j.unread()
}

// unread is about a relay that is not done with records of the stream among which
// one of the item may be, since they were not all read.
func (j judging) unread() (Verdict, bool) {
	oldest, known := j.relayAt()
	if !known || j.f.Stream.Complete || oldest.After(j.f.At) {
		return Verdict{}, false
	}
	return Verdict{State: StateRelayBehind, Says: fmt.Sprintf("The relay of %s is not done with records of up to %s ago, and whether one of the item is among them is not known, since %d records of the stream were read and not all (--records): see that the relay runs and what it logs, or explain again with more.",
		j.f.Source.Service, ago(j.f.At.Sub(oldest)), j.f.Stream.Read)}, true
}

// foreign is about a write that has no version of its own and that the relay has
// not answered by a stamp yet: the stamp would be a later record of the item. There
// may be one, too, where the relay is behind and the stream was not read whole.
// Until then the source has a version that is not its content's.
func (j judging) foreign() (Verdict, bool) {
	if oldest, known := j.relayAt(); known && j.f.At.Sub(oldest) >= soon { // less is some other item's as a rule
		if v, unread := j.unread(); unread {
			return v, true
		}
	}
	n := len(j.f.Records)
	if n == 0 || !j.f.Stream.Complete || j.f.Records[n-1].Action != replica.Stamp.String() {
		return Verdict{}, false
	}
	at := j.f.Records[n-1].Created
	if oldest, known := j.relayAt(); known && at.Before(oldest) {
		return Verdict{}, false // it is done with it: it gave it up, or nobody has to hear of it
	}
	return j.waiting(at), true
}

// waiting is about a record of that moment, which the relay is not done with.
func (j judging) waiting(at time.Time) Verdict {
	age := j.f.At.Sub(at)
	if age < soon {
		return Verdict{State: StateOnItsWay, Says: fmt.Sprintf("The item was written %s ago and the relay has not kept its place past that yet: it is on its way, explain again in a minute.", ago(age))}
	}
	says := fmt.Sprintf("The relay of %s is not done with a record of the item from %s ago", j.f.Source.Service, ago(age))
	if followed := j.f.Relay.Followed.Value; followed != nil && followed.At != nil {
		says += fmt.Sprintf("; a poller last followed the stream %s ago", ago(j.f.At.Sub(*followed.At)))
	}
	if _, known := j.relayAt(); !known {
		says += ", and how far it is cannot be read here (under Lambda its iterator age tells, else its log)"
	}
	return Verdict{State: StateRelayBehind, Says: says + ": see that the relay runs and what it logs; nothing is lost while the record is younger than 24 hours."}
}

// relayAt returns the moment before which the relay is done with every record.
// Shards are read side by side: what is younger than the oldest record that is
// not done with may be undone as well. A relay that is behind nothing is done
// with everything.
func (j judging) relayAt() (oldest time.Time, known bool) {
	if j.f.Relay == nil || j.f.Relay.Behind.Value == nil {
		return time.Time{}, false
	}
	behind := j.f.Relay.Behind.Value
	if behind.Kind == lag.LessThan {
		return time.Time{}, false // its place was lost
	}
	if behind.Kind == lag.None {
		return j.f.At.Add(time.Second), true
	}
	if behind.At != nil { // At is seconds later than the look at the relay
		return *behind.At, true
	}
	return j.f.At.Add(-time.Duration(behind.Seconds * float64(time.Second))).Add(-2 * time.Second), true
}

// undone returns when the latest record was made that subscribers have to hear
// of, is above a version, and that the relay is not done with.
func (j judging) undone(stored contracts.Version) (time.Time, bool) {
	oldest, known := j.relayAt()
	if !known {
		return time.Time{}, false
	}
	for _, r := range slices.Backward(j.f.Records) {
		if r.Created.Before(oldest) {
			break
		}
		if r.Action == replica.Stamp.String() || r.Action == replica.Publish.String() && r.version > stored {
			return r.Created, true
		}
	}
	return time.Time{}, false
}

// gaveUp is about a record that the relay gave up and that nothing came after:
// a letter from before the source's present version hides whatever keeps that
// from the copies.
func (j judging) gaveUp() (Verdict, bool) {
	lasting := slices.DeleteFunc(slices.Clone(j.f.RelayLetters), j.overtaken)
	if len(lasting) == 0 {
		return Verdict{}, false
	}
	l := lasting[len(lasting)-1]
	command := fmt.Sprintf("replicactl stream-dlq --contract %s --apply", j.f.Contract)
	return Verdict{State: StateRelayGaveUp, Command: command,
		Says: fmt.Sprintf("The relay gave a record of the item up, because of: %s (in %s). Mend the cause, then %s stamps the item as it is now.", l.Reason, l.Queue, command)}, true
}

// overtaken says that the source's present version is later than the record in
// a letter of the relay's.
func (j judging) overtaken(l Letter) bool {
	source := j.f.Source.snapshot.Version
	switch {
	case source == 0:
		return l.version != 0 && j.f.Source.State == Unversioned // somebody has written since
	case l.version != 0:
		return l.version < source
	default: // a write without a version; its record's time is rounded down
		return !l.made.IsZero() && l.made.Add(time.Second).Before(source.Time())
	}
}

// subscription is about a subscription at SNS that brings the change to nobody.
func (j judging) subscription(stored contracts.Version) (Verdict, bool) {
	if j.s.Subscription == nil {
		return Verdict{}, false
	}
	if j.s.Subscription.Settings.Missing {
		return Verdict{State: StateUnsubscribed, Command: j.backfill(),
			Says: fmt.Sprintf("%s's queue is not subscribed to the topic: apply its Terraform root (or replicactl bootstrap), then %s.", j.s.Service, j.backfill())}, true
	}
	published := false
	for _, r := range j.f.Records {
		if r.Action != replica.Publish.String() || r.version <= stored {
			continue
		}
		published = true
		if j.s.lets == nil || slices.ContainsFunc(r.Changed, func(name string) bool { return slices.Contains(j.s.lets, name) }) {
			return Verdict{}, false
		}
	}
	if !published {
		return Verdict{}, false
	}
	return Verdict{State: StateFilteredOut, Command: j.backfill(),
		Says: fmt.Sprintf("The filter policy at SNS lets only changes of %s through, and none of those above %s changed one: bring it to what the manifest asks for (%s) with Terraform or replicactl bootstrap, then %s.",
			strings.Join(j.s.lets, ", "), orNone(text(stored)), strings.Join(j.s.attributes, ", "), j.backfill())}, true
}

// published returns when the latest change above a version was made that the
// subscription lets through.
func (j judging) published(stored contracts.Version) (found bool, at time.Time) {
	for _, r := range j.f.Records {
		if r.Action == replica.Publish.String() && r.version > stored {
			found, at = true, r.Created
		}
	}
	return found, at
}

func (j judging) depth() (status.Depth, bool) {
	if j.s.Subscription == nil || j.s.Subscription.Depth.Value == nil {
		return status.Depth{}, false
	}
	return *j.s.Subscription.Depth.Value, true
}
