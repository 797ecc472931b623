package expr

var sectionNames = [...]string{set: "SET", remove: "REMOVE", add: "ADD", del: "DELETE"}

func (p *parser) sections() error {
	seen := map[keyword]bool{}
	for {
		section := p.peek().keyword
		if section < set {
			return p.unexpected()
		}
		if seen[section] {
			p.note("The \"%s\" section can only be used once in an update expression;", sectionNames[section])
		}
		seen[section] = true
		p.at++
		if err := p.actions(section); err != nil {
			return err
		}
		if p.peek().kind == end {
			return nil
		}
	}
}

func (p *parser) actions(section keyword) error {
	for {
		a, err := p.action(section)
		if err != nil {
			return err
		}
		p.tree.updates = append(p.tree.updates, a)
		if !p.takeSymbol(",") {
			return nil
		}
	}
}

func (p *parser) action(section keyword) (action, error) {
	slot, err := p.path()
	a := action{section: section, path: slot}
	if err != nil {
		return a, err
	}
	switch section {
	case set:
		if err := p.expectSymbol("="); err != nil {
			return a, err
		}
		if err := p.assigned(&a); err != nil {
			return a, err
		}
	case add, del:
		t := p.peek()
		if t.kind != value {
			return a, p.unexpected()
		}
		p.at++
		a.first = &operand{kind: valueOperand, slot: p.valueSlot(t.text)}
	}
	return a, nil
}

// assigned reads the right side of a SET action: an operand, or a sum or
// difference of two.
func (p *parser) assigned(a *action) error {
	if p.isSymbol("(") {
		return p.enclosedAssigned(a)
	}
	first, err := p.operand()
	if err != nil {
		return err
	}
	a.first = first
	return p.secondOperand(a)
}

func (p *parser) enclosedAssigned(a *action) error {
	p.at++
	start := p.at
	if err := p.assigned(a); err != nil {
		return err
	}
	if err := p.closeGroup(start); err != nil {
		return err
	}
	if a.op != "" {
		return nil
	}
	return p.secondOperand(a)
}

func (p *parser) secondOperand(a *action) error {
	if !p.isSymbol("+") && !p.isSymbol("-") {
		return nil
	}
	p.countOperator()
	a.op = p.next().text
	p.checkOperand(a.first)
	second, err := p.operand()
	if err != nil {
		return err
	}
	p.checkOperand(second)
	a.second = second
	return nil
}

func (p *parser) pathList() error {
	for {
		slot, err := p.path()
		if err != nil {
			return err
		}
		p.tree.projection = append(p.tree.projection, slot)
		if !p.takeSymbol(",") {
			return nil
		}
	}
}
