package retry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

func TestWhatMayGoAwayByItselfIsWorthwhile(t *testing.T) {
	client := func(code string) error { return &smithy.GenericAPIError{Code: code, Fault: smithy.FaultClient} }
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"a lost connection":               {errors.New("connection reset by peer"), true},
		"an entry without an answer":      {retry.ErrUnanswered, true},
		"an entry the service failed":     {&retry.EntryError{Code: "InternalError"}, true},
		"an entry that is at fault":       {&retry.EntryError{Code: "InvalidParameter", SenderFault: true}, false},
		"a throttled entry":               {&retry.EntryError{Code: "ThrottlingException", SenderFault: true}, true},
		"a throttled key":                 {fmt.Errorf("send: %w", client("KMSThrottling")), true},
		"too many messages in flight":     {client("OverLimit"), true},
		"a throttled request":             {client("ThrottlingException"), true},
		"a request that is at fault":      {client("InvalidParameter"), false},
		"denied access":                   {client("AuthorizationError"), false},
		"the service's fault":             {&smithy.GenericAPIError{Code: "InternalFailure", Fault: smithy.FaultServer}, true},
		"a caller that has gone":          {context.Canceled, false},
		"an attempt that took too long":   {context.DeadlineExceeded, true},
		"a fault whose side is not known": {&smithy.GenericAPIError{Code: "Odd"}, true},
	} {
		if got := retry.Worthwhile(c.err); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPausesGrowToTheirMaximumAndKeepHalf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := retry.Backoff{Base: time.Duration(rapid.IntRange(0, 1e10).Draw(t, "base"))}
		b.Max = b.Base + time.Duration(rapid.IntRange(0, 1e14).Draw(t, "more"))
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		full := min(b.Max, b.Base<<min(n-1, 24))
		if n > 24 && b.Base > 0 {
			full = b.Max
		}
		random := rapid.Float64Range(0, 0.999999).Draw(t, "random")
		got := b.Pause(n, func() float64 { return random })
		if n <= 24 && (got > full || got < full/2) || got > b.Max {
			t.Errorf("pause %d of %+v is %v, want from %v to %v", n, b, got, full/2, full)
		}
	})
}

func TestARefusalIsToldFromOtherFailures(t *testing.T) {
	for code, want := range map[string]bool{"AccessDeniedException": true, "ExpiredToken": true, "ThrottlingException": false, "ValidationException": false} {
		if got := retry.Denied(fmt.Errorf("scan: %w", &smithy.GenericAPIError{Code: code})); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
	if retry.Denied(errors.New("connection reset by peer")) {
		t.Error("a lost connection is taken for a refusal")
	}
}
