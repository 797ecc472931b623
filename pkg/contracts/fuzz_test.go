package contracts_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// Whatever decodes is a valid change: it encodes, and decodes to itself. (But a
// change that names only attributes this contract lacks has nothing left in
// Changed, which nobody may publish.)
func FuzzDecode(f *testing.F) {
	for _, g := range goldens(f) {
		f.Add(g.body(f))
	}
	all := catalogOf(f, profilev1.Contract, everything(f))
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := contracts.Decode(body, all)
		if err != nil {
			return
		}
		if !json.Valid(body) {
			t.Fatalf("decoded what is no JSON: %q", body)
		}
		if len(c.Changed) == 0 {
			return
		}
		once, err := contracts.Encode(c)
		if err != nil {
			t.Fatalf("decoded but does not encode: %v", err)
		}
		d, err := contracts.Decode(once, all)
		if err != nil {
			t.Fatalf("encoded but does not decode: %v in %s", err, once)
		}
		if diff := cmp.Diff(c, d); diff != "" {
			t.Fatalf("-first +second:\n%s", diff)
		}
		twice, err := contracts.Encode(d)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%v\n%s\n%s", err, once, twice)
		}
	})
}

func FuzzParseVersion(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "+1", "01", "1731000000123456", "9223372036854775807", "9223372036854775808", "1e3", "1.0", " 1", "١"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := contracts.ParseVersion(text)
		if err != nil {
			if v != 0 {
				t.Fatalf("%q is refused, yet %d", text, v)
			}
			return
		}
		if v < 1 || v.String() != text {
			t.Fatalf("%q parses to %s", text, v)
		}
	})
}

func FuzzNormalizeNumber(f *testing.F) {
	for _, seed := range []string{"0", "-0", "1.50", "1e10", "1E-130", "9.9e125", "1e126", number38, "NaN", "-Infinity", "1_000", "00", ".5", "5.", "+7", "0.0e9999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := contracts.NormalizeNumber(text)
		if err != nil {
			return
		}
		if m, err := contracts.NormalizeNumber(n); m != n || err != nil {
			t.Fatalf("%q normalizes to %q, that to %q, %v", text, n, m, err)
		}
		if !json.Valid([]byte(n)) {
			t.Fatalf("%q normalizes to %q, which is no JSON number", text, n)
		}
		if !contracts.Number(text).Equal(contracts.Number(n)) {
			t.Fatalf("%q is not equal to its normal form %q", text, n)
		}
	})
}
