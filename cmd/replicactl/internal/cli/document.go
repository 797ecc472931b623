package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
)

// partial is an error of a verb that had done a part by then: --json tells the
// part all the same.
type partial struct {
	err error
	// document is what was done, with the error in a person's words.
	document func(said string) any
}

func (p *partial) Error() string { return p.err.Error() }
func (p *partial) Unwrap() error { return p.err }

// stopped adds to what ended a verb, after --apply, what it had done by then; nil
// stays nil. The result says by itself that it is not complete.
func stopped(err error, p *plan, result any) error {
	if err == nil {
		return nil
	}
	return &partial{err, func(said string) any { return outcome{Plan: p, Applied: true, Result: result, Error: said} }}
}

// failure is the document of a verb that ended before it had one.
type failure struct {
	Error string `json:"error"`
}

// wordsOf is an error in the words of which one reads how to go on.
func wordsOf(ctx context.Context, err error) string {
	if err == nil {
		return ""
	}
	if !errors.Is(err, context.Canceled) || ctx.Err() == nil {
		return trouble.Told(err).Error()
	}
	how := "run it again to go on"
	if resumable, ok := errors.AsType[*resumable](err); ok {
		how = resumable.how
	}
	return "interrupted; " + how
}

// written notes whether anything was printed, and the first reason why not all.
type written struct {
	io.Writer
	any    bool
	failed error
}

func (w *written) Write(p []byte) (int, error) {
	w.any = w.any || len(p) > 0
	n, err := w.Writer.Write(p)
	if w.failed == nil {
		w.failed = err
	}
	return n, err
}

// complain ends a verb with an error: with --json and where the verb has printed
// no document, as one too, so that there is always exactly one.
func (g *globals) complain(ctx context.Context, err error, out *written) {
	text := wordsOf(ctx, err)
	if g.json && !out.any {
		var document any = failure{text}
		if part, ok := errors.AsType[*partial](err); ok {
			document = part.document(text)
		}
		if err := printJSON(g.out, document); err != nil {
			text += fmt.Sprintf("\nprint the document: %v", err)
		}
	}
	fmt.Fprintf(g.err, "replicactl: %s\n", text)
}
