package partiql

import (
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// maxDepth bounds how deep parentheses and NOTs nest. DynamoDB has a bound too,
// which is not documented.
const maxDepth = 64

func (p *parser) disjunction() (*Condition, error) {
	return p.joined(Or, p.conjunction)
}

func (p *parser) conjunction() (*Condition, error) {
	return p.joined(And, p.negation)
}

func (p *parser) joined(op string, part func() (*Condition, error)) (*Condition, error) {
	left, err := part()
	for err == nil && p.takeWord(op) {
		var right *Condition
		right, err = part()
		left = &Condition{Op: op, Left: left, Right: right}
	}
	return left, err
}

func (p *parser) negation() (*Condition, error) {
	if !p.takeWord(Not) {
		return p.comparison()
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	inner, err := p.negation()
	p.depth--
	return &Condition{Op: Not, Left: inner}, err
}

func (p *parser) enter() error {
	if p.depth++; p.depth > maxDepth {
		return Unknown{"more than 64 nested parentheses and NOTs"}
	}
	return nil
}

// comparison reads a comparison, a test for MISSING, a condition in
// parentheses or a bare operand.
func (p *parser) comparison() (*Condition, error) {
	left, err := p.term()
	if err != nil {
		return nil, err
	}
	op, err := p.operator()
	if err != nil || op == "" {
		return left, err
	}
	if left.Op != Bare {
		return nil, Unknown{"comparisons of conditions"}
	}
	if op == "IS" {
		return p.missing(left.First)
	}
	right, err := p.term()
	if err != nil {
		return nil, err
	}
	if right.Op != Bare {
		return nil, Unknown{"comparisons of conditions"}
	}
	if again, err := p.operator(); err != nil {
		return nil, err
	} else if again != "" {
		return nil, Unknown{"chains of comparisons"}
	}
	return &Condition{Op: op, First: left.First, Second: right.First}, nil
}

// operator takes the operator that follows an operand, "" if none does.
func (p *parser) operator() (string, error) {
	t := p.peek()
	switch {
	case t.kind == symbol:
		switch t.text {
		case "=", "<", "<=", ">", ">=", "<>":
			p.at++
			return t.text, nil
		case "!=":
			p.at++
			return "<>", nil
		}
	case p.takeWord("IS"):
		return "IS", nil
	case p.isWord("BETWEEN"), p.isWord("IN"), p.isWord("LIKE"), p.isWord("NOT"):
		return "", Unknown{"the operator " + t.text}
	}
	return "", p.checkArithmetic()
}

// missing reads what follows IS.
func (p *parser) missing(o Operand) (*Condition, error) {
	op := Missing
	if p.takeWord(Not) {
		op = Present
	}
	if !p.takeWord("MISSING") {
		if t := p.peek(); t.kind == word {
			return nil, Unknown{"IS " + t.text}
		}
		return nil, p.unexpected()
	}
	if again, err := p.operator(); err != nil {
		return nil, err
	} else if again != "" {
		return nil, Unknown{"comparisons of conditions"}
	}
	if o.Kind == Parameter {
		p.flaw = wire.Errorf("ValidationException", "The left hand side argument to IS must be a Variable Reference, Literal, or Path")
	}
	return &Condition{Op: op, First: o}, nil
}

// term reads an operand, or a condition in parentheses.
func (p *parser) term() (*Condition, error) {
	if !p.isSymbol("(") {
		o, err := p.operand()
		return &Condition{Op: Bare, First: o}, err
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.at++
	inner, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	p.depth--
	if p.isSymbol(",") {
		return nil, Unknown{"lists in parentheses"}
	}
	return inner, p.wantSymbol(")")
}

// operand reads a value.
func (p *parser) operand() (Operand, error) {
	t := p.peek()
	switch t.kind {
	case mark:
		p.at++
		p.statement.Parameters++
		return Operand{Kind: Parameter, Index: p.statement.Parameters - 1}, p.checkArithmetic()
	case name:
		attribute, err := p.wantName()
		if err != nil {
			return Operand{}, err
		}
		return Operand{Kind: Attribute, Name: attribute}, p.checkArithmetic()
	}
	literal, err := p.literal()
	if err != nil {
		return Operand{}, err
	}
	return Operand{Kind: Literal, Literal: literal}, p.checkArithmetic()
}

func (p *parser) literal() (attr.Value, error) {
	t := p.peek()
	switch {
	case t.kind == text:
		p.at++
		return attr.String(t.text), nil
	case t.kind == number:
		p.at++
		return attr.Number(t.text)
	case p.isSymbol("-") && p.tokens[p.at+1].kind == number:
		p.at += 2
		return attr.Number("-" + p.tokens[p.at-1].text)
	case p.takeWord("TRUE"):
		return attr.Bool(true), nil
	case p.takeWord("FALSE"):
		return attr.Bool(false), nil
	case p.takeWord("NULL"):
		return attr.Null(), nil
	}
	return attr.Value{}, p.notOperand()
}
