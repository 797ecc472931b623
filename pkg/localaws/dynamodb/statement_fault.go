package dynamodb

import (
	"context"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Statement is one statement of a BatchExecuteStatement that is about to run.
type Statement struct {
	// Index is its place in the call, from 0.
	Index int
	// Text is the PartiQL text, Parameters what stands for each ?. Parameters
	// must not be changed.
	Text       string
	Parameters []attr.Value
}

// StatementFault is what goes wrong with one statement while its neighbours
// pass. The zero StatementFault lets it pass too.
type StatementFault struct {
	// Error is the statement's answer, within a call that succeeds with HTTP
	// 200. Its Code is one of those of BatchStatementError (API reference):
	// ThrottlingError, ProvisionedThroughputExceeded, RequestLimitExceeded,
	// InternalServerError, AccessDenied, TransactionConflict, ...; its other
	// fields than Message are not sent.
	Error *wire.Error
	// Applied runs the statement and answers Error all the same, unless it
	// failed by itself: the caller cannot know the outcome of an
	// InternalServerError.
	Applied bool
}

type statementFaults struct{}

// WithStatementFaults makes the BatchExecuteStatement that runs with the
// context ask fault about each of its statements, in their order, after what
// refuses the whole call was checked.
func WithStatementFaults(ctx context.Context, fault func(Statement) StatementFault) context.Context {
	return context.WithValue(ctx, statementFaults{}, fault)
}

func statementFault(ctx context.Context) func(Statement) StatementFault {
	if fault, ok := ctx.Value(statementFaults{}).(func(Statement) StatementFault); ok {
		return fault
	}
	return func(Statement) StatementFault { return StatementFault{} }
}
