package attr_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/apd/v3"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

func refusal(t testing.TB, err error) string {
	t.Helper()
	var refused *wire.Error
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a *wire.Error", err)
	}
	return refused.Code + ": " + refused.Message
}

// numberText draws decimal text as clients write it, within DynamoDB's bounds.
func numberText() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		digits := rapid.StringMatching(`[0-9]{1,19}`).Draw(t, "whole") + rapid.StringMatching(`(\.[0-9]{0,19})?`).Draw(t, "fraction")
		sign := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, "sign")
		exponent := rapid.SampledFrom([]string{"", "e0", "E5", "e-7", "E+20", "e-90", "e100"}).Draw(t, "exponent")
		return sign + digits + exponent
	})
}

func TestNumberKeepsTheValueInOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := numberText().Draw(t, "text")
		n, err := attr.Number(text)
		if err != nil {
			t.Fatalf("Number(%q): %v", text, err)
		}
		want, _, err := apd.NewFromString(text)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := apd.NewFromString(n.Num())
		if err != nil || got.Cmp(want) != 0 {
			t.Fatalf("Number(%q) = %s, want the value %s", text, n.Num(), want)
		}
		if again, err := attr.Number(n.Num()); err != nil || again.Num() != n.Num() {
			t.Fatalf("%q is not kept: %q, %v", n.Num(), again.Num(), err)
		}
		if strings.ContainsAny(n.Num(), "eE+") {
			t.Fatalf("%q is not plain", n.Num())
		}
	})
}

func TestNumberTexts(t *testing.T) {
	for text, want := range map[string]string{
		"1.0": "1", "1E2": "100", "-0": "0", "0.0": "0", "0e500": "0", "+5": "5", ".5": "0.5", "5.": "5", "00012.50": "12.5",
		"1e-5": "0.00001", "123e-40": "0.0000000000000000000000000000000000000123",
		"1E-130": "0." + strings.Repeat("0", 129) + "1",
		"1e125":  "1" + strings.Repeat("0", 125),
		"1234567890123456789012345678901234567800": "1234567890123456789012345678901234567800",
	} {
		if n, err := attr.Number(text); err != nil || n.Num() != want {
			t.Errorf("Number(%q) = %q, %v, want %q", text, n.Num(), err, want)
		}
	}
}

func TestNumbersRefused(t *testing.T) {
	const (
		malformed = "ValidationException: A value provided cannot be converted into a number"
		digits    = "ValidationException: DynamoDB only supports precision up to 38 digits"
		overflow  = "ValidationException: Number overflow. Attempting to store a number with magnitude larger than supported range"
		underflow = "ValidationException: Number underflow. Attempting to store a number with magnitude smaller than supported range"
	)
	for text, want := range map[string]string{
		"": malformed, " 5": malformed, "5 ": malformed, "abc": malformed, "NaN": malformed, "Infinity": malformed, "1e": malformed,
		"1_0": malformed, "0x10": malformed, "--1": malformed, "1.2.3": malformed, "1e5.0": malformed, ".": malformed, "-": malformed,
		"1e99999999999": malformed, "1e2147483648": malformed,
		"1E126": overflow, "-1e126": overflow, "1e2147483647": overflow,
		"1e-131": underflow, "-1e-131": underflow,
		"123456789012345678901234567890123456789": digits, strings.Repeat("1", 39) + "e200": digits,
	} {
		if n, err := attr.Number(text); err == nil {
			t.Errorf("Number(%q) = %q, want %s", text, n.Num(), want)
		} else if got := refusal(t, err); got != want {
			t.Errorf("Number(%q): %s, want %s", text, got, want)
		}
	}
}

func TestSumsAreExactOrRefused(t *testing.T) {
	exact := apd.BaseContext.WithPrecision(400)
	rapid.Check(t, func(t *rapid.T) {
		a, err := attr.Number(numberText().Draw(t, "a"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := attr.Number(numberText().Draw(t, "b"))
		if err != nil {
			t.Fatal(err)
		}
		x, _, _ := apd.NewFromString(a.Num())
		y, _, _ := apd.NewFromString(b.Num())
		for _, row := range []struct {
			name string
			ours func(a, b attr.Value) (attr.Value, error)
			apd  func(d, x, y *apd.Decimal) (apd.Condition, error)
		}{{"add", attr.Add, exact.Add}, {"subtract", attr.Subtract, exact.Sub}} {
			var want apd.Decimal
			if _, err := row.apd(&want, x, y); err != nil {
				t.Fatal(err)
			}
			reduced, _ := new(apd.Decimal).Reduce(&want)
			got, err := row.ours(a, b)
			if fits := reduced.NumDigits() <= 38; fits != (err == nil) {
				t.Fatalf("%s %s %s: %v, want an error: %v", row.name, a.Num(), b.Num(), err, !fits)
			}
			if err != nil {
				continue
			}
			if value, _, _ := apd.NewFromString(got.Num()); value.Cmp(&want) != 0 {
				t.Fatalf("%s %s %s = %s, want %s", row.name, a.Num(), b.Num(), got.Num(), want.String())
			}
		}
	})
}

func TestSumsBeyondTheRange(t *testing.T) {
	for _, row := range []struct{ a, b, want string }{
		{"99999999999999999999999999999999999999", "1", "100000000000000000000000000000000000000"},
		{"0.1", "0.2", "0.3"},
		{"9223372036854775807", "9223372036854775807", "18446744073709551614"},
		{"1", "1e-130", "ValidationException: DynamoDB only supports precision up to 38 digits"},
		{"1e125", "9e125", "ValidationException: Number overflow. Attempting to store a number with magnitude larger than supported range"},
		{"1.1e-130", "-1e-130", "ValidationException: Number underflow. Attempting to store a number with magnitude smaller than supported range"},
	} {
		a, errA := attr.Number(row.a)
		b, errB := attr.Number(row.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		sum, err := attr.Add(a, b)
		got := sum.Num()
		if err != nil {
			got = refusal(t, err)
		}
		if got != row.want {
			t.Errorf("%s + %s: %s, want %s", row.a, row.b, got, row.want)
		}
	}
}
