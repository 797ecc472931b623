package partiql

import (
	"strings"
	"unicode/utf8"
)

// Parse reads one statement. Its error is ErrMalformed, an Unknown, or a
// *wire.Error by which DynamoDB refuses a literal number or a parameter before
// IS.
func Parse(statement string) (*Statement, error) {
	p := &parser{source: statement, tokens: scan(statement)}
	var err error
	switch {
	case p.takeWord("UPDATE"):
		err = p.update()
	case p.takeWord("INSERT"):
		err = p.insert()
	default:
		return nil, p.verb()
	}
	if err != nil {
		return nil, err
	}
	p.takeSymbol(";")
	if p.peek().kind != end {
		return nil, p.unexpected()
	}
	if p.flaw != nil {
		return nil, p.flaw
	}
	return &p.statement, nil
}

// IsRead says whether a text begins like a statement that reads.
func IsRead(statement string) bool {
	at := run(statement, 0, isSpace)
	return at < len(statement) && strings.EqualFold(next(statement, at).text, "SELECT")
}

// parser reads one statement by recursive descent.
type parser struct {
	source    string
	tokens    []token
	at        int
	depth     int
	flaw      error // beyond grammar, which a mistake in grammar hides
	statement Statement
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) isWord(w string) bool {
	t := p.peek()
	return t.kind == word && strings.EqualFold(t.text, w)
}

func (p *parser) takeWord(w string) bool {
	if !p.isWord(w) {
		return false
	}
	p.at++
	return true
}

func (p *parser) isSymbol(s string) bool {
	t := p.peek()
	return t.kind == symbol && t.text == s
}

func (p *parser) takeSymbol(s string) bool {
	if !p.isSymbol(s) {
		return false
	}
	p.at++
	return true
}

func (p *parser) wantWord(w string) error {
	if !p.takeWord(w) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) wantSymbol(s string) error {
	if !p.takeSymbol(s) {
		return p.unexpected()
	}
	return nil
}

// wantName reads a name in double quotes.
func (p *parser) wantName() (string, error) {
	t := p.peek()
	if t.kind != name {
		if t.kind == word && !isKeyword(t.text) {
			return "", Unknown{"names without double quotes (" + t.text + ")"}
		}
		return "", p.unexpected()
	}
	p.at++
	if p.isSymbol(".") || p.isSymbol("[") {
		return "", Unknown{"document paths and indexes of tables"}
	}
	return t.text, nil
}

// update reads what follows UPDATE.
func (p *parser) update() error {
	var err error
	if p.statement.Table, err = p.wantName(); err != nil {
		return err
	}
	for {
		switch {
		case p.takeWord("SET"):
			err = p.set()
		case p.takeWord("REMOVE"):
			err = p.remove()
		case len(p.statement.Changes) == 0:
			return p.unexpected()
		case p.takeWord("WHERE"):
			p.statement.Where, err = p.disjunction()
			return err
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (p *parser) set() error {
	for {
		attribute, err := p.wantName()
		if err != nil {
			return err
		}
		if err := p.wantSymbol("="); err != nil {
			return err
		}
		value, err := p.operand()
		if err != nil {
			return err
		}
		p.statement.Changes = append(p.statement.Changes, Change{Name: attribute, Value: value})
		if !p.takeSymbol(",") {
			return nil
		}
	}
}

// remove reads one name: unlike SET, REMOVE takes no list.
func (p *parser) remove() error {
	attribute, err := p.wantName()
	p.statement.Changes = append(p.statement.Changes, Change{Name: attribute, Remove: true})
	return err
}

// insert reads what follows INSERT.
func (p *parser) insert() error {
	p.statement.Verb = Insert
	if err := p.wantWord("INTO"); err != nil {
		return err
	}
	var err error
	if p.statement.Table, err = p.wantName(); err != nil {
		return err
	}
	if err := p.wantWord("VALUE"); err != nil {
		return err
	}
	if err := p.wantSymbol("{"); err != nil {
		return err
	}
	if p.takeSymbol("}") {
		return nil
	}
	for {
		if err := p.field(); err != nil {
			return err
		}
		if !p.takeSymbol(",") {
			return p.wantSymbol("}")
		}
	}
}

func (p *parser) field() error {
	t := p.peek()
	switch t.kind {
	case text:
	case name:
		return Unknown{"names in double quotes within VALUE {...}, whose names are texts in single quotes (" + t.text + ")"}
	default:
		return p.unexpected()
	}
	p.at++
	if err := p.wantSymbol(":"); err != nil {
		return err
	}
	value, err := p.operand()
	if err != nil {
		return err
	}
	if value.Kind == Attribute {
		return Unknown{"attributes as values within VALUE {...}"}
	}
	before := p.source[:t.start]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	p.statement.Fields = append(p.statement.Fields, Field{
		Name: t.text, Value: value,
		Line:   1 + strings.Count(before, "\n"),
		Column: 1 + utf8.RuneCountInString(before[lineStart:]),
		Width:  utf8.RuneCountInString(p.source[t.start:t.end]),
	})
	return nil
}
