package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// soon is how long a change may take before it is looked for: the relay's pause,
// its checkpoint, a receive, a write. A record's creation time is rounded down
// to the second.
const soon = 30 * time.Second

// Judge says what is wrong with a subscriber's copies of the item, if anything,
// and which command mends it.
func Judge(f *Facts, s *Subscriber) Verdict {
	j := judging{f: f, s: s}
	if v, ok := j.unknown(); ok {
		return v
	}
	return j.inPart(j.found())
}

// found is about the copies that were looked at.
func (j judging) found() Verdict {
	f, s := j.f, j.s
	worst := j.worst()
	if f.Source.State == NotOurs && worst == replica.InStep {
		return Verdict{State: StateNotOurs, Says: fmt.Sprintf("%s is not an item of %s, and %s has no copy of it: %s.", f.Subject, f.Contract, s.Service, f.Source.Problem)}
	}
	if f.Source.State == Unversioned {
		return j.unversioned()
	}
	if f.Source.Problem != "" && f.Source.State == Live {
		return Verdict{State: StateUnpublished, Says: fmt.Sprintf("The source item violates the contract, so that no change of it can be published: %s. Correct it in %s; the next write is published.", f.Source.Problem, f.Source.Table)}
	}
	switch worst {
	case replica.InStep:
		return j.inStep()
	case replica.Ahead:
		if v, waiting := j.foreign(); waiting {
			return v
		}
		return Verdict{State: StateAhead, Command: j.repair(),
			Says: fmt.Sprintf("%s holds version %s, above the source's %s, so that the source's next changes would be stale to it: %s stamps the source above it.", j.drifting(), text(j.highest()), orNone(f.Source.Version), j.repair())}
	case replica.Different:
		if v, waiting := j.foreign(); waiting {
			return v
		}
		return j.different()
	default:
		return j.lacking(worst)
	}
}

// inPart takes back what a verdict says of copies that were not looked at.
func (j judging) inPart(v Verdict) Verdict {
	if len(j.s.LookedAt) == 0 {
		return v
	}
	of := make([]string, len(j.s.LookedAt))
	for i, l := range j.s.LookedAt {
		of[i] = fmt.Sprintf("of %s %d", l.Replica, l.Copies)
	}
	rest := fmt.Sprintf("Not all copies were looked at, only %s (--copies): replicactl reconcile --contract %s --subscriber %s compares all.", strings.Join(of, ", "), j.f.Contract, j.s.Service)
	if !v.Fine() {
		v.Says += " " + rest
		return v
	}
	v = Verdict{State: StateInPart, Says: fmt.Sprintf("What was looked at of %s's copies is right. %s", j.s.Service, rest)}
	if n := len(j.s.Letters); n > 0 { // what they are to copies that nobody has seen is not known
		v.Says += fmt.Sprintf(" Its dead-letter queue holds %d messages about it: %s says what those would do.", n, j.redrive())
	}
	return v
}

type judging struct {
	f *Facts
	s *Subscriber
}

// repair and backfill begin anew: a run that was interrupted before the trouble
// would go on behind this item, and leave it as it is.
func (j judging) repair() string {
	return fmt.Sprintf("replicactl reconcile --contract %s --subscriber %s --repair --restart --apply", j.f.Contract, j.s.Service)
}

func (j judging) backfill() string {
	return fmt.Sprintf("replicactl backfill --contract %s --to %s --restart --apply", j.f.Contract, j.s.Service)
}

func (j judging) redrive() string {
	return fmt.Sprintf("replicactl dlq redrive --contract %s --subscriber %s --subject %s", j.f.Contract, j.s.Service, quoted(j.f.Subject))
}

func (j judging) unknown() (Verdict, bool) {
	switch {
	case j.f.Source.State == Unreadable:
		return Verdict{State: StateUnknown, Says: "The source could not be read, so nothing can be said: " + j.f.Source.Problem + "."}, true
	case j.s.Unread != "":
		return Verdict{State: StateUnknown, Says: fmt.Sprintf("The copies of %s could not be read, so nothing can be said: %s.", j.s.Service, j.s.Unread)}, true
	case len(j.s.Gone) > 0:
		return Verdict{State: StateNoTable, Command: j.backfill(),
			Says: fmt.Sprintf("%s's table %s does not exist%s: apply its Terraform root (or replicactl bootstrap), then %s.", j.s.Service, strings.Join(j.s.Gone, " and "), j.in(), j.backfill())}, true
	case len(j.s.GoneIndexes) > 0:
		return j.noIndex(), true
	case len(j.s.Copies) == 0 && len(j.s.Functions) > 0:
		return Verdict{State: StateUnknown, Says: fmt.Sprintf("%s keeps what it makes of the item by code of its own (%s), which only it can read.", j.s.Service, strings.Join(j.s.Functions, ", "))}, true
	}
	return Verdict{}, false
}

// in names the Region, since in another one nothing exists.
func (j judging) in() string {
	if j.f.region == "" {
		return ""
	}
	return " in " + j.f.region
}

// noIndex is about an index by which the consumer finds its local items.
func (j judging) noIndex() Verdict {
	i := j.s.GoneIndexes[0]
	for _, other := range j.s.GoneIndexes[1:] {
		if other.State == "" {
			i = other // which no waiting brings back
		}
	}
	if i.State != "" {
		return Verdict{State: StateNoIndex, Says: fmt.Sprintf("Index %s of %s's table %s is %s and cannot be read until it is ACTIVE, so that its copies are not known: wait until replicactl status no longer says so, then explain again.",
			i.Name, j.s.Service, i.Table, i.State)}
	}
	return Verdict{State: StateNoIndex, Command: j.backfill(),
		Says: fmt.Sprintf("Index %s of %s's table %s does not exist%s, so that the items which carry copies are not found: apply its Terraform root (or replicactl bootstrap), wait until the index is ACTIVE, then %s.",
			i.Name, j.s.Service, i.Table, j.in(), j.backfill())}
}

// nowhere is about a topic or a stream that is not there: nothing is published.
func (j judging) nowhere() (Verdict, bool) {
	switch {
	case j.f.Topic.Missing:
		return Verdict{State: StateNoTopic, Command: j.backfill(),
			Says: fmt.Sprintf("The topic of %s does not exist%s, so that nothing reaches anybody: apply %s's Terraform root, then %s's (or replicactl bootstrap), then %s.",
				j.f.Contract, j.in(), j.f.Source.Service, j.s.Service, j.backfill())}, true
	case j.f.Relay != nil && j.f.Relay.Stream.Missing:
		return Verdict{State: StateNoStream, Command: j.repair(),
			Says: fmt.Sprintf("The stream of %s's table %s is off%s, so that no change of it is published: apply its Terraform root (or replicactl bootstrap), then %s mends what was missed.",
				j.f.Source.Service, j.f.Source.Table, j.in(), j.repair())}, true
	}
	return Verdict{}, false
}

// badness orders drifts: the first found decides.
var badness = []replica.Drift{replica.Ahead, replica.Missing, replica.Behind, replica.Extra, replica.Different}

func (j judging) worst() replica.Drift {
	for _, drift := range badness {
		if slices.ContainsFunc(j.s.Copies, func(c Copy) bool { return c.drift == drift }) {
			return drift
		}
	}
	return replica.InStep
}

// drifting names the replica of the worst copy, and how many are like it.
func (j judging) drifting() string {
	worst, n, name := j.worst(), 0, ""
	for _, c := range j.s.Copies {
		if c.drift == worst {
			if n++; n == 1 {
				name = c.Replica
			}
		}
	}
	if n > 1 {
		return fmt.Sprintf("%s (with %d more copies)", name, n-1)
	}
	return name
}

// lowest is the lowest version among the copies that drift.
func (j judging) lowest() contracts.Version {
	var low contracts.Version
	for first, i := true, 0; i < len(j.s.Copies); i++ {
		if c := j.s.Copies[i]; c.drift != replica.InStep && (first || c.stored < low) {
			low, first = c.stored, false
		}
	}
	return low
}

func (j judging) highest() (high contracts.Version) {
	for _, c := range j.s.Copies {
		high = max(high, c.stored)
	}
	return high
}

func (j judging) inStep() Verdict {
	if j.f.Source.State == Absent && j.highest() == 0 {
		return Verdict{State: StateNothing, Says: fmt.Sprintf("There is no such item and no tombstone of one at the source, and %s has no copy: nothing is wrong.", j.s.Service) + j.letters()}
	}
	v := Verdict{State: StateInStep, Says: fmt.Sprintf("%s shows exactly what the source's version %s gives it: nothing is wrong.", j.s.Service, orNone(j.f.Source.Version))}
	if high := j.highest(); high != 0 && high < j.f.Source.snapshot.Version {
		v.Says = fmt.Sprintf("%s holds version %s and shows all it copies of the source's version %s: what changed since is not among %s, which is all that it asked for.",
			j.s.Service, text(high), j.f.Source.Version, strings.Join(j.s.attributes, ", "))
	}
	v.Says += j.letters()
	return v
}

// letters says what the dead-letter queue holds about an item with which nothing
// is wrong.
func (j judging) letters() string {
	superseded := 0
	for _, l := range j.s.Letters {
		if !slices.ContainsFunc(j.s.Copies, func(c Copy) bool { return c.stored <= l.version }) {
			superseded++
		}
	}
	switch n := len(j.s.Letters); {
	case n == 0:
		return ""
	case superseded == n:
		return fmt.Sprintf(" Its dead-letter queue holds %d superseded messages about it.", n)
	default:
		return fmt.Sprintf(" Its dead-letter queue holds %d messages about it, %d of them not superseded: %s says what those would do.", n, n-superseded, j.redrive())
	}
}

// unversioned is about an item that the relay has to stamp before anybody can
// hear of it.
func (j judging) unversioned() Verdict {
	if v, unpublished := j.nowhere(); unpublished {
		return v
	}
	if v, waiting := j.relay(0); waiting {
		return v
	}
	if v, gaveUp := j.gaveUp(); gaveUp {
		return v
	}
	if v, waiting := j.foreign(); waiting {
		return v
	}
	why := "no record of its write waits for the relay, as for items older than it"
	if _, known := j.relayAt(); !known && !j.f.Stream.Complete {
		why = "whether a record of its write waits for the relay is not known, since not all of the stream was read and the relay's place cannot be"
	}
	return Verdict{State: StateUnversioned, Command: j.backfill(),
		Says: fmt.Sprintf("The source item has no valid version, and %s: %s stamps it and tells %s.", why, j.backfill(), j.s.Service)}
}

func (j judging) different() Verdict {
	for _, c := range j.s.Copies {
		if c.drift == replica.Different && c.remapped {
			return Verdict{State: StateRemapped, Command: j.backfill(),
				Says: fmt.Sprintf("%s was copied under another mapping than the manifest now has: %s applies the same version once more.", j.drifting(), j.backfill())}
		}
	}
	return Verdict{State: StateDifferent, Command: j.repair(),
		Says: fmt.Sprintf("%s has the source's version with other content, so something else has written to it: %s stamps the source, which overwrites it.", j.drifting(), j.repair())}
}

func orNone(version string) string {
	if version == "" || version == "0" {
		return "none"
	}
	return version
}

func text(v contracts.Version) string {
	if v == 0 {
		return "none"
	}
	return v.String()
}

// ago rounds a duration for reading.
func ago(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return d.Round(time.Second).String()
	default:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
}

// quoted writes a subject as a shell takes it.
func quoted(subject string) string {
	if strings.IndexFunc(subject, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,", r))
	}) < 0 && subject != "" {
		return subject
	}
	return "'" + strings.ReplaceAll(subject, "'", `'\''`) + "'"
}
