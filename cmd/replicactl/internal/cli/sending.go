package cli

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cost"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/progress"
)

// sendingFlags are those of verbs that publish to one subscriber.
type sendingFlags struct {
	contract, to string
	rate         float64
	maxBacklog   int
	canary       time.Duration
	apply        bool
}

const (
	// defaultRate is what a consumer of a few processes takes beside its live
	// changes. SNS accepts from 300 messages a second in the smallest Regions
	// ("Amazon Simple Notification Service endpoints and quotas").
	defaultRate       = 250
	defaultMaxBacklog = 10_000
	defaultCanary     = 20 * time.Minute
)

func (g *globals) sendingFlags(cmd *cobra.Command, f *sendingFlags, needed ...string) {
	g.contractFlag(cmd, &f.contract)
	g.subscriberFlag(cmd, &f.to, "to", "the service that is to receive the changes")
	cmd.Flags().Float64Var(&f.rate, "rate", defaultRate, "changes published a second, at the most; 0 for no limit")
	cmd.Flags().IntVar(&f.maxBacklog, "max-backlog", defaultMaxBacklog, "messages in the subscriber's queue above which nothing is published; 0 for any number")
	cmd.Flags().DurationVar(&f.canary, "canary-timeout", defaultCanary, "how long to wait for the canary; a new filter policy takes up to 15m")
	applyFlag(cmd, &f.apply)
	needs(cmd, append([]string{"contract", "to"}, needed...)...)
}

func (f *sendingFlags) check() error {
	if f.canary <= 0 {
		return &usageError{fmt.Errorf("--canary-timeout %v: want more than 0s", f.canary)}
	}
	return f.checkPace()
}

func (f *sendingFlags) checkPace() error {
	switch {
	case f.rate < 0:
		return &usageError{fmt.Errorf("--rate %g: want 0 or more", f.rate)}
	case f.maxBacklog < 0:
		return &usageError{fmt.Errorf("--max-backlog %d: want 0 or more", f.maxBacklog)}
	}
	return nil
}

// slowed is what the subscriber's queue is asked by; nil where its length does
// not matter.
func (f *sendingFlags) slowed(r *recipient) func(context.Context) (int, error) {
	if f.maxBacklog == 0 {
		return nil
	}
	return r.Backlog
}

// pace says how long n changes take at the rate.
func (f *sendingFlags) pace(n int64) string {
	text := "no limit to the rate"
	if f.rate > 0 {
		took := time.Duration(float64(n) / f.rate * float64(time.Second))
		text = fmt.Sprintf("at %g changes a second it takes about %v", f.rate, max(time.Second, took.Round(time.Second)))
	}
	if f.maxBacklog > 0 {
		text += fmt.Sprintf("; it stops while more than %d messages wait at %s", f.maxBacklog, f.to)
	}
	return text
}

// envelopeBytes is about what a message has besides the item: the event's other
// fields, the names of its attributes twice, and the message attributes.
const envelopeBytes = 1 << 10

// delivered is what messages cost until they are applied: on the topic, in the
// subscriber's queue, and in its replicas but for the copies of a fan-out, of
// which nobody knows the number.
func (r *recipient) delivered(messages int64) (lines []cost.Line, notes []string) {
	message := r.itemBytes() + envelopeBytes
	lines = append(lines, cost.Publish(messages, message, 256<<10))
	lines = append(lines, cost.Consume(messages, message)...)
	for _, replica := range r.sub.Subscription.Replicas {
		switch {
		case replica.Table == "":
			notes = append(notes, fmt.Sprintf("what the functions of %s do is not in the costs", r.sub.Service()))
		case replica.Index != "":
			lines = append(lines, cost.Read("Query of "+replica.Table, messages, messages, 1, false))
			notes = append(notes, fmt.Sprintf("writes of fan-out copies in %s are not in the costs: nobody knows their number", replica.Table))
		default:
			lines = append(lines, cost.Write("writes of "+replica.Table, messages, r.itemBytes()))
		}
	}
	return lines, notes
}

func (r *recipient) itemBytes() int64 {
	if r.items == 0 {
		return 512
	}
	return max(1, r.tableBytes/r.items)
}

// stages shows a run's progress, one stage after the other.
type stages struct {
	g    *globals
	name string
	now  *progress.Meter
}

// at returns the meter of a stage, which begins with the first call.
func (s *stages) at(name string) *progress.Meter {
	if s.now == nil || s.name != name {
		s.end()
		s.name, s.now = name, s.g.meter(name)
	}
	return s.now
}

func (s *stages) end() {
	if s.now != nil {
		s.now.End()
		s.now = nil
	}
}

// canary shows that the canary is waited for, and how long still.
func (s *stages) canary(waited, most time.Duration) {
	s.at("waiting for the canary").Wait(waited, most, "until the subscriber's consumer notes it")
}

// heldBack says why nothing is published at the moment; empty where something is.
func heldBack(waiting bool, backlog int, to string) string {
	if !waiting {
		return ""
	}
	return fmt.Sprintf("held back: %d messages wait at %s", backlog, to)
}

// rejectedView is an item that can never be published.
type rejectedView struct {
	Subject string `json:"subject"`
	Reason  string `json:"reason"`
	Detail  string `json:"detail"`
}

// printRejected prints what can never be published; all is their number.
func printRejected(out io.Writer, rejected []rejectedView, all int64) {
	if all == 0 {
		return
	}
	fmt.Fprintf(out, "%d can never be published as they are, and were left out:\n", all)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, one := range rejected {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", dash(one.Subject), one.Reason, clipLine(one.Detail))
	}
	table.Flush()
	if more := all - int64(len(rejected)); more > 0 {
		fmt.Fprintf(out, "  and %d more\n", more)
	}
}
