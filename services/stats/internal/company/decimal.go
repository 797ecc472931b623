package company

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Limits of a Decimal: DynamoDB's for numbers (AWS, "Supported data types and
// naming rules in Amazon DynamoDB"), so that every figure can be a sort key,
// and a length no real figure reaches.
const (
	MaxSignificantDigits = 38
	MaxMagnitude         = 125  // below 1E+126
	MinMagnitude         = -130 // at least 1E-130
	MaxDecimalLength     = 256  // characters as sent
)

// Decimal is a decimal number in plain notation: the digits as they came in,
// exponents written out. It is never rounded and never a float. The empty
// Decimal is a figure that is missing.
type Decimal string

var (
	decimalText = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?$`)
	missingText = regexp.MustCompile(`(?i)^[+-]?(inf|infinity|nan)$`)
)

// ParseDecimal reads a decimal figure. Infinity and NaN, which the markets'
// data has where a ratio's divisor is zero or unknown, give the empty Decimal:
// the figure is missing. The error says what is wrong with any other text; it
// does not repeat the text.
func ParseDecimal(text string) (Decimal, error) {
	switch {
	case len(text) > MaxDecimalLength:
		return "", fmt.Errorf("%d characters: a figure has at most %d", len(text), MaxDecimalLength)
	case missingText.MatchString(text):
		return "", nil
	case !decimalText.MatchString(text):
		return "", fmt.Errorf("want a decimal number such as 12.5 or 1.25E+1, or leave the field out where there is no figure")
	}
	d, _, err := apd.NewFromString(text)
	if err != nil {
		return "", fmt.Errorf("the exponent is out of range: %w", errMagnitude)
	}
	if d.IsZero() {
		if strings.ContainsAny(text, "eE") {
			return "0", nil
		}
		return Decimal(strings.TrimPrefix(d.Text('f'), "-")), nil
	}
	var reduced apd.Decimal
	reduced.Reduce(d)
	if digits := reduced.NumDigits(); digits > MaxSignificantDigits {
		return "", fmt.Errorf("%d significant digits: a figure has at most %d", digits, MaxSignificantDigits)
	}
	if magnitude := int64(d.Exponent) + d.NumDigits() - 1; magnitude > MaxMagnitude || magnitude < MinMagnitude {
		return "", errMagnitude
	}
	return Decimal(d.Text('f')), nil
}

var errMagnitude = fmt.Errorf("want zero, or a magnitude from 1E%d to below 1E+%d", MinMagnitude, MaxMagnitude+1)

// Compare says whether d is less than, equal to or greater than o as a number:
// -1, 0 or 1. A missing figure is less than every number.
func (d Decimal) Compare(o Decimal) int {
	switch {
	case d == o:
		return 0
	case d == "":
		return -1
	case o == "":
		return 1
	}
	return d.number().Cmp(o.number())
}

// number returns the figure as a number, which ParseDecimal has made sure of;
// a text that came about otherwise counts as zero.
func (d Decimal) number() *apd.Decimal {
	n, _, err := apd.NewFromString(string(d))
	if err != nil {
		return new(apd.Decimal)
	}
	return n
}
