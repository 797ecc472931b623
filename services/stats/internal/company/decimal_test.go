package company_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

var plain = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

func TestParseDecimal(t *testing.T) {
	nines := strings.Repeat("9", 38)
	for _, tc := range []struct{ name, text, want string }{
		{"keeps its digits", "52.533073", "52.533073"},
		{"keeps trailing zeros", "135.010", "135.010"},
		{"keeps its sign", "-12.93", "-12.93"},
		{"drops a plus sign", "+1.5", "1.5"},
		{"writes a positive exponent out", "7.4168279040E+10", "74168279040"},
		{"writes a negative exponent out", "2.07e-2", "0.0207"},
		{"keeps the trailing zeros of an exponent's digits", "1.50E-3", "0.00150"},
		{"puts a zero before a bare point", ".5", "0.5"},
		{"drops a bare point", "5.", "5"},
		{"drops leading zeros", "007.10", "7.10"},
		{"takes zero as written", "0.00", "0.00"},
		{"has one zero", "-0", "0"},
		{"takes zero with any exponent", "0e-9999", "0"},
		{"counts Infinity as missing", "Infinity", ""},
		{"counts a negative infinity as missing", "-infinity", ""},
		{"counts inf as missing", "INF", ""},
		{"counts NaN as missing", "nan", ""},
		{"takes 38 digits", nines, nines},
		{"takes 38 digits and zeros behind them", nines + "000", nines + "000"},
		{"takes 38 digits behind a point", "0." + nines, "0." + nines},
		{"takes the largest magnitude", "9E125", "9" + strings.Repeat("0", 125)},
		{"takes the smallest magnitude", "1E-130", "0." + strings.Repeat("0", 129) + "1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := company.ParseDecimal(tc.text)
			if err != nil || string(got) != tc.want {
				t.Errorf("ParseDecimal(%q) = %q, %v; want %q", tc.text, got, err, tc.want)
			}
		})
	}
}

func TestParseDecimalRefuses(t *testing.T) {
	for _, tc := range []struct{ name, text, says string }{
		{"nothing", "", "want a decimal number"},
		{"a word", "n/a", "want a decimal number"},
		{"white space", " 1", "want a decimal number"},
		{"a line end", "1\n", "want a decimal number"},
		{"separated thousands", "1,000", "want a decimal number"},
		{"hexadecimal", "0x1F", "want a decimal number"},
		{"digits of another script", "١٢", "want a decimal number"},
		{"a point alone", ".", "want a decimal number"},
		{"an exponent alone", "e5", "want a decimal number"},
		{"two signs", "--1", "want a decimal number"},
		{"a NaN with a payload", "NaN12", "want a decimal number"},
		{"39 digits", strings.Repeat("9", 39), "39 significant digits"},
		{"39 digits around a point", "1." + strings.Repeat("0", 37) + "1", "39 significant digits"},
		{"a magnitude too large", "1E126", "magnitude"},
		{"a magnitude too small", "9.9E-131", "magnitude"},
		{"an exponent that would fill the memory", "1e999999999", "magnitude"},
		{"an exponent beyond every type", "1e99999999999999999999", "want a decimal number"},
		{"a text without end", strings.Repeat("0", 257), "257 characters"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := company.ParseDecimal(tc.text)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("ParseDecimal(%q) = %q, %v; want an error with %q", tc.text, got, err, tc.says)
			}
		})
	}
}

// A figure keeps its worth, is in plain notation, and reading it again changes
// nothing.
func TestParseDecimalKeepsTheNumber(t *testing.T) {
	text := rapid.StringMatching(`[+-]?[0-9]{1,30}(\.[0-9]{0,8})?([eE][+-]?[0-9]{1,2})?`)
	rapid.Check(t, func(t *rapid.T) { checkDecimal(t, text.Draw(t, "text")) })
}

func FuzzParseDecimal(f *testing.F) {
	for _, seed := range []string{"52.533073", "1.5E+3", "-0e9", "Infinity", "1e-130", ".", "9e125", "00.00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { checkDecimal(t, text) })
}

func checkDecimal(t interface{ Fatalf(string, ...any) }, text string) {
	got, err := company.ParseDecimal(text)
	if err != nil || got == "" {
		return
	}
	want, _, err := apd.NewFromString(text)
	if err != nil {
		t.Fatalf("ParseDecimal(%q) = %q, which is no number: %v", text, got, err)
	}
	have, _, err := apd.NewFromString(string(got))
	if err != nil || have.Cmp(want) != 0 {
		t.Fatalf("ParseDecimal(%q) = %q, another number: %v", text, got, err)
	}
	if !plain.MatchString(string(got)) {
		t.Fatalf("ParseDecimal(%q) = %q, not in plain notation", text, got)
	}
	if again, err := company.ParseDecimal(string(got)); err != nil || again != got {
		t.Fatalf("ParseDecimal(%q) = %q, which reads as %q, %v", text, got, again, err)
	}
}

func TestCompareGoesByWorth(t *testing.T) {
	ordered := []company.Decimal{"", "-10", "-9.5", "0", "0.10", "9", "10", "74168279040"}
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			switch {
			case i < j:
				want = -1
			case i > j:
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("%q.Compare(%q) = %d, want %d", a, b, got, want)
			}
		}
	}
	if company.Decimal("1.0").Compare("1.00") != 0 {
		t.Error("1.0 and 1.00 differ")
	}
}
