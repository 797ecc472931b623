package filter

import (
	"encoding/json"
	"math/big"
	"strings"
)

// value is one value of a property: a string, a number, true, false or null.
type value struct {
	kind   kind
	text   string // of a string
	number int64  // of a number in range: the value in units of 1/100000
}

// tells says whether the value is neither null nor empty.
func (v value) tells() bool { return v.kind != isNull && (v.kind != isString || v.text != "") }

type kind int

const (
	isNull kind = iota
	isTrue
	isFalse
	isString
	isNumber
	// isOutside is a number no policy can speak of.
	isOutside
)

// Numbers are compared with five digits after the decimal point and lie
// between plus and minus one billion ("Filter policy constraints in Amazon
// SNS"); further digits are cut off.
const (
	numberScale = 100000
	numberLimit = 1000000000
	// maxNumberBytes is the longest text of a number that is worked out; a
	// longer one is as good as out of range.
	maxNumberBytes = 4096
)

// parseNumber reads a JSON number, or the text of a Number attribute.
func parseNumber(text string) (scaled int64, inRange, valid bool) {
	text = strings.TrimSpace(text)
	if !isNumberText(text) {
		return 0, false, false
	}
	if len(text) > maxNumberBytes {
		return 0, false, true
	}
	// A billion has ten digits: an exponent of more than four digits is far
	// out of range, or far below the precision, and never worth expanding.
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if digits := strings.TrimLeft(exponent, "+-0"); len(digits) > 4 {
		zero := strings.Trim(mantissa, "+-0.") == ""
		return 0, zero || strings.HasPrefix(exponent, "-"), true
	}
	exact, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false, false
	}
	if limit := big.NewRat(numberLimit, 1); exact.Cmp(limit) > 0 || exact.Cmp(limit.Neg(limit)) < 0 {
		return 0, false, true
	}
	exact.Mul(exact, big.NewRat(numberScale, 1))
	return new(big.Int).Quo(exact.Num(), exact.Denom()).Int64(), true, true
}

// isNumberText tells whether text is a decimal number such as JSON has, a
// leading plus sign or zeros allowed as SNS's Number attributes may have them.
func isNumberText(text string) bool {
	rest := strings.TrimLeft(text, "+-")
	if len(text)-len(rest) > 1 {
		return false
	}
	digits := func() int {
		n := 0
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		rest = rest[n:]
		return n
	}
	whole, fraction := digits(), 0
	if strings.HasPrefix(rest, ".") {
		rest = rest[1:]
		fraction = digits()
	}
	if whole+fraction == 0 {
		return false
	}
	if rest == "" {
		return true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return false
	}
	rest = rest[1:]
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	return digits() > 0 && rest == ""
}

func numberValue(text string) (value, bool) {
	scaled, inRange, valid := parseNumber(text)
	switch {
	case !valid:
		return value{}, false
	case !inRange:
		return value{kind: isOutside}, true
	}
	return value{kind: isNumber, number: scaled}, true
}

// scalarValue turns a decoded JSON scalar into a value; objects and arrays
// are none.
func scalarValue(decoded any) (value, bool) {
	switch decoded := decoded.(type) {
	case nil:
		return value{kind: isNull}, true
	case bool:
		if decoded {
			return value{kind: isTrue}, true
		}
		return value{kind: isFalse}, true
	case string:
		return value{kind: isString, text: decoded}, true
	case json.Number:
		return numberValue(decoded.String())
	}
	return value{}, false
}
