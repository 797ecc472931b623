package expr

import (
	"math"
	"slices"
	"strconv"
)

// DynamoDB's limits for expressions ("Quotas in Amazon DynamoDB": expression
// parameters).
const (
	maxTextBytes  = 4096
	maxOperators  = 300
	maxPathLevels = 32
	maxInOperands = 100
)

// parser reads one expression by recursive descent. It is written by hand
// because DynamoDB's messages name the first token that fits no rule, with its
// neighbours. Recursion is bounded by maxTextBytes.
type parser struct {
	lexicon   *lexicon
	text      string
	tokens    []token
	at        int
	tree      *tree
	update    bool
	operators int
	flaw      error // the first thing wrong beyond syntax, which a syntax error hides
	group     group // the last group in parentheses that was closed
}

// group is a group in parentheses by tokens: the first inside, and the one
// after the closing parenthesis.
type group struct{ start, end int }

// unexpected is DynamoDB's message for a token that fits no rule.
func (p *parser) unexpected() error {
	t := p.tokens[p.at]
	from, to := 0, t.end
	if p.at > 0 {
		from = p.tokens[p.at-1].start
	}
	if p.at+1 < len(p.tokens) {
		to = p.tokens[p.at+1].end
	}
	return validation("Syntax error; token: \"%s\", near: \"%s\"", t.text, p.text[from:to])
}

func (p *parser) note(format string, args ...any) {
	if p.flaw == nil {
		p.flaw = validation(format, args...)
	}
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

func (p *parser) isSymbol(text string) bool {
	t := p.peek()
	return t.kind == symbol && t.text == text
}

func (p *parser) takeSymbol(text string) bool {
	if !p.isSymbol(text) {
		return false
	}
	p.at++
	return true
}

func (p *parser) expectSymbol(text string) error {
	if !p.takeSymbol(text) {
		return p.unexpected()
	}
	return nil
}

func (p *parser) takeKeyword(k keyword) bool {
	if p.peek().keyword != k {
		return false
	}
	p.at++
	return true
}

func (p *parser) countOperator() { p.operators++ }

// path reads a document path and returns its slot.
func (p *parser) path() (int, error) {
	var t pathTemplate
	if err := p.pathName(&t); err != nil {
		return 0, err
	}
	for {
		switch {
		case p.takeSymbol("."):
			if err := p.pathName(&t); err != nil {
				return 0, err
			}
		case p.takeSymbol("["):
			if err := p.pathIndex(&t); err != nil {
				return 0, err
			}
		default:
			if len(t.path) > maxPathLevels {
				p.note("The document path has too many nesting levels; nesting levels: %d", len(t.path))
			}
			p.tree.paths = append(p.tree.paths, t)
			return len(p.tree.paths) - 1, nil
		}
	}
}

func (p *parser) pathName(t *pathTemplate) error {
	switch token := p.peek(); token.kind {
	case word:
		if p.lexicon.isReserved(token.text) {
			p.note("Attribute name is a reserved keyword; reserved keyword: %s", token.text)
		}
	case alias:
		t.aliased = true
	default:
		// DynamoDB reads a.:v as a path with an undefined name.
		if token.kind != value || len(t.path) == 0 {
			return p.unexpected()
		}
		t.aliased = true
	}
	t.path = append(t.path, Element{Name: p.next().text})
	return nil
}

func (p *parser) pathIndex(t *pathTemplate) error {
	if p.peek().kind != digits {
		return p.unexpected()
	}
	text := p.next().text
	index, err := strconv.Atoi(text)
	if err != nil || index > math.MaxInt32 {
		p.note("List index is not within the allowable range; index: [%s]", text)
	}
	t.path = append(t.path, Element{Index: index})
	return p.expectSymbol("]")
}

// operand reads a path, a value, a function call or one of them in
// parentheses.
func (p *parser) operand() (*operand, error) {
	if p.takeSymbol("(") {
		start := p.at
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		return o, p.closeGroup(start)
	}
	switch t := p.peek(); {
	case t.kind == value:
		p.at++
		return &operand{kind: valueOperand, slot: p.valueSlot(t.text)}, nil
	case t.kind == word && p.tokens[p.at+1].kind == symbol && p.tokens[p.at+1].text == "(":
		return p.call()
	}
	slot, err := p.path()
	return &operand{kind: pathOperand, slot: slot}, err
}

func (p *parser) valueSlot(name string) int {
	if slot := slices.Index(p.tree.values, name); slot >= 0 {
		return slot
	}
	p.tree.values = append(p.tree.values, name)
	return len(p.tree.values) - 1
}

// call reads a function call. Where the call stands is judged by its caller.
func (p *parser) call() (*operand, error) {
	o := &operand{kind: callOperand, function: p.next().text}
	p.countOperator()
	p.checkFunction(o.function)
	p.at++ // the parenthesis that operand saw
	for {
		arg, err := p.operand()
		if err != nil {
			return nil, err
		}
		p.checkOperand(arg)
		o.args = append(o.args, arg)
		if !p.takeSymbol(",") {
			return o, p.expectSymbol(")")
		}
	}
}

func (p *parser) checkFunction(name string) {
	switch name {
	case "size", "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains":
		if p.update {
			p.note("The function is not allowed in an update expression; function: %s", name)
		}
	case "if_not_exists", "list_append":
		if !p.update {
			p.note("The function is not allowed in a condition expression; function: %s", name)
		}
	default:
		p.note("Invalid function name; function: %s", name)
	}
}

// checkOperand notes a function that stands where an operand is wanted and
// gives none.
func (p *parser) checkOperand(o *operand) {
	if o.kind == callOperand && o.function != "size" && o.function != "if_not_exists" {
		p.noteMisplaced(o.function)
	}
}

func (p *parser) noteMisplaced(function string) {
	p.note("The function is not allowed to be used this way in an expression; function: %s", function)
}

// parse reads text by one of the grammars. Its errors lack the prefix that
// names the request parameter.
func parse(g grammar, text string) (*tree, error) {
	switch {
	case text == "":
		return nil, validation("The expression can not be empty;")
	case len(text) > maxTextBytes:
		return nil, validation("Expression size has exceeded the maximum allowed size; expression size: %d", len(text))
	}
	p := &parser{lexicon: words, text: text, tokens: words.scan(text), tree: &tree{}, update: g == updateGrammar}
	if err := p.whole(g); err != nil {
		return nil, err
	}
	switch {
	case p.peek().kind != end:
		return nil, p.unexpected()
	case p.flaw != nil:
		return nil, p.flaw
	case p.operators > maxOperators:
		return nil, tooManyOperators()
	}
	return p.tree, nil
}

func tooManyOperators() error {
	return validation("The expression contains too many operators; operator count: %d", maxOperators+1)
}

func (p *parser) whole(g grammar) error {
	switch g {
	case updateGrammar:
		return p.sections()
	case projectionGrammar:
		return p.pathList()
	}
	condition, err := p.disjunction(false)
	p.tree.condition = condition.condition()
	return err
}
