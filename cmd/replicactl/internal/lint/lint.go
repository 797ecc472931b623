// Package lint checks manifests as a project: each in itself, against the
// contracts, and against each other.
//
// It promises that every problem of every manifest is found at once, with its
// file, line and rule, also where a manifest is too broken for a service to
// start with. Manifests that are sound here are accepted by the services, which
// refuse the same combinations by package manifest; "expiring-version" alone is
// only found here. It reads files and calls nothing.
//
// It does not promise that AWS has what the manifests say: status does.
package lint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Finding is one thing that is unsafe.
type Finding struct {
	Rule string `json:"rule"`
	// File and Line are the place; empty and 0 for a rule about the code.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Field is the path inside the manifest: subscribes[0].queue.
	Field string `json:"field,omitempty"`
	What  string `json:"what"`
	// Why says what goes wrong.
	Why string `json:"why"`
	// WayOut says what to do.
	WayOut string `json:"way_out"`
}

// Place is file:line, as far as it is known.
func (f Finding) Place() string {
	switch {
	case f.File == "":
		return "code"
	case f.Line == 0:
		return f.File
	default:
		return fmt.Sprintf("%s:%d", f.File, f.Line)
	}
}

// Rule is one thing that is checked.
type Rule struct {
	ID   string `json:"rule"`
	Says string `json:"says"`
	Why  string `json:"why"`
}

// Rules about what this build's code does, which manifests rely on.
var (
	ruleMessageAttributes = Rule{"message-attributes", "a change travels with at most ten message attributes",
		"with raw delivery SNS discards a message that has more, without an error to the publisher"}
	ruleTombstoneLife = Rule{"tombstone-life", "tombstones outlive every path by which an old change can still arrive",
		"an older change that arrives after the tombstone is gone brings a deleted item back"}
)

// Rules returns every rule.
func Rules() []Rule {
	var all []Rule
	for _, r := range manifest.Rules() {
		all = append(all, Rule(r))
	}
	return append(all, ruleMessageAttributes, ruleTombstoneLife)
}

// Facts are what the code does that manifests rely on.
type Facts struct {
	// MessageAttributes names the message attributes of a contract's changes.
	MessageAttributes func(*contracts.Contract) ([]string, error)
	// MaxMessageAttributes is how many raw delivery carries.
	MaxMessageAttributes int
	// ReplicaTombstone is how long a copy's tombstone lives, SourceTombstone an
	// owner's.
	ReplicaTombstone, SourceTombstone time.Duration
	// Paths are the longest times by which an old change can still arrive.
	Paths map[string]time.Duration
}

// Check reads the manifests at these paths and returns all findings, by file
// and line. An error means that a file could not be read.
func Check(paths []string, known *contracts.Catalog, facts Facts) ([]Finding, error) {
	var manifests []*manifest.Manifest
	var problems []*manifest.Problem
	var unread []error
	for _, path := range paths {
		m, err := manifest.Inspect(path)
		found := manifest.Problems(err)
		if err != nil && len(found) == 0 {
			unread = append(unread, err)
			continue
		}
		problems = append(problems, found...)
		if m == nil {
			continue
		}
		manifests = append(manifests, m)
		problems = add(problems, found, errors.Join(m.CheckContracts(known), m.Advise()))
	}
	if err := errors.Join(unread...); err != nil {
		return nil, err
	}
	problems = add(problems, problems, manifest.CheckTogether(manifests))
	findings := make([]Finding, 0, len(problems))
	for _, p := range problems {
		rule, _ := manifest.RuleOf(p.Rule) // every problem has one: see the tests
		findings = append(findings, Finding{Rule: p.Rule, File: p.File, Line: p.Line, Field: p.Field, What: p.Problem, Why: rule.Why, WayOut: p.Advice})
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line)) })
	return append(findings, facts.check(published(manifests, known))...), nil
}

// add appends the problems of err, but for those of a field that has one
// already: they follow from it.
func add(problems, found []*manifest.Problem, err error) []*manifest.Problem {
	for _, p := range manifest.Problems(err) {
		if !slices.ContainsFunc(found, func(other *manifest.Problem) bool { return other.File == p.File && other.Field == p.Field }) {
			problems = append(problems, p)
		}
	}
	return problems
}

// published returns the contracts that the manifests speak of.
func published(manifests []*manifest.Manifest, known *contracts.Catalog) []*contracts.Contract {
	var all []*contracts.Contract
	take := func(id string) {
		if c, ok := known.ByID(id); ok && !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	for _, m := range manifests {
		for _, p := range m.Publishes {
			take(p.Contract)
		}
		for _, s := range m.Subscribes {
			take(s.Contract)
		}
	}
	return all
}

// check holds the code's own numbers against what manifests rely on.
func (f Facts) check(all []*contracts.Contract) []Finding {
	var findings []Finding
	for _, c := range all {
		names, err := f.MessageAttributes(c)
		if err != nil {
			findings = append(findings, ruleMessageAttributes.finding(fmt.Sprintf("a change of %s has no message: %v", c.ID(), err), "correct the contract"))
			continue
		}
		if len(names) > f.MaxMessageAttributes {
			findings = append(findings, ruleMessageAttributes.finding(
				fmt.Sprintf("changes of %s have %d message attributes, and raw delivery carries %d: %s", c.ID(), len(names), f.MaxMessageAttributes, strings.Join(names, ", ")),
				"move what no filter policy looks at into the body"))
		}
	}
	for path, longest := range f.Paths {
		if f.ReplicaTombstone <= longest {
			findings = append(findings, ruleTombstoneLife.finding(
				fmt.Sprintf("a replica's tombstone lives %v, and %s takes up to %v", f.ReplicaTombstone, path, longest), "let tombstones live longer, or shorten that path"))
		}
	}
	if f.ReplicaTombstone <= f.SourceTombstone {
		findings = append(findings, ruleTombstoneLife.finding(
			fmt.Sprintf("a replica's tombstone lives %v, and its source's %v", f.ReplicaTombstone, f.SourceTombstone), "let replicas' tombstones outlive their source's: a backfill sends those"))
	}
	slices.SortFunc(findings, func(a, b Finding) int { return cmp.Or(cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.What, b.What)) })
	return findings
}

func (r Rule) finding(what, wayOut string) Finding {
	return Finding{Rule: r.ID, What: what, Why: r.Why, WayOut: wayOut}
}
