package cli

import (
	"fmt"
	"slices"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cost"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
)

// plan is what comparing reads and costs. How much there is to mend is not known
// before.
func (c *comparison) plan(f *reconcileFlags) *plan {
	p := plan{Verb: f.verb()}
	checkpoints := c.owner.Publication.CheckpointTable
	use := "scanned"
	if f.apply {
		use = "scanned; items whose copies would not take their state are given a higher version"
	}
	p.Targets = append(p.Targets, planTarget{"table", c.source.Table(), use})
	for _, t := range c.locals {
		p.Targets = append(p.Targets, planTarget{"table", t.table, "scanned"})
	}
	p.Targets = append(p.Targets, planTarget{"table", checkpoints, "written: how far the run is"})
	if f.apply {
		p.Targets = append(p.Targets, c.sendTargets()...)
	}
	p.Counts = append(p.Counts, planCount{What: "items in " + c.source.Table(), N: c.items, Estimate: true})
	for _, t := range c.locals {
		p.Counts = append(p.Counts, planCount{What: "items in " + t.table, N: t.items, Estimate: true})
	}
	switch before := c.before; {
	case before.goesOn():
		read, ended := before.read()
		p.Counts = append(p.Counts, planCount{What: "read by an interrupted run", N: read})
		p.Notes = append(p.Notes, fmt.Sprintf("the run begun at %s and last heard of at %s goes on, %d of %d segments done; what it found was said then, and is in the counts; what happened since to what it had read is not compared; --restart begins anew",
			when(before.Started), when(before.Saved), ended, len(before.Segments)))
	case before.interrupted():
		p.Notes = append(p.Notes, before.givenUp(&f.runFlags))
	}
	p.Notes = append(p.Notes, "counts are DynamoDB's own, some six hours old: a table that was filled since may say 0")
	if f.apply {
		p.Notes = append(p.Notes, "how much there is to mend is not known before, and not in the costs: "+c.dearness(f))
	}
	return planned(p, c.reads()...)
}

// reads is what comparing costs: every table is scanned, once for each replica
// that is in it, and the other side of its items is read.
func (c *comparison) reads() []cost.Line {
	named := func(line cost.Line, table string) cost.Line {
		line.Operation += " of " + table
		return line
	}
	lookUp := func(table string, items, bytes int64) cost.Line {
		return named(cost.Read("BatchGetItem", (items+99)/100, items, bytes, true), table)
	}
	lines := []cost.Line{named(cost.Scan(c.tableBytes, true), c.source.Table())}
	for _, replica := range c.sub.Subscription.Replicas {
		at := slices.IndexFunc(c.locals, func(s size) bool { return s.table == replica.Table })
		if at < 0 {
			continue // a function
		}
		local := c.locals[at]
		if replica.Kind() != manifest.FanOut {
			lines = append(lines, lookUp(local.table, c.items, local.bytes/max(1, local.items)))
		}
		lines = append(lines, named(cost.Scan(local.bytes, true), local.table), lookUp(c.source.Table(), local.items, c.itemBytes()))
	}
	return lines
}

// sendTargets is the way repairs take.
func (r *recipient) sendTargets() []planTarget {
	return []planTarget{
		{"topic", r.source.Topic(), "published to, for " + r.sub.Service() + " alone"},
		{"queue", r.sub.Subscription.Queue.Name, fmt.Sprintf("receives; %d messages wait there or are in flight", r.backlog)},
	}
}

// dearness says what a thousand repairs cost.
func (c *comparison) dearness(f *reconcileFlags) string {
	lines, _ := c.delivered(1000)
	return fmt.Sprintf("1000 repairs cost %s; %s", cost.Text(cost.Dollars(lines)), f.pace(1000))
}

// mends is how many repairs of each kind there are.
type mends struct {
	published, stamped, never int64
	// estimate says that there may be fewer: findings are counted of which it is
	// not known whether they share a subject, and so a repair.
	estimate bool
}

// add counts findings of which only the class, or what it stands for, is known.
func (m *mends) add(f reconcile.Finding, n int64) {
	switch {
	case f.Class == reconcile.Unpublishable:
		m.never += n
		return
	case f.Stamped():
		m.stamped += n
	default:
		m.published += n
	}
	m.estimate = m.estimate || n > 0
}

// mending counts what mends the findings: one repair a subject.
type mending struct {
	subjects map[string]bool // whether it takes a stamp
	others   mends
}

// maxMending bounds the subjects that are told apart; some hundred bytes each.
const maxMending = 100_000

// add takes a finding.
func (m *mending) add(f reconcile.Finding) {
	if m.subjects == nil {
		m.subjects = make(map[string]bool)
	}
	stamped, known := m.subjects[f.Subject]
	if f.Class == reconcile.Unpublishable || !known && len(m.subjects) == maxMending {
		m.others.add(f, 1)
		return
	}
	m.subjects[f.Subject] = stamped || f.Stamped()
}

func (m *mending) counts() mends {
	all := m.others
	for _, stamped := range m.subjects {
		if stamped {
			all.stamped++
		} else {
			all.published++
		}
	}
	return all
}

// repairs is the plan of mending what was found.
func (c *comparison) repairs(f *reconcileFlags, m mends) *plan {
	p := plan{
		Verb: "reconcile --repair --apply",
		Targets: append([]planTarget{
			{"table", c.source.Table(), "read; items whose copies would not take their state are given a higher version"},
		}, c.sendTargets()...),
		Counts: []planCount{
			{What: "states to publish to " + f.to, N: m.published, Estimate: m.estimate},
			{What: "items to give a higher version", N: m.stamped, Estimate: m.estimate},
		},
		Notes: []string{f.pace(m.published)},
	}
	if m.stamped > 0 {
		p.Notes = append(p.Notes, "every subscriber hears of an item that is given a higher version; only "+f.to+"'s part is in the costs")
	}
	if m.never > 0 {
		p.Counts = append(p.Counts, planCount{What: "that no repair can mend", N: m.never})
	}
	p.Notes = append(p.Notes, "it compares once more, which costs the same again, and repairs what differs then; copies of one subject share a repair")
	lines, notes := c.delivered(m.published + m.stamped)
	p.Notes = append(p.Notes, notes...)
	if m.stamped > 0 {
		stamps := cost.Write("UpdateItem of "+c.source.Table(), m.stamped, c.itemBytes())
		lines = append([]cost.Line{cost.Read("GetItem of "+c.source.Table(), m.stamped, m.stamped, c.itemBytes(), true), stamps}, lines...)
	}
	return planned(p, lines...)
}
