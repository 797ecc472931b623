package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// CheckTogether returns every problem that completed manifests have with each
// other, joined, or nil: things with two owners, and subscriptions to what none
// of them publishes. A problem is at the manifest that comes later. Manifests
// that are not valid in themselves may take part; what they leave out does not.
func CheckTogether(manifests []*Manifest) error {
	checkers := make([]*checker, len(manifests))
	owners := owners{}
	for i, m := range manifests {
		checkers[i] = &checker{m: m}
		owners.declared(checkers[i])
	}
	for _, c := range checkers {
		for i, s := range c.m.Subscribes {
			c.publisher(index("subscribes", i), s, manifests)
		}
	}
	var problems []*Problem
	for _, c := range checkers {
		slices.SortStableFunc(c.problems, func(a, b *Problem) int { return a.Line - b.Line })
		problems = append(problems, c.problems...)
	}
	return join(problems)
}

// owner is the manifest that declared a thing first.
type owner struct {
	manifest *Manifest
	path     string
}

func (o owner) place() string {
	if line := o.manifest.line(o.path); o.manifest.file != "" && line > 0 {
		return fmt.Sprintf("%s (%s:%d)", o.manifest.Service, o.manifest.file, line)
	}
	return o.manifest.Service
}

// owners are the owners of things, by what they are and their names.
type owners map[[2]string]owner

func (o owners) declared(c *checker) {
	m := c.m
	o.take(c, "service", m.Service, "service", "name one of the services otherwise, or give each manifest once")
	for i, t := range m.Tables {
		o.take(c, "table", t.Name, within(index("tables", i), "name"), "give each service its own table, and let the other keep copies")
	}
	const own = "name one of them otherwise"
	for i, p := range m.Publishes {
		path := index("publishes", i)
		o.take(c, "contract", p.Contract, within(path, "contract"), "let one service own the contract, and the other subscribe")
		o.take(c, "topic", p.Topic, within(path, "topic"), own)
		o.take(c, "queue", p.DeadLetterQueue, within(path, "dead_letter_queue"), own)
		o.take(c, "table", p.Table, within(path, "table"), "give each service its own table, and let the other keep copies")
		o.take(c, "table", p.CheckpointTable, within(path, "checkpoint_table"), own)
	}
	for i, s := range m.Subscribes {
		path := index("subscribes", i)
		o.take(c, "queue", s.Queue.Name, within(path, "queue.name"), own)
		o.take(c, "queue", s.Queue.DeadLetterQueue, within(path, "queue.dead_letter_queue"), own)
		o.take(c, "table", s.ControlTable, within(path, "control_table"), own)
		for j, r := range s.Replicas {
			o.take(c, "table", r.Table, within(within(path, index("replicas", j)), "table"), "keep copies in the service's own table")
		}
	}
}

// take notes an owner. What one manifest names again is its own affair.
func (o owners) take(c *checker, what, name, path, advice string) {
	if name == "" {
		return
	}
	key := [2]string{what, name}
	first, taken := o[key]
	switch {
	case !taken:
		o[key] = owner{c.m, path}
	case first.manifest != c.m:
		if !slices.ContainsFunc(c.problems, func(p *Problem) bool {
			return p.Rule == ruleOneOwner && strings.HasPrefix(p.Problem, "the "+what+" "+clip(name)+" ")
		}) {
			c.add(ruleOneOwner, path, fmt.Sprintf("the %s %s belongs to %s already", what, clip(name), first.place()), advice)
		}
	}
}

// publisher checks a subscription against whoever publishes its contract.
func (c *checker) publisher(path string, s Subscription, manifests []*Manifest) {
	var published []string
	for _, m := range manifests {
		p, ok := m.Publication(s.Contract)
		if !ok || s.Contract == "" {
			for _, other := range m.Publishes {
				published = append(published, other.Contract)
			}
			continue
		}
		if p.Topic != s.Topic {
			c.add(ruleTopicMismatch, within(path, "topic"), fmt.Sprintf("%s publishes %s to the topic %s, and this subscribes to %s", m.Service, s.Contract, clip(p.Topic), clip(s.Topic)),
				"write topic: "+p.Topic)
		}
		return
	}
	if s.Contract == "" {
		return // said already
	}
	advice := "give the owner's manifest too, with --manifest"
	if len(published) > 0 {
		slices.Sort(published)
		advice += "; published here are " + strings.Join(slices.Compact(published), ", ")
	}
	c.add(ruleUnpublished, within(path, "contract"), fmt.Sprintf("no manifest that was read publishes %s", clip(s.Contract)), advice)
}
