package replica

import (
	"context"
	"errors"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
)

// Verdict says what is to be done with a message whose handler returned an
// error.
type Verdict uint8

const (
	// Retry: give the message back; it is delivered again after a delay that
	// grows with its receive count.
	Retry Verdict = iota
	// RetryAfter: give the message back for exactly Disposition.After, at
	// least.
	RetryAfter
	// Reject: the message can never be applied; move it to the dead-letter
	// queue at once, with the reason.
	Reject
)

var verdictNames = [...]string{"retry", "retry_after", "reject"}

// String returns the verdict's name as metrics use it.
func (v Verdict) String() string { return verdictNames[v] }

// Disposition is a verdict with its particulars.
type Disposition struct {
	Verdict Verdict
	// After is the least delay before the next delivery, for RetryAfter.
	After time.Duration
	// Reason is a short text for the dead-letter queue, for Reject.
	Reason string
}

// RejectedError marks a failure that no retry can mend. The message goes to
// the dead-letter queue with Reason.
type RejectedError struct {
	// Reason is one of a few short texts, by which operators group dead
	// letters: "malformed event", "unknown contract".
	Reason string
	Err    error
}

func (e *RejectedError) Error() string {
	if e.Err == nil {
		return e.Reason
	}
	return e.Reason + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *RejectedError) Unwrap() error { return e.Err }

// DelayedError marks a failure that is worth retrying only after a while.
type DelayedError struct {
	After time.Duration
	Err   error
}

func (e *DelayedError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *DelayedError) Unwrap() error { return e.Err }

// Classify says what is to be done about a handler's error. What it does not
// know is retried.
func Classify(err error) Disposition {
	if rejected, ok := errors.AsType[*RejectedError](err); ok {
		return Disposition{Verdict: Reject, Reason: rejected.Reason}
	}
	if delayed, ok := errors.AsType[*DelayedError](err); ok {
		return Disposition{Verdict: RetryAfter, After: delayed.After}
	}
	return Disposition{Verdict: Retry}
}

// together joins what went wrong with one change at several places. While any
// of it is worth a retry, the change is: what no retry can mend is told once it
// is all that is left.
func together(errs []error) error {
	var retried []error
	for _, err := range errs {
		if err != nil && Classify(err).Verdict != Reject {
			retried = append(retried, err)
		}
	}
	if len(retried) > 0 {
		return errors.Join(retried...)
	}
	return errors.Join(errs...)
}

type settlementKey struct{}

// settlement is the slot through which a handler tells the subscriber more
// than Watermill's nack can say.
type settlement struct {
	err error
	set bool
}

// WithSettlement returns a context for a message's SetContext in which Settle
// can leave why the message is about to be nacked. Subscribers that know
// dispositions call it before they hand a message out.
func WithSettlement(ctx context.Context) context.Context {
	return context.WithValue(ctx, settlementKey{}, &settlement{})
}

// Settle leaves the error a message is about to be nacked for. It does nothing
// where the subscriber made no slot for it, as stock subscribers do. Call it
// from the handler, before the nack.
func Settle(msg *message.Message, err error) {
	if s, ok := msg.Context().Value(settlementKey{}).(*settlement); ok {
		s.err, s.set = err, true
	}
}

// SettledWith returns what Settle left, and whether it did. Subscribers call
// it after the nack, with the context WithSettlement returned.
func SettledWith(ctx context.Context) (error, bool) {
	s, ok := ctx.Value(settlementKey{}).(*settlement)
	if !ok || !s.set {
		return nil, false
	}
	return s.err, true
}
