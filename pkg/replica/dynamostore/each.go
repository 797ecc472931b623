package dynamostore

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// maxStatements is the most statements of one BatchExecuteStatement (Running
// batch operations with PartiQL for DynamoDB, developer guide).
const maxStatements = 25

// WriteEach implements replica.BatchStore. Writes share BatchExecuteStatement
// requests of up to 25 conditional statements; what a statement leaves open is
// settled by an UpdateItem. Which statements are tried first, and whether any
// are, follows from what the table's last writes met: most items missing, or
// most statements left open. A service or role that does not permit statements
// has its writes made by UpdateItem alone, and is asked again ten minutes later,
// one that fails at statements and at nothing else half a minute later. What is
// throttled, or meets a transaction, is not tried again here, where all would
// wait for it: that is a *replica.BusyError.
func (s *Store) WriteEach(ctx context.Context, writes []replica.Write) ([]replica.WriteResult, []error) {
	b := &batch{
		store: s, ctx: ctx, writes: writes,
		results: make([]replica.WriteResult, len(writes)),
		errs:    make([]error, len(writes)),
		courses: make([]course, len(writes)),
	}
	b.begin()
	for _, v := range []verb{updateVerb, insertVerb} {
		b.execute(b.first[v])
	}
	for _, v := range []verb{updateVerb, insertVerb} {
		b.execute(b.second[v])
	}
	b.writeAlone()
	b.learn()
	if !slices.ContainsFunc(b.errs, func(err error) bool { return err != nil }) {
		return b.results, nil
	}
	return b.results, b.errs
}

// batch is one WriteEach.
type batch struct {
	store   *Store
	ctx     context.Context
	writes  []replica.Write
	results []replica.WriteResult
	errs    []error
	courses []course
	// first and second are the statements of the two rounds, by verb; alone are
	// the writes that no statement is to settle.
	first, second [2][]statement
	alone         []int
}

// begin sorts the writes by how they are best begun.
func (b *batch) begin() {
	now := time.Now()
	for i := range b.writes {
		w := &b.writes[i]
		how := alone
		if stateable(w) {
			how = b.store.habit(w.Table).plan(insertable(w), now)
		}
		b.courses[i].begun = how
		b.state(&b.first, i, how)
	}
}

// state adds a write to the statements of a round.
func (b *batch) state(round *[2][]statement, i int, how plan) {
	if how != alone {
		as := updateVerb
		if how == byInsert {
			as = insertVerb
		}
		if st, ok := b.store.texts.state(i, &b.writes[i], as); ok {
			round[as] = append(round[as], st)
			return
		}
	}
	b.alone = append(b.alone, i)
}

// execute makes the statements, all of one verb.
func (b *batch) execute(statements []statement) {
	for part := range slices.Chunk(statements, maxStatements) {
		if len(part) == 1 {
			b.lone(part[0]) // an UpdateItem costs as much and leaves nothing open
			continue
		}
		b.attempt(part)
	}
}

// lone has a write made alone that no other shares a request with. Where none
// has at all, nothing can be learnt from it about statements.
func (b *batch) lone(st statement) {
	if !b.courses[st.at].retried {
		b.courses[st.at].begun = alone
	}
	b.alone = append(b.alone, st.at)
}

// attempt makes the statements of one request. Those that are throttled, or
// that meet a transaction, fail inside an answer that the SDK takes for a
// success and does not try again.
func (b *batch) attempt(due []statement) {
	answers, err := b.request(due)
	if err != nil {
		b.refused(due, err)
		return
	}
	for i, st := range due {
		switch {
		case i >= len(answers):
			b.alone = append(b.alone, st.at)
		case answers[i].Error != nil && passing(string(answers[i].Error.Code)):
			b.errs[st.at] = &replica.BusyError{Err: &smithy.GenericAPIError{
				Code: string(answers[i].Error.Code), Message: aws.ToString(answers[i].Error.Message)}}
		default:
			st.trouble = answers[i].Error
			b.settle(st)
		}
	}
}

func (b *batch) request(due []statement) ([]types.BatchStatementResponse, error) {
	in := &dynamodb.BatchExecuteStatementInput{Statements: make([]types.BatchStatementRequest, len(due))}
	for i := range due {
		in.Statements[i] = types.BatchStatementRequest{Statement: &due[i].text, Parameters: due[i].values}
		if due[i].verb == updateVerb {
			in.Statements[i].ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
	}
	out, err := b.store.client.BatchExecuteStatement(b.ctx, in)
	if err != nil {
		return nil, err
	}
	return out.Responses, nil
}

// settle says what a statement's answer means. Only a success, and an item that
// a condition met, settle the write. An answer lost on its way makes the SDK
// send the request again: then the item met is the write's own.
func (b *batch) settle(st statement) {
	i := st.at
	if st.trouble == nil {
		b.results[i].Written = true
		b.courses[i].created = st.verb == insertVerb
		return
	}
	w := &b.writes[i]
	how := alone
	switch st.trouble.Code {
	case types.BatchStatementErrorCodeEnumConditionalCheckFailed:
		if st.trouble.Item != nil {
			b.courses[i].shown = true
			b.results[i].Found, b.errs[i] = FromAttributes(st.trouble.Item)
			return
		}
		b.courses[i].unseen = true
		b.courses[i].blind = insertable(w)
		how = b.store.habit(w.Table).next(insertable(w), st.verb, time.Now())
	case types.BatchStatementErrorCodeEnumDuplicateItem:
		how = b.store.habit(w.Table).next(insertable(w), st.verb, time.Now())
	case types.BatchStatementErrorCodeEnumAccessDenied:
		b.store.refuse(w.Table, st.verb, refusalLife, aws.ToString(st.trouble.Message))
	}
	if b.courses[i].retried {
		how = alone
	}
	b.courses[i].retried = true
	b.state(&b.second, i, how)
}

// refused handles a request that failed as a whole, with nothing applied or
// nobody knows what.
func (b *batch) refused(due []statement, err error) {
	var api smithy.APIError
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	switch {
	case code == "AccessDeniedException" || code == "UnknownOperationException":
		for _, st := range due {
			b.store.refuse(b.writes[st.at].Table, st.verb, refusalLife, err.Error())
		}
	case code == "ValidationException" || code == "SerializationException" || status(err) == http.StatusRequestEntityTooLarge:
		// One of them is at fault, or all of them together are too much.
	case status(err) >= http.StatusInternalServerError && b.probe(due[0]):
		// The service is there, and does not know what to do with statements.
		for _, st := range due {
			b.store.refuse(b.writes[st.at].Table, st.verb, failureLife, err.Error())
		}
		due = due[1:]
	default:
		for _, st := range due {
			b.errs[st.at] = err
		}
		return
	}
	for _, st := range due {
		b.alone = append(b.alone, st.at)
	}
}

// probe makes one write of a request that failed, and reports whether that was
// possible: where the whole service is out of order, its neighbours are better
// left in peace.
func (b *batch) probe(st statement) bool {
	b.writeOne(st.at)
	return b.errs[st.at] == nil
}

// status returns the HTTP status that an error came with, 0 for none.
func status(err error) int {
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return response.HTTPStatusCode()
	}
	return 0
}

// writeAlone makes the writes that no statement settled.
func (b *batch) writeAlone() {
	var all sync.WaitGroup
	for _, i := range b.alone {
		all.Go(func() { b.writeOne(i) })
	}
	all.Wait()
}

func (b *batch) writeOne(i int) {
	b.courses[i].single = true
	b.results[i], b.errs[i] = b.store.writeOnce(b.ctx, &b.writes[i])
	b.courses[i].met = b.results[i].Found != nil
	b.courses[i].created = b.results[i].Written && b.courses[i].blind
}

// learn notes how the writes went.
func (b *batch) learn() {
	for i := range b.writes {
		if b.errs[i] == nil {
			b.store.habit(b.writes[i].Table).note(b.courses[i], b.results[i].Written)
		}
	}
}

// habit returns the habit of a table.
func (s *Store) habit(table string) *habit {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.habits[table]
	if h == nil {
		h = &habit{absent: 1} // until something else is seen
		s.habits[table] = h
	}
	return h
}

// refuse notes that a verb is of no use on a table for a while.
func (s *Store) refuse(table string, v verb, life time.Duration, why string) {
	if s.habit(table).refuse(v, time.Now(), life) {
		s.logger.Warn("statements were refused; items are written one by one, at a request each",
			"table", table, "needs", v.action(), "for", life.String(), "error", why)
	}
}
