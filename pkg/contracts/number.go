package contracts

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/apd/v3"
)

// DynamoDB's limits for numbers (Amazon DynamoDB Developer Guide, "Supported
// data types and naming rules in Amazon DynamoDB", Number).
const (
	maxNumberDigits   = 38
	maxNumberExponent = 125  // 9.99E+125 is the largest magnitude
	minNumberExponent = -130 // 1E-130 is the smallest besides zero
)

// maxNumberText bounds the work an untrusted number can cause. The longest
// canonical number has 170 characters.
const maxNumberText = 256

// NormalizeNumber returns the canonical text of a number: plain decimal
// notation without exponent, plus sign or superfluous zeros, so that equal
// numbers have equal texts. The number must be one that DynamoDB can hold: at
// most 38 significant digits, its magnitude zero or from 1E-130 to
// 9.9999999999999999999999999999999999999E+125. NaN and Infinity are refused.
func NormalizeNumber(text string) (string, error) {
	if isCanonicalNumber(text) {
		return text, nil
	}
	if len(text) > maxNumberText {
		return "", fmt.Errorf("number %q: longer than %d characters", clip(text), maxNumberText)
	}
	d, _, err := apd.NewFromString(text)
	if err != nil || d.Form != apd.Finite {
		return "", fmt.Errorf("number %q: not a decimal number DynamoDB holds", clip(text))
	}
	d.Reduce(d)
	if d.IsZero() {
		return "0", nil
	}
	if d.NumDigits() > maxNumberDigits {
		return "", fmt.Errorf("number %q: more than %d significant digits", clip(text), maxNumberDigits)
	}
	if err := checkMagnitude(int64(d.Exponent) + d.NumDigits() - 1); err != nil {
		return "", fmt.Errorf("number %q: %w", clip(text), err)
	}
	return d.Text('f'), nil
}

// CheckNumber reports why a text is no number that DynamoDB can hold.
func CheckNumber(text string) error {
	_, err := NormalizeNumber(text)
	return err
}

func checkMagnitude(exponent int64) error {
	if exponent > maxNumberExponent {
		return errors.New("magnitude above 9.9999999999999999999999999999999999999E+125")
	}
	if exponent < minNumberExponent {
		return errors.New("magnitude below 1E-130")
	}
	return nil
}

// isCanonicalNumber reports whether the text is what NormalizeNumber returns
// for it, without allocating: nearly every number that travels is.
func isCanonicalNumber(text string) bool {
	digits := text
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if digits == "0" {
		return len(text) == 1
	}
	whole, first, last := -1, -1, -1 // places of the point and of the outermost digits other than 0
	for i := range len(digits) {
		switch c := digits[i]; {
		case c == '.' && whole < 0:
			whole = i
		case c < '0' || c > '9':
			return false
		case c != '0':
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return false
	}
	significant := last - first + 1
	if whole < 0 {
		return first == 0 && significant <= maxNumberDigits && len(digits)-1 <= maxNumberExponent
	}
	if first < whole && whole < last {
		significant--
	}
	switch {
	case significant > maxNumberDigits, last != len(digits)-1, whole > maxNumberExponent+1:
		return false
	case first < whole:
		return first == 0
	default: // 0.00…
		return whole == 1 && whole-first >= minNumberExponent
	}
}

func equalNumbers(a, b string) bool {
	x, errX := NormalizeNumber(a)
	y, errY := NormalizeNumber(b)
	if errX != nil || errY != nil {
		return a == b
	}
	return x == y
}
