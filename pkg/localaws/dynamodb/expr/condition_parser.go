package expr

// disjunction reads conditions joined by OR. With enclosed set, a bare operand
// is allowed where the parenthesis closes right behind it: (a) = :v.
func (p *parser) disjunction(enclosed bool) (term, error) {
	left, err := p.conjunction(enclosed)
	for err == nil && p.takeKeyword(or) {
		left, err = p.join("OR", left, p.conjunction)
	}
	return left, err
}

func (p *parser) conjunction(enclosed bool) (term, error) {
	left, err := p.negation(enclosed)
	for err == nil && p.takeKeyword(and) {
		left, err = p.join("AND", left, p.negation)
	}
	return left, err
}

func (p *parser) join(op string, left term, rest func(enclosed bool) (term, error)) (term, error) {
	p.countOperator()
	right, err := rest(false)
	return term{node: &node{op: op, left: left.condition(), right: right.condition()}}, err
}

func (p *parser) negation(enclosed bool) (term, error) {
	if !p.takeKeyword(not) {
		return p.predicate(enclosed)
	}
	p.countOperator()
	inner, err := p.negation(false)
	return term{node: &node{op: "NOT", left: inner.condition()}}, err
}

// term is what stands between operators: a condition, or an operand, or a
// function call that can be either.
type term struct {
	node    *node
	operand *operand
}

// condition gives the term as a condition; only calls among operands are one.
func (t term) condition() *node {
	if t.node == nil && t.operand != nil {
		return &node{call: t.operand}
	}
	return t.node
}

func (p *parser) predicate(enclosed bool) (term, error) {
	first, err := p.term()
	if err != nil {
		return term{}, err
	}
	op := p.peek()
	compares := op.kind == symbol && (op.text[0] == '=' || op.text[0] == '<' || op.text[0] == '>')
	if compares || op.keyword == between || op.keyword == in {
		if first.operand == nil {
			return term{}, p.unexpected()
		}
		return p.comparison(first.operand)
	}
	if o := first.operand; o != nil {
		bare := enclosed && p.isSymbol(")")
		switch {
		case bare:
			return first, nil
		case o.kind != callOperand:
			return term{}, p.unexpected()
		}
		if o.function == "size" {
			p.noteMisplaced(o.function)
		}
	}
	return first, nil
}

func (p *parser) term() (term, error) {
	if !p.takeSymbol("(") {
		o, err := p.operand()
		return term{operand: o}, err
	}
	start := p.at
	inner, err := p.disjunction(true)
	if err != nil {
		return term{}, err
	}
	return inner, p.closeGroup(start)
}

// closeGroup takes the parenthesis that closes the group whose content began
// at token start. A group that holds nothing but a group is redundant.
func (p *parser) closeGroup(start int) error {
	redundant := p.group.start == start+1 && p.group.end == p.at
	if err := p.expectSymbol(")"); err != nil {
		return err
	}
	if redundant {
		return validation("The expression has redundant parentheses;")
	}
	p.group = group{start: start, end: p.at}
	return nil
}

func (p *parser) comparison(first *operand) (term, error) {
	p.countOperator()
	p.checkOperand(first)
	operands := []*operand{first}
	op := p.next()
	name := op.text
	var err error
	switch op.keyword {
	case between:
		name = "BETWEEN"
		operands, err = p.bounds(operands)
	case in:
		name = "IN"
		operands, err = p.choices(operands)
	default:
		var second *operand
		second, err = p.operand()
		operands = append(operands, second)
	}
	if err != nil {
		return term{}, err
	}
	for _, o := range operands[1:] {
		p.checkOperand(o)
	}
	return term{node: &node{op: name, operands: operands}}, nil
}

func (p *parser) bounds(operands []*operand) ([]*operand, error) {
	lower, err := p.operand()
	if err != nil {
		return nil, err
	}
	if !p.takeKeyword(and) {
		return nil, p.unexpected()
	}
	upper, err := p.operand()
	return append(operands, lower, upper), err
}

func (p *parser) choices(operands []*operand) ([]*operand, error) {
	if err := p.expectSymbol("("); err != nil {
		return nil, err
	}
	for {
		choice, err := p.operand()
		if err != nil {
			return nil, err
		}
		operands = append(operands, choice)
		if !p.takeSymbol(",") {
			return operands, p.expectSymbol(")")
		}
	}
}
