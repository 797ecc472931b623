package sqssub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// MaxHeldMessages is how many messages of a standard queue can be invisible at
// a time ("Amazon SQS message quotas", messages per queue, in flight).
const MaxHeldMessages = 120_000

// ErrFIFO says that a queue is a FIFO queue, whose order taking messages out and
// putting them elsewhere would break.
var ErrFIFO = errors.New("a FIFO queue; move its messages with SQS's own redrive, StartMessageMoveTask")

const (
	// emptyPolls is how often in a row a queue that says it has messages may
	// bring none before it is believed to have brought all it will.
	emptyPolls = 4
	// receiveAttempts is how often a receive is tried, beyond the SDK's own
	// attempts.
	receiveAttempts = 5
	// handBackTime bounds how long Close goes on giving messages back.
	handBackTime = time.Minute
)

// BoxConfig tunes a DeadLetterBox. The zero value works.
type BoxConfig struct {
	// Visibility is how long a message taken stays invisible if the process is
	// killed; it is extended while the box is open. Default 2 min, whole seconds
	// from 10 s to 12 h.
	Visibility time.Duration
	// Wait is the length of a long poll, which asks all servers of the queue,
	// where a short one asks some ("Amazon SQS short and long polling"). Default
	// 1 s, whole seconds from 1 to 20.
	Wait time.Duration
	// MaxHeld bounds the messages that are invisible at a time. Default
	// MaxHeldMessages, which is also the most.
	MaxHeld int
	// Random returns numbers from 0 to below 1, for the jitter of retries. It
	// must be safe for concurrent use. Default math/rand/v2.
	Random func() float64
}

// DeadLetterBox reads a dead-letter queue for an operator's tool: each message
// once, all of them, and whatever is not deleted is visible again when the box
// is closed. It is safe for concurrent use.
//
// It does not promise to find every message: a queue is distributed, and one
// that was sent a moment ago, or that another tool holds, is not there to be
// received. Left says how many SQS still counts. Messages of a receive whose
// answer was lost stay invisible for Visibility, as do all if the process is
// killed.
type DeadLetterBox struct {
	cfg    BoxConfig
	client *sqs.Client
	queues *queues
	queue  queue

	base    context.Context // outlives the caller's, so that all is given back
	stop    context.CancelFunc
	keeping sync.WaitGroup
	closed  sync.Once

	mu   sync.Mutex
	seen map[string]*holding // by message id; nil once it is deleted or given back
	held int
	left int // visible, when Take last returned none
	kept int // invisible then, and not by this box
	// begun is the time at SQS of its first answer.
	begun time.Time
}

// holding is a message that is invisible to others.
type holding struct {
	receipt    string
	receivedAt time.Time
	visibleAt  time.Time
}

// OpenDeadLetterBox opens the dead-letter queue of a name or URL. The caller
// closes the box.
func OpenDeadLetterBox(ctx context.Context, client *sqs.Client, name string, cfg BoxConfig) (*DeadLetterBox, error) {
	cfg.Visibility = cmp.Or(cfg.Visibility, 2*time.Minute)
	cfg.Wait = cmp.Or(cfg.Wait, time.Second)
	cfg.MaxHeld = cmp.Or(cfg.MaxHeld, MaxHeldMessages)
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("open dead-letter queue %s: %w", name, err)
	}
	b := &DeadLetterBox{cfg: cfg, client: client, base: context.WithoutCancel(ctx), seen: make(map[string]*holding),
		queues: newQueues(client, nil, slog.New(slog.DiscardHandler))}
	var err error
	if b.queue, err = b.queues.find(ctx, name); err != nil {
		return nil, fmt.Errorf("open dead-letter queue %s: %w", name, err)
	}
	if b.queue.fifo {
		return nil, fmt.Errorf("open dead-letter queue %s: %w", name, ErrFIFO)
	}
	keeping, stop := context.WithCancel(b.base)
	b.stop = stop
	b.keeping.Go(func() { b.keepInvisible(keeping) })
	return b, nil
}

func (c BoxConfig) validate() error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if c.Visibility < 10*time.Second || c.Visibility > MaxVisibility || c.Visibility%time.Second != 0 {
		report("Visibility is %v, it must be whole seconds from 10s to %v", c.Visibility, MaxVisibility)
	}
	if c.Wait < time.Second || c.Wait > 20*time.Second || c.Wait%time.Second != 0 {
		report("Wait is %v, it must be whole seconds from 1s to 20s", c.Wait)
	}
	if c.MaxHeld < 1 || c.MaxHeld > MaxHeldMessages {
		report("MaxHeld is %d, it must be from 1 to %d", c.MaxHeld, MaxHeldMessages)
	}
	return errors.Join(problems...)
}

// Name returns the queue's name.
func (b *DeadLetterBox) Name() string { return b.queue.name }

// Take returns up to ten messages that it has not returned yet, with all their
// attributes; none when the queue has been read through, or as many are held as
// may be. They stay invisible until they are deleted, given back, or the box is
// closed.
func (b *DeadLetterBox) Take(ctx context.Context) ([]types.Message, error) {
	for empty := 0; ; {
		room := b.room()
		if room == 0 {
			return nil, b.count(ctx)
		}
		begun := time.Now()
		messages, err := b.receive(ctx, room)
		if err != nil {
			return nil, fmt.Errorf("receive from %s: %w", b.queue.name, err)
		}
		if fresh := b.admit(messages, begun); len(fresh) > 0 {
			return fresh, nil
		}
		if len(messages) > 0 {
			continue // seen before; they are invisible now
		}
		empty++
		if err := b.count(ctx); err != nil {
			return nil, err
		}
		if b.visible() == 0 || empty >= emptyPolls {
			return nil, nil
		}
	}
}

// Left is how many messages SQS counted, when Take last returned none, that Take
// did not return: visible ones, and those that another tool holds, or held when
// it was killed. It is approximate, and as of some moments ago
// ("GetQueueAttributes", ApproximateNumberOfMessages and
// ApproximateNumberOfMessagesNotVisible).
func (b *DeadLetterBox) Left() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left + b.kept
}

func (b *DeadLetterBox) visible() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.left
}

// Begun is when the first messages were taken, by SQS's clock and rounded down to
// a second, so that it can be compared with SentTimestamp; zero before, or where
// answers have no date.
func (b *DeadLetterBox) Begun() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.begun
}

// Held is how many messages are invisible.
func (b *DeadLetterBox) Held() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held
}

func (b *DeadLetterBox) room() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, min(MaxBatchMessages, b.cfg.MaxHeld-b.held))
}

func (b *DeadLetterBox) receive(ctx context.Context, room int) ([]types.Message, error) {
	for attempt := 1; ; attempt++ {
		out, err := b.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: aws.String(b.queue.url), MaxNumberOfMessages: int32(room),
			WaitTimeSeconds: int32(b.cfg.Wait / time.Second), VisibilityTimeout: int32(b.cfg.Visibility / time.Second),
			MessageAttributeNames:       allAttributes,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		switch {
		case err == nil:
			if at, dated := awsmiddleware.GetServerTime(out.ResultMetadata); dated {
				b.begin(at)
			}
			return out.Messages, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case isOverLimit(err):
			return nil, nil
		case attempt == receiveAttempts || !retry.Worthwhile(err):
			return nil, err
		case !sleep(ctx, receiveBackoff.Pause(attempt, b.cfg.Random)):
			return nil, context.Cause(ctx)
		}
	}
}

func (b *DeadLetterBox) begin(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.begun.IsZero() {
		b.begun = at.Truncate(time.Second)
	}
}

// isOverLimit says that the queue has as many messages in flight as it may
// ("ReceiveMessage", Errors), which long polls do not report.
func isOverLimit(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && (api.ErrorCode() == "OverLimit" || api.ErrorCode() == "AWS.SimpleQueueService.OverLimit")
}

// admit notes what was received and returns what is new. A message that comes
// once more has another receipt handle, and only the newest one counts.
func (b *DeadLetterBox) admit(messages []types.Message, at time.Time) []types.Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	var fresh []types.Message
	for _, msg := range messages {
		id := aws.ToString(msg.MessageId)
		known, before := b.seen[id]
		if !before {
			fresh = append(fresh, msg)
		}
		if known == nil {
			known = &holding{}
			b.seen[id] = known
			b.held++
		}
		known.receipt, known.receivedAt, known.visibleAt = aws.ToString(msg.ReceiptHandle), at, at.Add(b.cfg.Visibility)
	}
	return fresh
}

// count asks how many messages are still there to be received, and how many
// somebody else holds. What this box ever took is not among these, though it
// may have given it back: SQS's counts are late.
func (b *DeadLetterBox) count(ctx context.Context) error {
	left := b.attribute(ctx, types.QueueAttributeNameApproximateNumberOfMessages)
	invisible := b.attribute(ctx, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible)
	if ctx.Err() != nil {
		return fmt.Errorf("count the messages of %s: %w", b.queue.name, context.Cause(ctx))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left, b.kept = left, max(0, invisible-len(b.seen))
	return nil
}

// attribute is one of the queue's counts; 0 as well where there is no right to
// know: then an empty poll is all there is to go by.
func (b *DeadLetterBox) attribute(ctx context.Context, name types.QueueAttributeName) int {
	text, err := b.queues.attribute(ctx, b.queue.url, name)
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(text)
	return n
}
