package attr

import (
	"strconv"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// DynamoDB's bounds for numbers ("Supported data types and naming rules in
// Amazon DynamoDB": 38 digits, 1E-130 to 9.99...E+125).
const (
	maxDigits   = 38
	maxExponent = 125
	minExponent = -130
)

// Number makes an N value from decimal text, with or without an exponent. It
// is kept as DynamoDB answers it: no exponent, no superfluous zeros. Malformed
// text, more than 38 significant digits or a magnitude out of range is a
// ValidationException.
func Number(s string) (Value, error) {
	if isPlainInteger(s) {
		return Value{kind: TypeNumber, text: s}, nil
	}
	negative, digits, exponent, ok := scanNumber(s)
	if !ok {
		return Value{}, invalid("A value provided cannot be converted into a number")
	}
	return numberOf(negative, digits, exponent)
}

// Int makes an N value from an integer.
func Int(i int64) Value { return Value{kind: TypeNumber, text: strconv.FormatInt(i, 10)} }

// isPlainInteger recognises the commonest canonical texts, which need no work.
func isPlainInteger(s string) bool {
	if len(s) == 0 || len(s) > maxDigits {
		return false
	}
	if s[0] == '0' {
		return len(s) == 1
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// scanNumber splits a number's text into its significant digits (no zeros at
// either end, empty for zero) and the exponent of the first of them.
func scanNumber(s string) (negative bool, digits string, exponent int, ok bool) {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative = s[0] == '-'
		s = s[1:]
	}
	power := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		p, err := strconv.ParseInt(s[i+1:], 10, 32)
		if err != nil {
			return false, "", 0, false
		}
		power, s = int(p), s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" && fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return false, "", 0, false
	}
	whole = strings.TrimLeft(whole, "0")
	switch {
	case whole != "":
		exponent = len(whole) - 1
		digits = whole + fraction
	default:
		digits = strings.TrimLeft(fraction, "0")
		exponent = -(len(fraction) - len(digits)) - 1
	}
	digits = strings.TrimRight(digits, "0")
	return negative, digits, exponent + power, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func numberOf(negative bool, digits string, exponent int) (Value, error) {
	switch {
	case digits == "":
		return Value{kind: TypeNumber, text: "0"}, nil
	case len(digits) > maxDigits:
		return Value{}, invalid("DynamoDB only supports precision up to %d digits", maxDigits)
	case exponent > maxExponent:
		return Value{}, invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case exponent < minExponent:
		return Value{}, invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return Value{kind: TypeNumber, text: plainText(negative, digits, exponent)}, nil
}

func plainText(negative bool, digits string, exponent int) string {
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	switch {
	case exponent < 0:
		b.WriteString("0.")
		b.WriteString(strings.Repeat("0", -exponent-1))
		b.WriteString(digits)
	case len(digits) <= exponent+1:
		b.WriteString(digits)
		b.WriteString(strings.Repeat("0", exponent+1-len(digits)))
	default:
		b.WriteString(digits[:exponent+1])
		b.WriteByte('.')
		b.WriteString(digits[exponent+1:])
	}
	return b.String()
}

// compareNumbers orders two canonical number texts.
func compareNumbers(a, b string) int {
	if a == b {
		return 0
	}
	negativeA, negativeB := a[0] == '-', b[0] == '-'
	switch {
	case negativeA && !negativeB:
		return -1
	case negativeB && !negativeA:
		return 1
	case negativeA:
		return compareMagnitudes(b[1:], a[1:])
	}
	return compareMagnitudes(a, b)
}

func compareMagnitudes(a, b string) int {
	wholeA, fractionA, _ := strings.Cut(a, ".")
	wholeB, fractionB, _ := strings.Cut(b, ".")
	if len(wholeA) != len(wholeB) {
		if len(wholeA) < len(wholeB) {
			return -1
		}
		return 1
	}
	if c := strings.Compare(wholeA, wholeB); c != 0 {
		return c
	}
	return strings.Compare(fractionA, fractionB)
}

// Add returns a+b exactly. Both are N values; a sum of more than 38 digits or
// out of range is a ValidationException.
func Add(a, b Value) (Value, error) { return combine(a, b, (*apd.Context).Add, 1) }

// Subtract returns a-b exactly, under Add's rules.
func Subtract(a, b Value) (Value, error) { return combine(a, b, (*apd.Context).Sub, -1) }

type operation func(c *apd.Context, d, x, y *apd.Decimal) (apd.Condition, error)

// exactDigits holds any sum of two numbers in range: 1E125 to 1E-167 (the
// last digit of a 38-digit number at 1E-130), and a carry.
const exactDigits = maxExponent - minExponent + maxDigits + 2

func combine(a, b Value, op operation, sign int64) (Value, error) {
	if x, err := strconv.ParseInt(a.text, 10, 62); err == nil {
		if y, err := strconv.ParseInt(b.text, 10, 62); err == nil {
			return Int(x + sign*y), nil
		}
	}
	var x, y, sum apd.Decimal
	if _, _, err := x.SetString(a.text); err != nil {
		return Value{}, invalid("An operand in the update expression has an incorrect data type")
	}
	if _, _, err := y.SetString(b.text); err != nil {
		return Value{}, invalid("An operand in the update expression has an incorrect data type")
	}
	if _, err := op(apd.BaseContext.WithPrecision(exactDigits), &sum, &x, &y); err != nil {
		return Value{}, invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	}
	return Number(sum.Text('f'))
}
