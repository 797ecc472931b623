package manifest

import (
	"errors"
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a manifest. Errors of this package
// that are about a manifest's content join Problems; use Problems to get them.
type Problem struct {
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

func join(problems []*Problem) error {
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}
