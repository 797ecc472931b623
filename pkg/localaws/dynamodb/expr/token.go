package expr

import "unicode/utf8"

// keyword is a word of the grammar; none of them can be an attribute name.
type keyword uint8

const (
	none keyword = iota
	and
	or
	not
	between
	in
	set
	remove
	add
	del
)

type tokenKind uint8

const (
	end tokenKind = iota
	word
	keyToken // a keyword; token.keyword says which
	alias
	value
	digits
	symbol // an operator or a bracket; token.text says which
	stray  // a character that begins no token
)

type token struct {
	kind       tokenKind
	keyword    keyword
	text       string
	start, end int
}

// scan splits an expression into tokens, the last of kind end.
func (l *lexicon) scan(text string) []token {
	tokens := make([]token, 0, len(text)/3+2)
	at := 0
	for {
		for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n') {
			at++
		}
		if at == len(text) {
			return append(tokens, token{kind: end, text: "<EOF>", start: at, end: at})
		}
		t := l.token(text, at)
		tokens = append(tokens, t)
		at = t.end
	}
}

func (l *lexicon) token(text string, at int) token {
	t := token{kind: stray, start: at, end: at + 1}
	switch c := text[at]; {
	case isLetter(c):
		t.kind, t.end = word, runOf(text, at+1, isWordByte)
		if t.keyword = l.keyword(text[at:t.end]); t.keyword != none {
			t.kind = keyToken
		}
	case c == '0':
		t.kind = digits
	case isDigit(c):
		t.kind, t.end = digits, runOf(text, at+1, isDigit)
	case c == '#' || c == ':':
		if stop := runOf(text, at+1, isWordByte); stop > at+1 {
			t.kind, t.end = alias, stop
			if c == ':' {
				t.kind = value
			}
		}
	case c == '<' || c == '>':
		t.kind = symbol
		if next := at + 1; next < len(text) && (text[next] == '=' || c == '<' && text[next] == '>') {
			t.end++
		}
	case c == '=' || c == '(' || c == ')' || c == '[' || c == ']' || c == ',' || c == '.' || c == '+' || c == '-':
		t.kind = symbol
	default:
		_, width := utf8.DecodeRuneInString(text[at:])
		t.end = at + width
	}
	t.text = text[t.start:t.end]
	return t
}

func runOf(text string, at int, belongs func(byte) bool) int {
	for at < len(text) && belongs(text[at]) {
		at++
	}
	return at
}

func isLetter(c byte) bool   { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool    { return c >= '0' && c <= '9' }
func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }
