package reconcile

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// Class says what is wrong with an item.
type Class string

// The classes. The first five are a replica's, as replica.Drift has them.
const (
	// Missing: the source has the item and the replica no copy of it.
	Missing Class = "missing"
	// Behind: the copy shows an older state.
	Behind Class = "behind"
	// Extra: the copy shows an item that the source does not have.
	Extra Class = "extra"
	// Different: same version, other content, or a copy that was made under
	// another mapping (Finding.Remapped).
	Different Class = "different"
	// Ahead: the copy's version is above the source's, so that the source's next
	// changes would be lost on it.
	Ahead Class = "ahead"
	// Unversioned: the source item has no valid version, and still had none
	// after Settle: no relay has stamped it. Replicas are not compared with it.
	Unversioned Class = "unversioned"
	// Unpublishable: the source item violates the contract, its key makes no
	// subject, or its subject makes no local key. It cannot be repaired: the
	// owner has to mend the item, or the subscriber its manifest.
	Unpublishable Class = "unpublishable"
)

// Classes lists every class.
func Classes() []Class {
	return []Class{Missing, Behind, Extra, Different, Ahead, Unversioned, Unpublishable}
}

func classOf(d replica.Drift) Class { return Class(d.String()) }

// Finding is one item that is not as it should be.
type Finding struct {
	Class Class
	// Replica is the replica's name, as replica.View has it; empty for what is
	// wrong with the source item itself.
	Replica string
	// Subject is the item's; empty if its key makes none.
	Subject string
	// Key is the local item's key, the source item's where Replica is empty; nil if
	// the subject makes none.
	Key contracts.Item
	// Version is the source item's, 0 if it has none or is gone. Stored is the
	// copy's, 0 if it has none.
	Version, Stored contracts.Version
	// Remapped says that the copy was made under another mapping than the
	// manifest's.
	Remapped bool
	// Reason says more where Class does not say it all.
	Reason string
}

// Stamped says that its repair gives the source item a version above the copy's,
// which every subscriber hears of, since the copy would not take the source's
// state as it is. It means nothing for what is Unpublishable.
func (f Finding) Stamped() bool {
	taken := f.Stored < f.Version || f.Remapped && f.Stored == f.Version
	return f.Version == 0 || !taken
}

// String says what is wrong in one line, without any content.
func (f Finding) String() string {
	text := string(f.Class)
	if f.Replica != "" {
		text += " in " + f.Replica
	}
	text += fmt.Sprintf(": %s, source at %s, copy at %s", f.Subject, f.Version, f.Stored)
	if f.Remapped {
		text += ", made under another mapping"
	}
	if f.Reason != "" {
		text += ": " + f.Reason
	}
	return text
}

// Result is what a run found. A run that was resumed counts what it did before,
// too; what was held when it was interrupted is counted once.
type Result struct {
	// Scanned are items read by scans, those of other kinds included. Compared
	// are pairs of a source item and a copy, or its absence.
	Scanned, Compared int64
	// InFlight are differences that were gone, or overtaken by the replica's
	// progress, when they were looked at again.
	InFlight int64
	// Drift counts findings by replica (empty for the source's own) and class.
	Drift map[string]map[Class]int64
	// Repaired and NotRepaired count findings by what became of their repair.
	Repaired, NotRepaired int64
	// Functions are replicas that were not compared, since only the service's
	// own code knows what they keep.
	Functions []string
	// Resumed says that the run went on where an earlier one was interrupted.
	Resumed bool
	// Started is when the run was begun, at first; zero without Config.Runs.
	// Earlier are those of Scanned that were read before the run was resumed: what
	// happened to them and their copies since then is not among the findings.
	Started time.Time
	Earlier int64
}

// Total is the number of findings of a class, in all replicas.
func (r Result) Total(class Class) int64 {
	var n int64
	for _, byClass := range r.Drift {
		n += byClass[class]
	}
	return n
}

// Drifted is the number of all findings, repaired ones included.
func (r Result) Drifted() int64 {
	var n int64
	for _, class := range Classes() {
		n += r.Total(class)
	}
	return n
}

// Progress is how far a run has come.
type Progress struct {
	// Pass counts from 1 to Passes; Table is what the pass scans.
	Pass, Passes int
	Table        string
	// ScannedInPass are the table's items read in this pass, by this run since
	// it was started or resumed.
	ScannedInPass int64
	// Held are the differences that wait to be looked at again, and the repairs
	// that wait to be seen.
	Held int
	// Result is what the run has found so far.
	Result Result
}

// tally counts by name; it is what a place keeps.
type tally map[string]int64

const (
	scanned     = "scanned"
	compared    = "compared"
	inFlight    = "inFlight"
	repaired    = "repaired"
	notRepaired = "notRepaired"
	driftPrefix = "drift/" // then the replica's position and the class
)

func driftOf(view int, class Class) string {
	return driftPrefix + strconv.Itoa(view) + "/" + string(class)
}

func (t tally) add(o tally) {
	for name, n := range o {
		t[name] += n
	}
}

func (t tally) result(views []*replica.View) Result {
	r := Result{
		Scanned: t[scanned], Compared: t[compared], InFlight: t[inFlight],
		Repaired: t[repaired], NotRepaired: t[notRepaired],
		Drift: make(map[string]map[Class]int64),
	}
	for name, n := range t {
		rest, ok := strings.CutPrefix(name, driftPrefix)
		if !ok {
			continue
		}
		position, class, _ := strings.Cut(rest, "/")
		of := "" // the source itself
		if at, err := strconv.Atoi(position); err == nil && at >= 0 && at < len(views) {
			of = views[at].Name()
		}
		if r.Drift[of] == nil {
			r.Drift[of] = make(map[Class]int64)
		}
		r.Drift[of][Class(class)] += n
	}
	return r
}
