package bootstrap

import (
	"fmt"
	"slices"
	"strings"
)

// noteMeanwhile says of each subscription whose way or whose copies are made into
// a system that was there before, that what was published without them does not
// come by itself: neither SNS nor an index keeps it for those who are not there.
// Where everything is new, nothing was.
func (s *survey) noteMeanwhile(want declarations) {
	for _, sub := range want.subscriptions {
		if !s.wasPublished(sub, want.topics) {
			continue
		}
		made, last := s.made(sub)
		if last == nil {
			continue
		}
		last.Notes = append(last.Notes, fmt.Sprintf("what changed without %s reaches %s only by replicactl backfill --contract %s --to %s --restart --apply, once its consumer runs",
			strings.Join(made, " and "), sub.service, sub.contract, sub.service))
	}
}

// wasPublished reports whether changes may have been published: the topic exists,
// or the table that it is of, if that is known, and does not begin empty.
func (s *survey) wasPublished(sub subscriptionSpec, topics []topicSpec) bool {
	exists := s.topics[sub.topic] != ""
	at := slices.IndexFunc(topics, func(t topicSpec) bool { return t.name == sub.topic })
	if at < 0 {
		return exists
	}
	if source := s.step(Table, topics[at].table); source != nil {
		return source.Action != Create
	}
	return exists
}

// made is what of a subscription the plan creates, and the last step to do so.
func (s *survey) made(sub subscriptionSpec) (made []string, last *Step) {
	add := func(step *Step, what string) {
		if what = "the " + what; !slices.Contains(made, what) {
			made, last = append(made, what), step
		}
	}
	for _, r := range sub.replicas {
		step := s.step(Table, r.Table)
		switch {
		case step == nil:
		case step.Action == Create:
			add(step, "table "+r.Table)
		case r.Index != "" && slices.ContainsFunc(step.Differences, func(d Difference) bool { return d.Field == indexField(r.Index) }):
			add(step, fmt.Sprintf("index %s of %s", r.Index, r.Table))
		}
	}
	if step := s.step(Queue, sub.queue); step.Action == Create {
		add(step, "queue "+sub.queue)
	}
	if step := s.step(Subscription, sub.name()); step.Action == Create {
		add(step, "subscription")
	}
	return made, last
}

// step is the plan's step of a thing; nil where it has none.
func (s *survey) step(kind Kind, name string) *Step {
	at := slices.IndexFunc(s.plan.Steps, func(step *Step) bool { return step.Kind == kind && step.Name == name })
	if at < 0 {
		return nil
	}
	return s.plan.Steps[at]
}
