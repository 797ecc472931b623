package bench

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// print prints the results for people.
func (r *Results) print(out io.Writer) {
	fmt.Fprintf(out, "%s, %s, %d CPUs (%s), %s/%s\n", r.Date, r.Go, r.Machine.CPUs, r.Machine.CPU, r.Machine.OS, r.Machine.Arch)
	fmt.Fprintf(out, "%d changes over %d items (stock: the first %d, at 10 ms %d; lag: the first %d)\n",
		r.Workload.Changes, r.Workload.Items, r.Workload.SlowChanges, r.Workload.SlowestChanges, r.Workload.PacedChanges)
	r.printSteady(out)
	r.printScene(out, SceneBurst, "Bursts of 10 changes an item")
	r.printScene(out, ScenePaced, "At 500 changes a second")
	r.printRatios(out)
	fmt.Fprintln(out, "\nBudget (DESIGN.md, section 13)")
	w := table(out)
	for _, v := range r.Budget {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", v.Line, v, v.Note)
	}
	w.Flush()
}

func table(out io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(out, 0, 0, 2, ' ', 0) }

// printSteady prints what a change costs at steady load: requests from publish
// to delete, the rest the consumer's but for the last column.
func (r *Results) printSteady(out io.Writer) {
	fmt.Fprintln(out, "\nSteady load, per change of the owner's")
	w := table(out)
	fmt.Fprintln(w, "  \tmessages\tSNS\tSQS\tDynamoDB\trequests\tchanges/s\tat +10 ms\tCPU µs\tallocations\tpeak MiB\tlag p50 ms\tp99 ms\tpublisher CPU µs")
	for _, v := range Variants() {
		m, ok := r.median(SceneSteady, v.Name)
		slow, slowOK := r.median(SceneSlow, v.Name)
		paced, pacedOK := r.median(ScenePaced, v.Name)
		if !ok && !slowOK && !pacedOK {
			continue
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", v.Name,
			cell(ok, "%.3f", m.Messages), cell(ok, "%.3f", m.SNS), cell(ok, "%.3f", m.SQS), cell(ok, "%.3f", m.DynamoDB), cell(ok, "%.3f", m.Total),
			cell(ok, "%.0f", m.ChangesPerSecond), cell(slowOK, "%.0f", slow.ChangesPerSecond),
			cell(ok, "%.1f", m.ConsumerCPU), cell(ok, "%.1f", m.Allocations), cell(ok, "%.1f", m.Memory),
			cell(pacedOK, "%.1f", paced.LagP50), cell(pacedOK, "%.1f", paced.LagP99), cell(ok, "%.1f", m.PublisherCPU))
	}
	w.Flush()
}

func cell(ok bool, format string, value float64) string {
	if !ok {
		return "-"
	}
	return fmt.Sprintf(format, value)
}

func (r *Results) printScene(out io.Writer, scene, title string) {
	w := table(out)
	printed := false
	for _, v := range Variants() {
		m, ok := r.median(scene, v.Name)
		if !ok {
			continue
		}
		if !printed {
			fmt.Fprintf(out, "\n%s\n", title)
			fmt.Fprintln(w, "  \tmessages\tSNS\tSQS\tDynamoDB\trequests\tchanges/s\tCPU µs\tallocations\tpeak MiB\tpublisher CPU µs")
			printed = true
		}
		fmt.Fprintf(w, "  %s\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\n", v.Name,
			m.Messages, m.SNS, m.SQS, m.DynamoDB, m.Total, m.ChangesPerSecond, m.ConsumerCPU, m.Allocations, m.Memory, m.PublisherCPU)
	}
	w.Flush()
}

// printRatios prints how Tributary compares.
func (r *Results) printRatios(out io.Writer) {
	w := table(out)
	printed := false
	for _, m := range r.Medians {
		for _, other := range []string{Stock, Stock10, Floor} {
			if _, ok := m.CPUTo[other]; !ok || m.Variant != Tributary || m.Scene == ScenePaced {
				continue
			}
			if !printed {
				fmt.Fprintln(out, "\nTributary's figures as multiples of others'")
				fmt.Fprintln(w, "  scene\tto\trequests\tchanges/s\tconsumer CPU")
				printed = true
			}
			fmt.Fprintf(w, "  %s\t%s\t%.3f\t%.2f\t%.2f\n", m.Scene, other, m.RequestsTo[other], m.ThroughputTo[other], m.CPUTo[other])
		}
	}
	w.Flush()
}
