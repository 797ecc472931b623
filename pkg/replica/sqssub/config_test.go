package sqssub

import (
	"strings"
	"testing"
	"time"
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
