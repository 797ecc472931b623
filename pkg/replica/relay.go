package replica

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// RelayConfig is what a Relay is made of.
type RelayConfig struct {
	// Sources are the contracts whose items the table holds; at least one.
	Sources []*Source
	// Table is the owner's table, for stamping. Required.
	Table SourceTable
	// Publisher moves changes to the topics. Required. One that returns
	// *PublishError, *OversizeError and *RefusedError lets the relay tell
	// neighbours apart; with any other error every message of the call counts
	// as not published.
	Publisher message.Publisher
	// DeadLetters keeps the records that can never be published. Required.
	DeadLetters DeadLetterQueue
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Metrics counts; nil for none.
	Metrics *Metrics
	// Logger; slog.Default() by default.
	Logger *slog.Logger
}

// Relay publishes the changes that stream records show. It has no state of its
// own: any number may run, and handling a record twice publishes a duplicate,
// which changes nothing. It is safe for concurrent use.
type Relay struct {
	cfg RelayConfig
}

// NewRelay returns a relay.
func NewRelay(cfg RelayConfig) (*Relay, error) {
	var problems []error
	if len(cfg.Sources) == 0 {
		problems = append(problems, missing("Sources"))
	}
	if cfg.Table == nil {
		problems = append(problems, missing("Table"))
	}
	if cfg.Publisher == nil {
		problems = append(problems, missing("Publisher"))
	}
	if cfg.DeadLetters == nil {
		problems = append(problems, missing("DeadLetters"))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("relay config: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Relay{cfg: cfg}, nil
}

// maxStamping bounds how many items of a batch are stamped at once.
const maxStamping = 8

// Handle handles a batch of records of one shard, in order. It returns the
// records that failed by their position in the batch, with the cause: those
// are neither published nor dead-lettered and must be handled again; all others
// are done with. Records that were merged into one message fail together.
func (r *Relay) Handle(ctx context.Context, records []Record) map[int]error {
	b := &batch{relay: r, records: records, failed: make(map[int]error)}
	b.decide(ctx)
	b.stamp(ctx)
	b.publish(ctx)
	return b.failed
}

// batch is one call of Handle.
type batch struct {
	relay   *Relay
	records []Record
	stamps  []pendingStamp
	changes coalesced
	failed  map[int]error
}

type pendingStamp struct {
	at       int
	source   *Source
	decision Decision
}

// decide takes every record by itself: what changed is never a net difference,
// and a state that violates the contract costs its own record only.
func (b *batch) decide(ctx context.Context) {
	now := b.relay.cfg.Now()
	for i := range b.records {
		if damage := b.records[i].Damaged; damage != nil {
			b.deadLetter(ctx, i, b.relay.cfg.Sources[0], "", &RejectedError{Reason: "undecodable record", Err: damage})
			continue
		}
		for _, s := range b.relay.cfg.Sources {
			d := s.Decide(&b.records[i])
			b.relay.cfg.Metrics.relayed(s.contract.ID(), d.Action)
			switch d.Action {
			case Refuse:
				b.deadLetter(ctx, i, s, "", &RejectedError{Reason: "key makes no subject", Err: d.cause})
			case Stamp:
				b.stamps = append(b.stamps, pendingStamp{at: i, source: s, decision: d})
			case Publish:
				change, err := s.change(d.Subject, d.after, d.Changed, contracts.Live, now)
				if err != nil {
					b.deadLetter(ctx, i, s, d.Subject, err)
					continue
				}
				b.changes.add(i, s, change)
			}
		}
	}
}

// stamp stamps what is to be stamped; items at the same time, the records of
// one item one after the other.
func (b *batch) stamp(ctx context.Context) {
	if len(b.stamps) == 0 {
		return
	}
	byItem := make(map[string][]pendingStamp)
	for _, p := range b.stamps {
		byItem[p.decision.Subject] = append(byItem[p.decision.Subject], p)
	}
	done := make([]pendingStamp, 0, len(b.stamps))
	errs := make([]error, len(b.stamps)) // by position in done
	var group errgroup.Group
	group.SetLimit(maxStamping)
	for _, pending := range byItem {
		out := errs[len(done):]
		done = append(done, pending...)
		group.Go(func() error {
			for i, p := range pending {
				out[i] = p.source.stamp(ctx, b.relay.cfg.Table, &b.records[p.at], p.decision, b.relay.cfg.Now)
			}
			return nil
		})
	}
	_ = group.Wait() // each failure is kept with its record
	for i, err := range errs {
		if err == nil {
			continue
		}
		p := done[i]
		err = fmt.Errorf("stamp %s %s: %w", p.source.contract.ID(), p.decision.Subject, err)
		if _, never := errors.AsType[*RejectedError](err); never {
			b.deadLetter(ctx, p.at, p.source, p.decision.Subject, err)
			continue
		}
		b.failed[p.at] = err
	}
}

// publish publishes what was decided, topic by topic.
func (b *batch) publish(ctx context.Context) {
	for topic, merged := range b.changes.byTopic() {
		var ready []*mergedChange
		var messages []*message.Message
		for _, m := range merged {
			msg, err := m.message(ctx)
			if err != nil {
				b.deadLetterAll(ctx, m, err)
				continue
			}
			ready, messages = append(ready, m), append(messages, msg)
		}
		b.send(ctx, topic, ready, messages)
	}
}

// send publishes messages; what the topic can never take is dead-lettered and
// the others sent without it.
func (b *batch) send(ctx context.Context, topic string, merged []*mergedChange, messages []*message.Message) {
	if len(messages) == 0 {
		return
	}
	err := b.relay.cfg.Publisher.Publish(topic, messages...)
	if never := Unsendable(err); len(never) > 0 {
		var others []*mergedChange
		var rest []*message.Message
		for i, m := range merged {
			if cause := never[i]; cause != nil {
				b.deadLetterAll(ctx, m, cause)
				continue
			}
			others, rest = append(others, m), append(rest, messages[i])
		}
		b.send(ctx, topic, others, rest)
		return
	}
	partial, isPartial := errors.AsType[*PublishError](err)
	for i, m := range merged {
		cause := err
		if isPartial {
			cause = partial.Failed[i]
		}
		_, rejected := errors.AsType[*RejectedError](cause)
		switch {
		case cause == nil:
			b.relay.cfg.Metrics.published(m.source.contract.ID(), m.change.Lag(b.relay.cfg.Now()))
		case rejected:
			b.deadLetterAll(ctx, m, cause)
		default:
			b.fail(m, fmt.Errorf("publish %s %s@%s: %w", m.source.contract.ID(), m.change.Subject, m.change.Version, cause))
		}
	}
}

// fail reports every record that was merged into a message.
func (b *batch) fail(m *mergedChange, err error) {
	for _, at := range m.records {
		if b.failed[at] == nil {
			b.failed[at] = err
		}
	}
}

// deadLetterAll keeps every record that was merged into a message that can
// never be published.
func (b *batch) deadLetterAll(ctx context.Context, m *mergedChange, cause error) {
	for _, at := range m.records {
		b.deadLetter(ctx, at, m.source, m.change.Subject, cause)
	}
}

// deadLetter keeps a record with its full body and the reason. A record that
// cannot be kept has failed, and is handled again.
func (b *batch) deadLetter(ctx context.Context, at int, s *Source, subject string, cause error) {
	letter, err := b.sendLetter(ctx, b.records[at], s, subject, cause)
	if err != nil {
		b.failed[at] = fmt.Errorf("dead-letter %s %s: %w (it is dead-lettered for: %w)", s.contract.ID(), subject, err, cause)
		return
	}
	b.relay.cfg.Metrics.relayDeadLettered(s.contract.ID())
	b.relay.cfg.Logger.LogAttrs(ctx, slog.LevelError, "record dead-lettered",
		slog.String("contract", s.contract.ID()),
		slog.String("subject", subject),
		slog.String("reason", letter.Reason),
		slog.Any("cause", cause))
}

// sendLetter sends a record whole. Two images of the largest items can exceed
// what a queue takes; the record then goes without them, because its key is all
// that putting it back needs.
func (b *batch) sendLetter(ctx context.Context, rec Record, s *Source, subject string, cause error) (DeadLetter, error) {
	for _, attempt := range []struct {
		shorten func()
		note    string
	}{
		{func() {}, ""},
		{func() { rec.Old = nil }, "; the old image is left out, the queue does not take it"},
		{func() { rec.New = nil }, "; both images are left out, the queue does not take them"},
	} {
		attempt.shorten()
		letter, err := recordLetter(&rec, s, subject, cause)
		if err != nil {
			return letter, err
		}
		letter.Detail += attempt.note
		err = b.relay.cfg.DeadLetters.Send(ctx, letter)
		if !errors.Is(err, ErrLetterTooLarge) {
			return letter, err
		}
	}
	return DeadLetter{}, ErrLetterTooLarge
}

// GiveUp dead-letters a record that Handle reported as failed for so long that
// the stream would lose it. Putting it back stamps the item as it is then, so
// giving up loses nothing.
func (r *Relay) GiveUp(ctx context.Context, rec Record, cause error) error {
	b := &batch{relay: r, records: []Record{rec}, failed: make(map[int]error)}
	given := &RejectedError{Reason: "given up before the stream would lose it", Err: cause}
	if rec.Damaged != nil { // whose it is cannot be told
		b.deadLetter(ctx, 0, r.cfg.Sources[0], "", given)
		return b.failed[0]
	}
	for _, s := range r.cfg.Sources {
		if d := s.Decide(&rec); d.Action != Ignore {
			b.deadLetter(ctx, 0, s, d.Subject, given)
		}
	}
	return b.failed[0]
}
