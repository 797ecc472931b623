package partiql

import (
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	end    tokenKind = iota
	word             // letters, digits, _ and $: a keyword or a name without quotes
	name             // "quoted", token.text without quotes
	text             // 'quoted', token.text without quotes
	number           // digits with or without a fraction
	mark             // ?
	symbol           // an operator or a bracket
	stray            // a character or an unclosed quote that begins no token
)

type token struct {
	kind       tokenKind
	text       string
	start, end int // bytes of the statement
}

// scan splits a statement into tokens, the last of kind end.
func scan(statement string) []token {
	tokens := make([]token, 0, len(statement)/4+2)
	at := 0
	for {
		for at < len(statement) && isSpace(statement[at]) {
			at++
		}
		if at == len(statement) {
			return append(tokens, token{kind: end, start: at, end: at})
		}
		t := next(statement, at)
		tokens = append(tokens, t)
		at = t.end
	}
}

// symbols are those of two characters; all others have one.
var symbols = [...]string{"<=", ">=", "<>", "!=", "<<", ">>", "||", "--", "/*"}

func next(s string, at int) token {
	switch c := s[at]; {
	case c == '"':
		return quoted(name, s, at)
	case c == '\'':
		return quoted(text, s, at)
	case isLetter(c):
		return plain(word, s, at, run(s, at+1, func(c byte) bool { return isLetter(c) || isDigit(c) }))
	case isDigit(c):
		stop := run(s, at+1, isDigit)
		if stop+1 < len(s) && s[stop] == '.' && isDigit(s[stop+1]) {
			stop = run(s, stop+1, isDigit)
		}
		if stop < len(s) && (isLetter(s[stop]) || s[stop] == '.') {
			return plain(stray, s, at, stop+1) // an exponent, or 1x
		}
		return plain(number, s, at, stop)
	case c == '?':
		return plain(mark, s, at, at+1)
	case strings.IndexByte("=<>!()[]{},.:;+-*/%|@`", c) >= 0:
		for _, two := range symbols {
			if strings.HasPrefix(s[at:], two) {
				return plain(symbol, s, at, at+2)
			}
		}
		return plain(symbol, s, at, at+1)
	}
	_, width := utf8.DecodeRuneInString(s[at:])
	return plain(stray, s, at, at+width)
}

func plain(kind tokenKind, s string, start, stop int) token {
	return token{kind: kind, text: s[start:stop], start: start, end: stop}
}

// quoted reads a token in quotes, in which a doubled quote is one.
func quoted(kind tokenKind, s string, start int) token {
	quote := s[start : start+1]
	stop := start + 1
	doubled := false
	for {
		i := strings.Index(s[stop:], quote)
		if i < 0 {
			return plain(stray, s, start, len(s))
		}
		stop += i + 1
		if !strings.HasPrefix(s[stop:], quote) {
			break
		}
		doubled = true
		stop++
	}
	t := token{kind: kind, text: s[start+1 : stop-1], start: start, end: stop}
	if doubled {
		t.text = strings.ReplaceAll(t.text, quote+quote, quote)
	}
	return t
}

func run(s string, at int, belongs func(byte) bool) int {
	for at < len(s) && belongs(s[at]) {
		at++
	}
	return at
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}
