package partiql

import "strings"

// verb refuses a statement that begins with none of the known verbs.
func (p *parser) verb() error {
	if t := p.peek(); t.kind == word {
		switch form := strings.ToUpper(t.text); form {
		case "SELECT", "DELETE", "EXISTS", "FROM", "CREATE", "DROP", "EXEC":
			return Unknown{form}
		}
	}
	return p.unexpected()
}

// unexpected refuses the next token: as a form of DynamoDB's that Parse does
// not know, or as malformed.
func (p *parser) unexpected() error {
	t := p.peek()
	if t.kind == symbol && (t.text == "--" || t.text == "/*") {
		return Unknown{"comments"}
	}
	if t.kind == word {
		switch form := strings.ToUpper(t.text); form {
		case "RETURNING", "AS":
			return Unknown{form}
		}
	}
	return ErrMalformed
}

// checkArithmetic refuses an operator that makes an operand part of a larger
// one.
func (p *parser) checkArithmetic() error {
	if t := p.peek(); t.kind == symbol {
		switch t.text {
		case "+", "-", "*", "/", "%", "||":
			return Unknown{"the operator " + t.text}
		}
	}
	return nil
}

// notOperand refuses what stands where an operand is wanted.
func (p *parser) notOperand() error {
	t := p.peek()
	switch t.kind {
	case word:
		if following := p.tokens[p.at+1]; following.kind == symbol && following.text == "(" {
			return Unknown{"the function " + t.text}
		}
		if !isKeyword(t.text) {
			return Unknown{"names without double quotes (" + t.text + ")"}
		}
	case symbol:
		switch t.text {
		case "[", "{", "<<":
			return Unknown{"lists, maps and sets as literals"}
		case "`":
			return Unknown{"Ion literals"}
		case "@":
			return Unknown{"@"}
		case "(":
			return Unknown{"values in parentheses outside of WHERE"}
		case "+", "-":
			return Unknown{"signs before anything but a number"}
		}
	case stray:
		if isDigit(t.text[0]) {
			return Unknown{"numbers written like " + t.text}
		}
	}
	return p.unexpected()
}

// isKeyword says whether a word is one of those that Parse reads, which no
// name without quotes can be.
func isKeyword(w string) bool {
	switch strings.ToUpper(w) {
	case "UPDATE", "SET", "REMOVE", "WHERE", "INSERT", "INTO", "VALUE", "AND", "OR", "NOT", "IS", "MISSING",
		"NULL", "TRUE", "FALSE", "RETURNING", "AS", "SELECT", "FROM", "DELETE", "IN", "BETWEEN", "LIKE":
		return true
	}
	return false
}
