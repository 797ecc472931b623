package contracts_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

func TestNumbersNormalizeToOneText(t *testing.T) {
	zeros := func(n int) string { return strings.Repeat("0", n) }
	nines := strings.Repeat("9", 38)
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "0.000": "0", "0e500": "0", "+1": "1", "01": "1", "1.0": "1", "1.50": "1.5", ".5": "0.5", "5.": "5",
		"-0.10": "-0.1", "1e3": "1000", "1E-3": "0.001", "120": "120", number38: number38,
		"1e125":                   "1" + zeros(125),
		"-1E-130":                 "-0." + zeros(129) + "1",
		nines + "E88":             nines + zeros(88),
		"0." + nines:              "0." + nines,
		"1" + zeros(60):           "1" + zeros(60),
		"1." + zeros(60):          "1",
		nines + "e-167":           "0." + zeros(129) + nines,
		"0.1" + zeros(36) + "1":   "0.1" + zeros(36) + "1",
		"100.001":                 "100.001",
		"-9.9999999999999999e-10": "-0.00000000099999999999999999",
	} {
		got, err := contracts.NormalizeNumber(text)
		if err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "-", ".", "e5", "1e", "1e1.5", "NaN", "sNaN", "Inf", "-Infinity", "1_000", "1,5", "0x1", " 1", "1 ", "--1", "١",
		"1e126", "1" + zeros(126), "9.99e126", "1e-131", "0." + zeros(130) + "1", "1" + nines, "1." + nines, "1e99999999999999999999",
		zeros(257) + "1",
	} {
		if got, err := contracts.NormalizeNumber(text); err == nil {
			t.Errorf("%q normalizes to %q", text, got)
		}
	}
}

// The canonical text is the number's worth, and of all texts for it the only
// one that is left alone.
func TestNormalizingKeepsTheWorthAndIsUnique(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := anyNumber().Draw(t, "number")
		got, err := contracts.NormalizeNumber(text)
		if err != nil {
			t.Fatal(err)
		}
		want, ok1 := new(big.Rat).SetString(text)
		worth, ok2 := new(big.Rat).SetString(got)
		if !ok1 || !ok2 || want.Cmp(worth) != 0 {
			t.Fatalf("%s normalizes to %s", text, got)
		}
		for _, other := range []string{"0" + strings.TrimPrefix(got, "-"), got + "e0", got + ".0", got + "0"} {
			same, ok := new(big.Rat).SetString(other)
			if !ok || same.Cmp(worth) != 0 {
				continue
			}
			if again, err := contracts.NormalizeNumber(other); err == nil && again != got {
				t.Fatalf("%s and %s are equal but normalize to %s and %s", got, other, got, again)
			}
		}
	})
}

func TestNumberErrorsSayWhatIsWrong(t *testing.T) {
	err := contracts.CheckNumber(strings.Repeat("7", 39))
	if want := "more than 38 significant digits"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v: want %q", err, want)
	}
	err = contracts.CheckNumber(strings.Repeat("x", 10000))
	if err == nil || len(err.Error()) > 500 {
		t.Errorf("an error of %d bytes", len(fmt.Sprint(err)))
	}
}
