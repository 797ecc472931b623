package replica

import (
	"context"
	"errors"
)

// DeadLetter is something that can never be published or applied, as it goes
// to a dead-letter queue.
type DeadLetter struct {
	// Body is the whole message or record.
	Body []byte
	// Attributes are kept beside the body, at most eight, all of type String.
	Attributes map[string]string
	// Reason is one of a few short texts, by which operators group dead letters.
	Reason string
	// Detail is the error in full.
	Detail string
}

// Names of the SQS message attributes that a dead letter carries.
const (
	DeadLetterReason = "tributary-reason"
	DeadLetterDetail = "tributary-detail"
	DeadLetterSource = "tributary-source" // the queue or stream it comes from
	DeadLetterCount  = "tributary-receive-count"
)

// ErrLetterTooLarge says that a dead letter is larger than its queue takes, also
// when it is compressed.
var ErrLetterTooLarge = errors.New("the letter is larger than the queue takes")

// DeadLetterQueue keeps what could not be published or applied. Send returns
// only when the letter is stored; the error is ErrLetterTooLarge where it never
// can be. It is safe for concurrent use.
type DeadLetterQueue interface {
	Send(ctx context.Context, letter DeadLetter) error
}
