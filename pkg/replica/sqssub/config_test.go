package sqssub

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheZeroConfigIsValidAndEveryProblemIsReportedAtOnce(t *testing.T) {
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	err := Config{Receivers: -1, MaxInFlight: -1, WaitTime: 21 * time.Second, VisibilityTimeout: 1500 * time.Millisecond,
		HandlerTimeout: -1, NackBackoff: Backoff{Base: time.Minute, Max: time.Second}, DrainTimeout: -1, Linger: time.Hour}.Validate()
	if err == nil {
		t.Fatal("a configuration that is wrong everywhere is valid")
	}
	for _, field := range []string{"Receivers", "MaxInFlight", "WaitTime", "VisibilityTimeout", "HandlerTimeout", "NackBackoff.Max", "DrainTimeout", "Linger"} {
		if !strings.Contains(err.Error(), field+" is ") {
			t.Errorf("nothing is said about %s: %v", field, err)
		}
	}
}

func TestPausesGrowToTheirMaximumAndKeepHalf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Backoff{Base: time.Duration(rapid.IntRange(0, 1e10).Draw(t, "base"))}
		b.Max = b.Base + time.Duration(rapid.IntRange(0, 1e14).Draw(t, "more"))
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		full := min(b.Max, b.Base<<min(n-1, 24))
		if n > 24 && b.Base > 0 {
			full = b.Max
		}
		random := rapid.Float64Range(0, 0.999999).Draw(t, "random")
		got := b.pause(n, func() float64 { return random })
		if n <= 24 && (got > full || got < full/2) || got > b.Max {
			t.Errorf("pause %d of %+v is %v, want from %v to %v", n, b, got, full/2, full)
		}
	})
}
