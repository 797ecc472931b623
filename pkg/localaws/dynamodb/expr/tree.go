package expr

import (
	"errors"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// tree is a parsed expression, free of any request's names and values, so
// that requests share it. It is never changed after parsing.
type tree struct {
	condition  *node
	updates    []action
	projection []int // slots of paths
	paths      []pathTemplate
	values     []string // the distinct :values, by slot
}

// pathTemplate is a document path as written; with aliased set, elements that
// begin with # are still to be replaced.
type pathTemplate struct {
	path    Path
	aliased bool
}

// node is a condition: an operator over conditions or operands, or a function.
type node struct {
	op          string // AND OR NOT = <> < <= > >= BETWEEN IN, or "" for call
	left, right *node
	operands    []*operand
	call        *operand
}

type operandKind uint8

const (
	pathOperand operandKind = iota
	valueOperand
	callOperand
)

// operand is a path or value by its slot, or a function of operands.
type operand struct {
	kind     operandKind
	slot     int
	function string
	args     []*operand
}

// action is one action of an update expression.
type action struct {
	section keyword // set, remove, add or del
	path    int     // slot of the path it changes
	op      string  // "", + or -
	first   *operand
	second  *operand // with op
}

func validation(format string, args ...any) error {
	return wire.Errorf("ValidationException", format, args...)
}

// inParameter says in which request parameter the expression err is about
// came.
func inParameter(kind string, err error) error {
	return validation("Invalid %s: %s", kind, message(err))
}

func message(err error) string {
	var refused *wire.Error
	if errors.As(err, &refused) {
		return refused.Message
	}
	return err.Error()
}
