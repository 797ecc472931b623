package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/printable"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
)

// findings are what a comparison finds, as it finds it: a bounded number is kept
// for the terminal, and with --json each is written at once and kept nowhere.
type findings struct {
	g    *globals
	f    *reconcileFlags
	c    *comparison
	seen map[reconcile.Class]int64
	// mending is what mends those that were seen.
	mending mending
	// left are findings that are not mended, done those that are.
	left, done []findingView
	listed     int
	failed     error // of writing
}

// findingView is a finding as --json has it.
type findingView struct {
	Class   reconcile.Class   `json:"class"`
	Replica string            `json:"replica,omitempty"` // empty: the source item itself
	Subject string            `json:"subject"`
	Key     map[string]string `json:"key,omitempty"` // the local item's
	// Versions are decimal: JSON's numbers are too short for them.
	SourceVersion  string `json:"source_version,omitempty"`
	ReplicaVersion string `json:"replica_version,omitempty"`
	Remapped       bool   `json:"remapped,omitempty"`
	Why            string `json:"why"`
	// Repaired is set with --repair --apply.
	Repaired    *bool  `json:"repaired,omitempty"`
	NotRepaired string `json:"not_repaired,omitempty"` // why
}

func viewFinding(f reconcile.Finding) findingView {
	return findingView{
		Class: f.Class, Replica: f.Replica, Subject: f.Subject, Key: keyView(f.Key),
		SourceVersion: versionText(f.Version), ReplicaVersion: versionText(f.Stored), Remapped: f.Remapped, Why: why(f),
	}
}

func versionText(v contracts.Version) string {
	if v == 0 {
		return ""
	}
	return v.String()
}

// keyView is a key as a person knows it; binary attributes are in base64.
func keyView(key contracts.Item) map[string]string {
	view := make(map[string]string, len(key))
	for name, value := range key {
		if view[name] = value.Text(); value.Kind() == contracts.KindBinary {
			view[name] = base64.StdEncoding.EncodeToString(value.Bytes())
		}
	}
	return view
}

// why says what is wrong.
func why(f reconcile.Finding) string {
	switch {
	case f.Reason != "":
		return f.Reason
	case f.Class == reconcile.Different && f.Remapped:
		return "made under another mapping than the manifest's"
	}
	switch f.Class {
	case reconcile.Missing:
		return "the replica has no copy"
	case reconcile.Behind:
		return "it shows an older state"
	case reconcile.Extra:
		return "the source has no such item"
	case reconcile.Different:
		return "same version, other content"
	case reconcile.Ahead:
		return "above the source, whose next changes would be lost on it"
	case reconcile.Unversioned:
		return "no relay gave the source item a version"
	}
	return string(f.Class)
}

// found takes a finding. What is to be repaired is listed when it is known what
// became of that: an interruption before leads to it again.
func (s *findings) found(f reconcile.Finding) {
	s.seen[f.Class]++
	s.mending.add(f)
	if !s.f.apply || f.Class == reconcile.Unpublishable {
		s.list(viewFinding(f), false)
	}
}

// repaired takes what became of a finding.
func (s *findings) repaired(f reconcile.Finding, err error) {
	view, right := viewFinding(f), err == nil
	view.Repaired = &right
	if err != nil {
		view.NotRepaired = err.Error()
	}
	s.list(view, right)
}

func (s *findings) list(view findingView, mended bool) {
	s.listed++
	switch {
	case s.g.json:
		s.write(view)
	case mended && len(s.done) < s.f.limit:
		s.done = append(s.done, view)
	case !mended && len(s.left) < s.f.limit:
		s.left = append(s.left, view)
	}
}

// begin writes what comes before the findings.
func (s *findings) begin(p *plan) {
	s.seen = make(map[reconcile.Class]int64)
	if s.g.json {
		s.print("{\n  \"comparison\": %s,\n  \"findings\": [", s.indented(p, "  "))
	}
}

func (s *findings) write(view findingView) {
	comma := ","
	if s.listed == 1 {
		comma = ""
	}
	s.print("%s\n    %s", comma, s.indented(view, "    "))
}

func (s *findings) print(format string, args ...any) {
	if s.failed == nil {
		_, s.failed = fmt.Fprintf(s.g.out, format, args...)
	}
}

// indented is a part of the document, without the end of its line.
func (s *findings) indented(part any, prefix string) string {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetIndent(prefix, "  ")
	encoder.SetEscapeHTML(false)
	s.failed = errors.Join(s.failed, encoder.Encode(part))
	return strings.TrimSuffix(text.String(), "\n")
}

// reconcileView is a comparison's result as --json has it.
type reconcileView struct {
	// Complete is false where the run ended before its time.
	Complete bool `json:"complete"`
	Resumed  bool `json:"resumed"`
	// Earlier is what of a resumed run is from before.
	Earlier  *earlierView `json:"earlier,omitempty"`
	Scanned  int64        `json:"scanned"`
	Compared int64        `json:"compared"`
	InFlight int64        `json:"in_flight"`
	// Drift is by replica and class; the source's own is under "".
	Drift       map[string]map[reconcile.Class]int64 `json:"drift"`
	Drifted     int64                                `json:"drifted"`
	Repaired    int64                                `json:"repaired"`
	Left        int64                                `json:"left"`
	NotCompared []string                             `json:"not_compared,omitempty"` // function replicas
}

// end writes what comes after the findings: the result, and the plan of repairs
// where one is asked for. stopped is what ended the run before its time, in words.
func (s *findings) end(result *reconcile.Result, stopped string) error {
	complete := stopped == ""
	view := reconcileView{
		Complete: complete, Resumed: result.Resumed, Earlier: s.c.before.earlier(result.Started, result.Earlier), Scanned: result.Scanned, Compared: result.Compared, InFlight: result.InFlight,
		Drift: result.Drift, Drifted: result.Drifted(), Repaired: result.Repaired, Left: result.Drifted() - result.Repaired, NotCompared: result.Functions,
	}
	var repairs *plan
	if s.f.repair && !s.f.apply && complete && view.Drifted > 0 {
		repairs = s.c.repairs(s.f, s.wanted(result))
	}
	if s.g.json {
		if s.listed > 0 {
			s.print("\n  ")
		}
		s.print("],\n")
		if repairs != nil {
			s.print("  \"plan\": %s,\n", s.indented(repairs, "  "))
		}
		s.print("  \"applied\": %t,\n  \"result\": %s", s.f.apply, s.indented(&view, "  "))
		if !complete {
			s.print(",\n  \"error\": %s", s.indented(stopped, "  "))
		}
		s.print("\n}\n")
		return s.failed
	}
	s.printText(s.g.out, &view, repairs)
	return nil
}

// wanted is what mends all there is: of what a run found before it was
// interrupted only the class is known.
func (s *findings) wanted(result *reconcile.Result) mends {
	all := s.mending.counts()
	for _, class := range reconcile.Classes() {
		before := reconcile.Finding{Class: class}
		if class == reconcile.Missing || class == reconcile.Behind {
			before.Version = 1 // published
		}
		all.add(before, max(0, result.Total(class)-s.seen[class]))
	}
	return all
}

func (s *findings) printText(out io.Writer, view *reconcileView, repairs *plan) {
	if !view.Complete && view.Drifted == 0 {
		return // there is nothing that would be lost
	}
	fmt.Fprintf(out, "%d items read, %d pairs of an item and its copy compared: ", view.Scanned, view.Compared)
	switch {
	case view.Drifted == 0 && view.Earlier != nil:
		fmt.Fprintln(out, "no drift was found, but not all of it is of now")
	case view.Drifted == 0:
		fmt.Fprintln(out, "no drift")
	case s.f.apply:
		fmt.Fprintf(out, "%d drifted, %d repaired, %d left\n", view.Drifted, view.Repaired, view.Left)
	default:
		fmt.Fprintf(out, "%d drifted\n", view.Drifted)
	}
	if !view.Complete {
		fmt.Fprintln(out, "  which is not all: it was stopped before its end")
	}
	if view.Earlier != nil {
		fmt.Fprintf(out, "  %v: what was found then was listed then, what happened to them since is not known; --restart compares everything\n", view.Earlier)
	}
	if view.InFlight > 0 {
		fmt.Fprintf(out, "  %d differences were on their way: they were gone when read again\n", view.InFlight)
	}
	for _, name := range view.NotCompared {
		fmt.Fprintf(out, "  not compared: what the function %s keeps, which only %s's own code knows\n", name, s.f.to)
	}
	if view.Drifted == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, name := range slices.Sorted(maps.Keys(view.Drift)) {
		for _, class := range reconcile.Classes() {
			if n := view.Drift[name][class]; n > 0 {
				fmt.Fprintf(table, "  %s\t%s\t%d\n", of(name), class, n)
			}
		}
	}
	table.Flush()
	s.printFindings(out)
	switch {
	case repairs != nil:
		fmt.Fprintln(out)
		writePlan(out, repairs)
		// An interrupted run of mending may be older than what was found now.
		fmt.Fprintln(out, "nothing was changed yet; run again with --restart --apply")
	case view.Left > 0 && s.f.apply && view.Complete:
		fmt.Fprintf(out, "\nsome is left: the reasons are above; replicactl explain %s SUBJECT says more of one item\n", s.f.contract)
	case view.Left > 0 && view.Complete:
		fmt.Fprintf(out, "\nreplicactl reconcile --contract %s --subscriber %s --repair --restart shows what mending takes, and mends with --apply\n", s.f.contract, s.f.to)
	}
}

// of names a replica, or the source.
func of(replica string) string {
	if replica == "" {
		return "the source itself"
	}
	return replica
}

// printFindings prints what is left first.
func (s *findings) printFindings(out io.Writer) {
	listed := slices.Concat(s.left, s.done)
	listed = listed[:min(len(listed), s.f.limit)]
	if len(listed) > 0 {
		fmt.Fprintln(out)
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "CLASS\tREPLICA\tSUBJECT\tITEM\tSOURCE AT\tCOPY AT\tWHY")
		for _, f := range listed {
			what := f.Why
			switch {
			case f.NotRepaired != "":
				what += "; not repaired: " + f.NotRepaired
			case f.Repaired != nil:
				what += "; repaired"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Class, dash(f.Replica), dash(printable.Line(f.Subject)), dash(printable.Line(keyText(f.Key))), dash(f.SourceVersion), dash(f.ReplicaVersion), oneLine(what))
		}
		table.Flush()
	}
	if more := s.listed - len(listed); more > 0 {
		fmt.Fprintf(out, "and %d more: --limit lists more, --json lists all\n", more)
	}
}

func keyText(key map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(key)) {
		parts = append(parts, name+"="+key[name])
	}
	return strings.Join(parts, " ")
}
