package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Action is what a step does.
type Action string

// The actions.
const (
	Create    Action = "create"
	Update    Action = "update"
	Unchanged Action = "unchanged"
	// Refused is a step that AWS has no call for; its Reason says what to do.
	Refused Action = "refused"
)

// Kind is what a step is about.
type Kind string

// The kinds, in the order in which they are made.
const (
	Table        Kind = "table"
	Topic        Kind = "topic"
	Queue        Kind = "queue"
	Subscription Kind = "subscription"
)

// Difference is one respect in which what exists is not what is declared.
type Difference struct {
	Field string `json:"field"`
	Have  string `json:"have"`
	Want  string `json:"want"`
}

// Step is what one resource needs.
type Step struct {
	Action  Action `json:"action"`
	Kind    Kind   `json:"kind"`
	Name    string `json:"name"`
	Service string `json:"service"`
	// Summary says what the resource is to be, in a few words.
	Summary string `json:"summary,omitempty"`
	// Differences are what an Update changes, or what a Refused one cannot.
	Differences []Difference `json:"differences,omitempty"`
	// Reason says why a step is refused and what to do instead.
	Reason string `json:"reason,omitempty"`
	// Notes say what else is worth knowing; applying may add some.
	Notes []string `json:"notes,omitempty"`

	apply func(context.Context, *Step) error
}

// Plan is what has to be done, in the order in which it is done.
type Plan struct {
	Region    string            `json:"region"`
	Endpoints map[string]string `json:"endpoints"`
	Applied   bool              `json:"applied"`
	Steps     []*Step           `json:"steps"`
}

// Count returns how many steps have that action.
func (p *Plan) Count(action Action) int {
	n := 0
	for _, s := range p.Steps {
		if s.Action == action {
			n++
		}
	}
	return n
}

// Pending returns how many steps Apply has to take.
func (p *Plan) Pending() int { return p.Count(Create) + p.Count(Update) }

// ErrRefused is returned by Apply for a plan with a refused step. Nothing has
// been changed then.
var ErrRefused = errors.New("the plan has steps that are refused")

// Apply takes the plan's steps one after the other and stops at the first
// error; making another plan and applying it goes on from there. It is called
// once.
func (p *Plan) Apply(ctx context.Context) error {
	if p.Count(Refused) > 0 {
		return ErrRefused
	}
	for _, s := range p.Steps {
		if s.apply == nil {
			continue
		}
		if err := s.apply(ctx, s); err != nil {
			return fmt.Errorf("%s %s %s: %w", s.Action, s.Kind, s.Name, err)
		}
	}
	p.Applied = true
	return nil
}

// Config has what a Bootstrapper works with.
type Config struct {
	Clients connect.Clients
	// Progress receives a line whenever waiting goes on for long; nil drops
	// them.
	Progress func(line string)
	// PollInterval is how often the state of a table that is being made is
	// asked for; 2 s by default.
	PollInterval time.Duration
}

// Bootstrapper makes plans. It is safe for concurrent use; a plan is not.
type Bootstrapper struct {
	connect.Clients
	progress func(string)
	poll     time.Duration
}

// New returns a Bootstrapper.
func New(cfg Config) *Bootstrapper {
	b := &Bootstrapper{Clients: trouble.Watched(cfg.Clients), progress: cfg.Progress, poll: cfg.PollInterval}
	if b.progress == nil {
		b.progress = func(string) {}
	}
	if b.poll <= 0 {
		b.poll = 2 * time.Second
	}
	return b
}

// Plan finds out what the endpoint lacks of what the manifests declare. It only
// reads.
func (b *Bootstrapper) Plan(ctx context.Context, manifests []*manifest.Manifest) (*Plan, error) {
	want, err := declared(manifests)
	if err != nil {
		return nil, err
	}
	plan := &Plan{Region: b.Region, Endpoints: b.endpoints()}
	s := &survey{Bootstrapper: b, plan: plan, topics: map[string]string{}, queues: map[string]queueRef{}}
	for _, t := range want.tables {
		if err := s.table(ctx, t); err != nil {
			return nil, fmt.Errorf("inspect table %s: %w", t.Name, err)
		}
	}
	if err := s.findTopics(ctx, want); err != nil {
		return nil, err
	}
	for _, q := range want.queues {
		if err := s.queue(ctx, q); err != nil {
			return nil, fmt.Errorf("inspect queue %s: %w", q.name, err)
		}
	}
	for _, sub := range want.subscriptions {
		if err := s.subscription(ctx, sub); err != nil {
			return nil, fmt.Errorf("inspect subscription of %s to %s: %w", sub.queue, sub.topic, err)
		}
	}
	s.noteMeanwhile(want)
	return plan, nil
}

// survey is one plan in the making, and what its steps find out on the way:
// ARNs are known only once their resources exist.
type survey struct {
	*Bootstrapper
	plan   *Plan
	topics map[string]string // ARN by name
	queues map[string]queueRef
}

type queueRef struct{ url, arn string }

func (s *survey) add(step *Step) { s.plan.Steps = append(s.plan.Steps, step) }

// wait pauses between two looks at something that AWS takes its time over.
func (b *Bootstrapper) wait(ctx context.Context) error {
	timer := time.NewTimer(b.poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
