package lag_test

import (
	"testing"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
)

func TestAnAgeIsAsShortAsItIsUnderstood(t *testing.T) {
	for want, age := range map[string]lag.Age{
		"none":                          {Kind: lag.None},
		"40ms":                          {Kind: lag.Exact, Seconds: 0.04},
		"2m5s":                          {Kind: lag.Exact, Seconds: 125},
		"at least 26h0m":                {Kind: lag.AtLeast, Seconds: 26 * 3600},
		"less than 2h0m":                {Kind: lag.LessThan, Seconds: 7200},
		"less than 2h0m, at least 1m0s": {Kind: lag.LessThan, Seconds: 7200, AtLeastSeconds: 60},
	} {
		if got := age.String(); got != want {
			t.Errorf("%+v is told as %q, want %q", age, got, want)
		}
	}
}
