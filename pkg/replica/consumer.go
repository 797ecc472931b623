package replica

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// MetadataPass marks a message as a fan-out's second pass.
const MetadataPass = "tributary-pass"

// CanaryLog notes which canaries came through a subscription's filter.
type CanaryLog interface {
	// NoteCanary keeps a canary's id; noting one twice is harmless.
	NoteCanary(ctx context.Context, id string, at time.Time) error
}

// ConsumerConfig is what a Consumer is made of.
type ConsumerConfig struct {
	// Service is the subscribing service's name: its audience.
	Service string
	// Queue is the queue the messages come from, for second passes.
	Queue string
	// Catalog knows the contracts whose events can be decoded. Required.
	Catalog *contracts.Catalog
	// Appliers apply the changes, one per contract; at least one.
	Appliers []*Applier
	// Delayer sends a change to its second pass. Required for fan-outs.
	Delayer Delayer
	// Canaries notes canaries; nil leaves them acknowledged and unnoted.
	Canaries CanaryLog
	// Metrics counts; nil for none.
	Metrics *Metrics
	// Logger; slog.Default() by default.
	Logger *slog.Logger
	// Now is the clock; time.Now by default.
	Now func() time.Time
}

// Consumer is the Watermill handler of a subscription: it decodes the event and
// applies it. It is safe for concurrent use.
type Consumer struct {
	cfg      ConsumerConfig
	appliers map[string]*Applier
}

// NewConsumer returns a consumer.
func NewConsumer(cfg ConsumerConfig) (*Consumer, error) {
	var problems []error
	if cfg.Service == "" {
		problems = append(problems, missing("Service"))
	}
	if cfg.Catalog == nil {
		problems = append(problems, missing("Catalog"))
	}
	if len(cfg.Appliers) == 0 {
		problems = append(problems, missing("Appliers"))
	}
	c := &Consumer{cfg: cfg, appliers: make(map[string]*Applier)}
	for _, a := range cfg.Appliers {
		id := a.Contract().ID()
		if _, twice := c.appliers[id]; twice {
			problems = append(problems, fmt.Errorf("two of the Appliers are for %s", id))
		}
		if len(a.fanOuts) > 0 && (cfg.Delayer == nil || cfg.Queue == "") {
			problems = append(problems, fmt.Errorf("the fan-outs of %s need Delayer and Queue for their second pass", id))
		}
		c.appliers[id] = a
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("consumer config: %w", err)
	}
	if c.cfg.Now == nil {
		c.cfg.Now = time.Now
	}
	if c.cfg.Logger == nil {
		c.cfg.Logger = slog.Default()
	}
	return c, nil
}

// Handle is a Watermill NoPublishHandlerFunc. It returns nil when the change is
// durable in every replica, or was stale or a duplicate everywhere. With an
// error the message must be given back, or dead-lettered where Classify says
// so; Handle leaves the error with Settle for subscribers that understand it.
func (c *Consumer) Handle(msg *message.Message) error {
	growStackToHandle(len(msg.Payload))
	change, err := c.handle(msg)
	if err == nil {
		return nil
	}
	contract := "unknown"
	if change != nil && change.Contract != nil {
		contract = change.Contract.ID()
	}
	c.cfg.Metrics.failed(contract, Classify(err).Verdict)
	Settle(msg, err)
	return err
}

func (c *Consumer) handle(msg *message.Message) (*contracts.Change, error) {
	ctx := msg.Context()
	change, err := contracts.Decode(msg.Payload, c.cfg.Catalog)
	switch {
	case errors.Is(err, contracts.ErrUnknownType):
		return nil, &RejectedError{Reason: "unknown contract", Err: err}
	case err != nil:
		if topic := wrappedBy(msg.Payload); topic != "" {
			return nil, &RejectedError{
				Reason: "wrapped by SNS",
				Err:    fmt.Errorf("an envelope of %s: turn raw message delivery on for the queue's subscription and backfill, since putting this message back would not unwrap it", topic),
			}
		}
		return nil, &RejectedError{Reason: "malformed event", Err: err}
	case change.Operation == contracts.Canary:
		return change, c.noteCanary(ctx, change)
	}
	applier, ok := c.appliers[change.Contract.ID()]
	if !ok {
		return change, &RejectedError{
			Reason: "unknown contract",
			Err:    fmt.Errorf("%s is not subscribed to in this service's manifest", change.Contract.ID()),
		}
	}
	pass := FirstPass
	if msg.Metadata.Get(MetadataPass) != "" {
		pass = SecondPass
	}
	result, err := applier.Apply(ctx, change, pass)
	if err != nil {
		return change, fmt.Errorf("apply %s %s@%s: %w", change.Contract.ID(), change.Subject, change.Version, err)
	}
	if result.Again > 0 {
		if err := c.sendAgain(ctx, msg, result.Again); err != nil {
			return change, fmt.Errorf("send %s %s@%s to its second pass: %w", change.Contract.ID(), change.Subject, change.Version, err)
		}
	}
	if pass == FirstPass {
		c.cfg.Metrics.applied(change.Contract.ID(), result.Outcome, string(change.Origin))
		if result.Outcome == Applied && change.Origin == contracts.Live {
			c.cfg.Metrics.lagged(change.Contract.ID(), change.Lag(c.cfg.Now()))
		}
	}
	if c.cfg.Logger.Enabled(ctx, slog.LevelDebug) {
		c.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "change applied",
			slog.String("contract", change.Contract.ID()),
			slog.String("subject", change.Subject),
			slog.String("version", change.Version.String()),
			slog.String("outcome", result.Outcome.String()))
	}
	return change, nil
}

// wrappedBy returns the topic that wrapped a message into an envelope of its
// own, as SNS does for subscriptions without raw message delivery ("Amazon SNS
// message formats": Notification); empty if none did.
func wrappedBy(body []byte) string {
	var envelope struct{ Type, TopicArn string }
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Type != "Notification" {
		return ""
	}
	return envelope.TopicArn
}

// sendAgain sends a copy of the message through the queue's own delay. The
// message itself is acknowledged only afterwards, so a crash in between costs a
// second second pass, never the first.
func (c *Consumer) sendAgain(ctx context.Context, msg *message.Message, after time.Duration) error {
	again := msg.Copy()
	again.SetContext(ctx)
	again.Metadata.Set(MetadataPass, "2")
	return c.cfg.Delayer.SendDelayed(ctx, c.cfg.Queue, again, after)
}

func (c *Consumer) noteCanary(ctx context.Context, canary *contracts.Change) error {
	if c.cfg.Canaries == nil {
		return nil
	}
	if err := c.cfg.Canaries.NoteCanary(ctx, canary.Subject, c.cfg.Now()); err != nil {
		return fmt.Errorf("note canary %s: %w", canary.Subject, err)
	}
	return nil
}
