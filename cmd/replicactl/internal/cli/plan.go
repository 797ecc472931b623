package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cost"
)

// plan is what a verb is going to do: every verb that changes something prints
// one and acts with --apply.
type plan struct {
	// Verb is the verb's name, as it was called.
	Verb string `json:"verb"`
	// Targets are what is changed, and what is read for it.
	Targets []planTarget `json:"targets"`
	// Counts are how many of what: items to send, messages to delete.
	Counts []planCount `json:"counts"`
	// Requests are what AWS is going to be asked.
	Requests []cost.Line `json:"requests"`
	// Dollars is what they cost together, by the prices of Prices.
	Dollars float64 `json:"dollars"`
	Prices  string  `json:"prices"`
	// Notes are what else to know before acting.
	Notes []string `json:"notes,omitempty"`
}

type planTarget struct {
	Kind string `json:"kind"` // table, topic, queue, subscription
	Name string `json:"name"`
	Use  string `json:"use"` // read, written, sent to, deleted from
}

type planCount struct {
	What string `json:"what"`
	// N is exact unless Estimate says otherwise.
	N        int64 `json:"n"`
	Estimate bool  `json:"estimate,omitempty"`
}

// planned completes a plan with its requests and their price.
func planned(p plan, requests ...cost.Line) *plan {
	p.Requests, p.Dollars, p.Prices = requests, cost.Dollars(requests), cost.Provenance
	return &p
}

// outcome is the JSON document of a verb that changes something.
type outcome struct {
	Plan    *plan `json:"plan"`
	Applied bool  `json:"applied"`
	// Result is the verb's own. Its "complete" is false where the verb was stopped
	// before its end, and it has what was done until then.
	Result any `json:"result,omitempty"`
	// Error is what stopped it, and how to go on.
	Error string `json:"error,omitempty"`
}

// showPlan prints the plan, unless there is to be JSON, which finish prints.
func (g *globals) showPlan(p *plan) {
	if !g.json {
		writePlan(g.out, p)
	}
}

// finish ends a verb that changes something: it prints the JSON document, or the
// hint to --apply, or what text prints of the result.
func (g *globals) finish(p *plan, applied bool, result any, text func(io.Writer)) error {
	if g.json {
		return printJSON(g.out, outcome{Plan: p, Applied: applied, Result: result})
	}
	if !applied {
		_, err := fmt.Fprintln(g.out, "nothing was changed yet; run again with --apply")
		return err
	}
	if text != nil {
		text(g.out)
	}
	return nil
}

func requests(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", n)
}

func writePlan(out io.Writer, p *plan) {
	fmt.Fprintf(out, "plan of %s\n", p.Verb)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, t := range p.Targets {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", t.Kind, t.Name, t.Use)
	}
	for _, c := range p.Counts {
		about := ""
		if c.Estimate {
			about = "about "
		}
		fmt.Fprintf(table, "  %s\t%s%d\n", c.What, about, c.N)
	}
	for _, l := range p.Requests {
		fmt.Fprintf(table, "  %s\t%s\t%g × %s\t%s\n", l.Operation, requests(l.Requests), l.Units, l.Kind, cost.Text(l.Dollars))
	}
	table.Flush()
	if len(p.Requests) > 0 {
		all := cost.Text(p.Dollars)
		if p.Dollars >= 0.01 {
			all = "about " + all
		}
		fmt.Fprintf(out, "  %s in all; %s\n", all, p.Prices)
	}
	for _, note := range p.Notes {
		fmt.Fprintf(out, "  note: %s\n", note)
	}
	fmt.Fprintln(out)
}
