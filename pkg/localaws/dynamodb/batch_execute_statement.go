package dynamodb

import (
	"context"
	"errors"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/partiql"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const maxBatchStatements = 25 // "BatchExecuteStatement"

type batchExecuteStatementInput struct {
	Statements             []batchStatement
	ReturnConsumedCapacity string
}

// batchStatement is AWS's BatchStatementRequest without ConsistentRead, which
// is for the reads that localaws does not know.
type batchStatement struct {
	Statement                           string
	Parameters                          attr.Values
	ReturnValuesOnConditionCheckFailure string
}

type batchExecuteStatementOutput struct {
	Responses        []statementResponse
	ConsumedCapacity []*consumedCapacity `json:",omitempty"`
}

// statementResponse is AWS's BatchStatementResponse of a write, which has an
// item only with RETURNING.
type statementResponse struct {
	Error     *statementError `json:",omitempty"`
	TableName string          `json:",omitempty"`
}

type statementError struct {
	Code    string
	Message string
	Item    attr.Item `json:",omitempty"`
}

// batchExecuteStatement runs each statement on its own: the batch is not
// atomic. All of it is processed always, as throughput is unlimited.
func (s *Service) batchExecuteStatement(ctx context.Context, body []byte) (any, error) {
	var in batchExecuteStatementInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	runs, err := s.prepareStatements(in.Statements)
	if err != nil {
		return nil, err
	}
	out := batchExecuteStatementOutput{Responses: make([]statementResponse, len(runs))}
	fault := statementFault(ctx)
	for i := range runs {
		f := fault(Statement{Index: i, Text: in.Statements[i].Statement, Parameters: in.Statements[i].Parameters})
		if f.Error == nil || f.Applied {
			runs[i].run()
		}
		if f.Error != nil && runs[i].err == nil {
			runs[i].err = f.Error
		}
		out.Responses[i] = runs[i].response(!s.cfg.StatementsReturnNoItems)
	}
	out.ConsumedCapacity = statementCapacity(in.ReturnConsumedCapacity, runs)
	return out, nil
}

// check refuses the whole call, statement by statement in DynamoDB Local's
// order.
func (in batchExecuteStatementInput) check() error {
	if len(in.Statements) == 0 {
		return emptyStatement()
	}
	for _, st := range in.Statements {
		if err := st.check(); err != nil {
			return err
		}
	}
	if len(in.Statements) > maxBatchStatements {
		return invalid("BatchWriteItem cannot write more than %d items", maxBatchStatements)
	}
	return checkReturnCapacity(in.ReturnConsumedCapacity)
}

func (st batchStatement) check() error {
	switch {
	case st.Statement == "":
		return emptyStatement()
	case len(st.Statement) > maxStatementBytes:
		return invalid("Member must have length less than or equal to %d", maxStatementBytes)
	}
	return checkReturnFailed(st.ReturnValuesOnConditionCheckFailure)
}

func emptyStatement() error { return invalid("The statement was empty.") }

// statementRun is one statement on its way.
type statementRun struct {
	mutation *mutation // nil if the statement was refused before
	named    string    // the table, where the answer names it
	err      error
	cost     writeCost
	applied  bool
}

// prepareStatements checks the whole call before anything is written, and each
// statement as far as that goes without an item.
func (s *Service) prepareStatements(list []batchStatement) ([]statementRun, error) {
	parsed, err := s.readStatements(list)
	if err != nil {
		return nil, err
	}
	runs := make([]statementRun, len(list))
	for i, st := range parsed {
		m, onTable, err := st.mutation(s, list[i].Parameters)
		runs[i] = statementRun{mutation: m, err: err}
		if onTable {
			runs[i].named = st.Table
		}
		if m != nil {
			m.returnFailed = list[i].ReturnValuesOnConditionCheckFailure == allOld
		}
	}
	return runs, checkDistinctItems(runs)
}

// readStatements parses the statements. One that does more than localaws knows
// refuses the call, since its answer would look like DynamoDB's.
func (s *Service) readStatements(list []batchStatement) ([]*statement, error) {
	reads := 0
	for _, st := range list {
		if partiql.IsRead(st.Statement) {
			reads++
		}
	}
	if reads > 0 && reads < len(list) {
		return nil, invalid("Read and write requests together in the same batch is not supported.")
	}
	parsed := make([]*statement, len(list))
	for i, st := range list {
		var err error
		if parsed[i], err = s.statements.read(st.Statement); err != nil {
			return nil, invalid("Statements[%d]: %v", i, err)
		}
	}
	return parsed, nil
}

// checkDistinctItems refuses two statements on one item. DynamoDB Local does so
// after it has run some of them. AWS has no word on it for statements; for the
// batch they resemble it rejects the entire batch ("BatchWriteItem"), and so
// nothing is applied here. Statements that are refused by themselves have no
// item.
func checkDistinctItems(runs []statementRun) error {
	for i, a := range runs {
		for _, b := range runs[:i] {
			if a.mutation != nil && b.mutation != nil && a.mutation.table == b.mutation.table && a.mutation.at.compare(b.mutation.at) == 0 {
				return invalid("Provided list of item keys contains duplicates")
			}
		}
	}
	return nil
}

// run writes.
func (r *statementRun) run() {
	if r.err != nil || r.mutation == nil {
		return
	}
	var done written
	done, r.err = r.mutation.try()
	r.cost, r.applied = done.cost, r.err == nil
}

// response is the statement's answer. With items set a failed condition is
// answered with the item if the statement asked for that.
func (r *statementRun) response(items bool) statementResponse {
	out := statementResponse{TableName: r.named}
	var u unmet
	var refused *wire.Error
	switch {
	case r.err == nil:
	case errors.As(r.err, &u):
		out.Error = &statementError{Code: "ConditionalCheckFailed", Message: unmetMessage}
		if items {
			out.Error.Item = u.item
		}
	case errors.Is(r.err, errDuplicate):
		out.Error = &statementError{Code: "DuplicateItem", Message: "Duplicate primary key exists in table"}
	case errors.As(r.err, &refused):
		out.Error = &statementError{Code: statementCode(refused.Code), Message: refused.Message}
	default:
		out.Error = &statementError{Code: "InternalServerError", Message: r.err.Error()}
	}
	return out
}

// statementCode is the code of a statement's error for that of a call.
func statementCode(code string) string {
	switch code {
	case codeValidation:
		return "ValidationError"
	case codeNotFound:
		return "ResourceNotFound"
	}
	return code
}

// statementCapacity is what the statements consumed, by table in the order the
// statements first name them. A statement whose condition failed is charged
// like the write it would have been ("Working with items and attributes":
// conditional writes), in the table's total alone.
func statementCapacity(how string, runs []statementRun) []*consumedCapacity {
	if how != capacityTotal && how != capacityIndexes {
		return nil
	}
	var names []string
	applied, failed := make(map[string]*writeCost), make(map[string]float64)
	for _, r := range runs {
		if r.cost.table == 0 {
			continue // it never came to a write
		}
		if applied[r.named] == nil {
			applied[r.named] = &writeCost{}
			names = append(names, r.named)
		}
		if r.applied {
			applied[r.named].plus(r.cost)
		} else {
			failed[r.named] += r.cost.total()
		}
	}
	list := make([]*consumedCapacity, len(names))
	for i, name := range names {
		list[i] = consumed(how, name, *applied[name])
		list[i].CapacityUnits += failed[name]
	}
	return list
}
