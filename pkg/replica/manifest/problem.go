package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a manifest. Errors of this package
// that are about a manifest's content join Problems; use Problems to get them.
type Problem struct {
	// Rule is the ID of the rule that is broken; see Rules.
	Rule string
	// File is the manifest's name as given to Load or Parse; empty for a
	// manifest that was built in code.
	File string
	// Line is where in the file, from 1; 0 where it is not known.
	Line int
	// Field is the path of the field: subscribes[0].replicas[1].index.
	Field string
	// Problem says what is wrong and, where it is not obvious, why it matters.
	Problem string
	// Advice says what to do about it.
	Advice string
}

// Error returns file:line: field: problem; advice.
func (p *Problem) Error() string {
	var b strings.Builder
	switch {
	case p.File != "" && p.Line > 0:
		fmt.Fprintf(&b, "%s:%d: ", p.File, p.Line)
	case p.File != "":
		b.WriteString(p.File + ": ")
	}
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Problem)
	if p.Advice != "" {
		b.WriteString("; " + p.Advice)
	}
	return b.String()
}

// Problems returns every Problem that an error of this package holds, in the
// order they were found.
func Problems(err error) []*Problem {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []*Problem
		for _, e := range joined.Unwrap() {
			all = append(all, Problems(e)...)
		}
		return all
	}
	var p *Problem
	if errors.As(err, &p) {
		return []*Problem{p}
	}
	return nil
}

// MaxProblems is how many problems are named of one manifest.
const MaxProblems = 100

// maxTextBytes is the longest problem or advice; what is longer quotes the
// manifest.
const maxTextBytes = 1 << 10

// note adds a problem unless it is clear already that there are more than are
// named.
func note(problems []*Problem, p *Problem) []*Problem {
	if len(problems) > MaxProblems {
		return problems
	}
	p.Problem, p.Advice = shorten(p.Problem), shorten(p.Advice)
	return append(problems, p)
}

func shorten(text string) string {
	if len(text) <= maxTextBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxTextBytes], "") + "…"
}

func join(problems []*Problem) error {
	if len(problems) > MaxProblems {
		last := problems[MaxProblems-1]
		problems = append(slices.Clone(problems[:MaxProblems]), &Problem{File: last.File, Line: last.Line,
			Problem: fmt.Sprintf("there are more problems than the %d named", MaxProblems), Advice: "correct these and check again"})
	}
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}
