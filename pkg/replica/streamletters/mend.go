package streamletters

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/internal/pace"
	"github.com/tributary-dev/tributary/pkg/replica/internal/tally"
)

// Config is what a Mender is made of.
type Config struct {
	// Sources are the contracts of the table; at least one.
	Sources []*replica.Source
	// Table is the owner's table. Required.
	Table replica.SourceTable
	// TableName is its name, against which letters are checked that say where
	// they come from. Required.
	TableName string
	// Streams reads ranges back. Nil: letters that hold only a range are left.
	Streams *dynamodbstreams.Client
	// Rate is the most items stamped a second; 0 for no limit.
	Rate float64
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// Report is called after every few letters; nil for nobody.
	Report func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	// Letters counts those read, Items those stamped.
	Letters, Items int
}

// Action is what becomes of a letter.
type Action string

// The actions.
const (
	// Mend: every item it names was stamped, or is to be; then it is deleted.
	Mend Action = "mend"
	// Leave: it names no item of ours, and stays.
	Leave Action = "leave"
	// Refuse: it cannot be put right, and stays.
	Refuse Action = "refuse"
)

// Verdict is what becomes of a letter.
type Verdict struct {
	Action Action
	// Reason groups letters; Advice says what to do, unless it is mended; Detail
	// is the error in full.
	Reason, Advice, Detail string
	// Subjects are the items that were stamped for it, or are to be: "<contract>
	// <subject>". Those stamped earlier in the same run are among them.
	Subjects []string
}

// Tally counts the letters of one verdict.
type Tally = tally.Tally[Action]

// Mender stamps what letters name. It remembers what it stamped, so that one
// serves a run and no longer; it is not safe for concurrent use.
type Mender struct {
	cfg     Config
	pace    *pace.Pace
	stamped map[string]contracts.Version // the version given, by contract and subject
	named   map[string]bool              // those stamped, or to be

	streamReads int // requests for records
}

// New returns a mender.
func New(cfg Config) (*Mender, error) {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if len(cfg.Sources) == 0 {
		report("Sources: missing")
	}
	if cfg.Table == nil {
		report("Table: missing")
	}
	if cfg.TableName == "" {
		report("TableName: missing")
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("stream letters config: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Report == nil {
		cfg.Report = func(Progress) {}
	}
	return &Mender{cfg: cfg, pace: pace.New(cfg.Rate, nil, 0), stamped: make(map[string]contracts.Version), named: make(map[string]bool)}, nil
}

// Items is how many items were stamped, or, by plans, are to be.
func (m *Mender) Items() int { return len(m.named) }

// named is an item that a letter names, through one contract.
type named struct {
	source  *replica.Source
	subject string
	key     contracts.Item
	// above is the highest version that the letter's images show; blind says that
	// a record of it came without any.
	above contracts.Version
	blind bool
}

func (n *named) id() string { return n.source.Contract().ID() + " " + n.subject }

// Put reads a letter and stamps what it names; where apply is false it only says
// what it would do. Of a letter that is refused because of one item, the others
// are stamped all the same. An error is a read or a stamp that failed and may
// succeed later: the letter must stay.
func (m *Mender) Put(ctx context.Context, text []byte, apply bool) (Verdict, error) {
	return m.put(ctx, text, apply, false)
}

// put is Put; fresh says that the letter may have been written since the run
// began.
func (m *Mender) put(ctx context.Context, text []byte, apply, fresh bool) (Verdict, error) {
	content, err := Decode(text)
	if err != nil {
		return Verdict{Action: Refuse, Reason: "unreadable letter", Detail: err.Error(),
			Advice: "show it, reconcile what it may have been about, then purge it"}, nil
	}
	if table := content.table(); table != "" && table != m.cfg.TableName {
		return Verdict{Action: Leave, Reason: "another table's", Detail: fmt.Sprintf("it is of table %s, not %s", clip(table), m.cfg.TableName),
			Advice: "run with the manifest of the service that owns the table"}, nil
	}
	records := content.Records
	if len(records) == 0 {
		verdict, read, err := m.readBack(ctx, content.Range)
		if err != nil || verdict.Action != "" {
			return verdict, err
		}
		records = read
	}
	items, refused, err := m.items(ctx, records)
	if err != nil {
		return Verdict{}, err
	}
	verdict := Verdict{Action: Mend, Reason: "its items are stamped as they are now"}
	for _, item := range items {
		if apply {
			if m.cameBack(item, fresh) {
				refused = append(refused, returned(item.id()))
				continue
			}
			if err := m.stamp(ctx, item); err != nil {
				rejected, hopeless := errors.AsType[*replica.RejectedError](err)
				if !hopeless {
					return Verdict{}, err
				}
				refused = append(refused, refusal(item.id(), rejected))
				continue
			}
		}
		m.named[item.id()] = true
		verdict.Subjects = append(verdict.Subjects, item.id())
	}
	switch {
	case len(refused) > 0:
		refused[0].Subjects = verdict.Subjects
		return refused[0], nil
	case len(items) == 0:
		return Verdict{Action: Leave, Reason: "names nothing of ours", Detail: fmt.Sprintf("%d records, none of an item of the contracts that the manifest publishes from %s", len(records), m.cfg.TableName),
			Advice: "check the manifest's key and match; purge it if it is none of the contracts'"}, nil
	}
	return verdict, nil
}

// table is the table that a letter says it comes from.
func (c *Content) table() string {
	if c.Range != nil {
		return c.Range.Table()
	}
	for _, r := range c.Records {
		if r.Table != "" {
			return r.Table
		}
	}
	return ""
}

// readBack reads a range from the stream; a verdict without an action says that
// it could.
func (m *Mender) readBack(ctx context.Context, r *Range) (Verdict, []Record, error) {
	if r == nil {
		return Verdict{Action: Leave, Reason: "names nothing of ours", Detail: "it has no records", Advice: "purge it"}, nil, nil
	}
	if m.cfg.Streams == nil {
		return Verdict{Action: Refuse, Reason: "holds a range only", Detail: "there is no stream to read it back from", Advice: "run it where the stream can be read"}, nil, nil
	}
	records, err := r.records(ctx, m.cfg.Streams, &m.streamReads)
	switch {
	case errors.Is(err, errGone):
		return Verdict{Action: Refuse, Reason: "no longer in the stream", Detail: fmt.Sprintf("%d records of about %s, shard %s from %s: %v", r.Records, r.Arrived.UTC().Format(time.RFC3339), clip(r.Shard), r.First, err),
			Advice: "backfill every subscriber of the table, or reconcile them with --repair, then purge it; let Lambda's destination be S3, which keeps whole records"}, nil, nil
	case errors.Is(err, errTooLong):
		return Verdict{Action: Refuse, Reason: "no batch", Detail: err.Error(), Advice: "find out who wrote it, then purge it; Lambda did not"}, nil, nil
	case err != nil:
		return Verdict{}, nil, fmt.Errorf("read shard %s back from %s: %w", clip(r.Shard), r.First, err)
	}
	return Verdict{}, records, nil
}

// items returns what the records name, each item of each contract once, and why
// the rest is refused.
func (m *Mender) items(ctx context.Context, records []Record) (items []*named, refused []Verdict, err error) {
	found := make(map[string]*named)
	type outcome struct {
		fit     bool
		problem *Verdict
	}
	checked := make(map[string]outcome)
	for i := range records {
		r := &records[i]
		for _, source := range m.cfg.Sources {
			subject, ours, err := source.Subject(r.Keys)
			if err != nil {
				refused = append(refused, Verdict{Action: Refuse, Reason: "key makes no subject", Detail: source.Contract().ID() + ": " + err.Error(),
					Advice: "mend the item's key at its owner, then purge the letter"})
				continue
			}
			if !ours {
				continue
			}
			item := &named{source: source, subject: subject, key: r.Keys, blind: len(r.Images) == 0}
			known := found[item.id()]
			concerned := known != nil || item.blind
			for _, image := range r.Images {
				// An image that is not the contract's may still be of an item that
				// was, or is now.
				snap, ours, err := source.Snapshot(image, m.cfg.Now())
				if err == nil && ours {
					concerned, item.above = true, max(item.above, snap.Version)
				}
			}
			if known != nil {
				known.above, known.blind = max(known.above, item.above), known.blind || item.blind
				continue
			}
			now, before := checked[item.id()]
			if !before {
				if now.fit, now.problem, err = m.check(ctx, item); err != nil {
					return nil, nil, fmt.Errorf("read %s: %w", item.id(), err)
				}
				checked[item.id()] = now
			}
			switch {
			case now.problem != nil && !before:
				refused = append(refused, *now.problem)
			case now.problem == nil && (now.fit || concerned):
				found[item.id()] = item
				items = append(items, item)
			}
		}
	}
	return items, refused, nil
}

// check says whether the item as it is now is the contract's, and whether the
// relay could publish it.
func (m *Mender) check(ctx context.Context, item *named) (fit bool, problem *Verdict, err error) {
	if _, done := m.stamped[item.id()]; done {
		return true, nil, nil
	}
	current, err := m.cfg.Table.Read(ctx, item.key)
	if err != nil || current == nil {
		return false, nil, err
	}
	snap, ours, err := item.source.Snapshot(current, m.cfg.Now())
	if err == nil && ours && snap.Live {
		if snap.Version == 0 { // the stamp gives it one
			snap.Version = contracts.VersionAt(m.cfg.Now())
		}
		_, err = item.source.Announce(snap, contracts.Live, m.cfg.Now())
	}
	if err == nil {
		return ours, nil, nil
	}
	rejected, ok := errors.AsType[*replica.RejectedError](err)
	if !ok {
		return false, nil, err
	}
	verdict := refusal(item.id(), rejected)
	return false, &verdict, nil
}

func refusal(id string, rejected *replica.RejectedError) Verdict {
	return Verdict{Action: Refuse, Reason: rejected.Reason, Detail: id + ": " + rejected.Error(),
		Advice: "mend the item at its owner, which publishes it, then run this again; stamped now, the relay would give it up again"}
}

// cameBack says that a letter is of the stamp that this run gave the item: the
// relay could not publish it. It is the only trace of that. Stamped once more,
// the item would come back as fast as it is read, for ever. Where nothing shows
// which record a letter is of, one from since the run began is taken for it.
func (m *Mender) cameBack(item *named, fresh bool) bool {
	given, done := m.stamped[item.id()]
	return done && (item.above == given || item.blind && fresh)
}

func returned(id string) Verdict {
	return Verdict{Action: Refuse, Reason: "came back", Detail: id + ": the relay has just given up its stamp",
		Advice: "see why in the relay's log or the letter's detail (dlq show), mend the item at its owner, then run this again"}
}

// stamp raises an item, unless this run has raised it above all that the letter
// shows.
func (m *Mender) stamp(ctx context.Context, item *named) error {
	if given, done := m.stamped[item.id()]; done && given > item.above {
		return nil
	}
	if err := m.pace.Wait(ctx, 1); err != nil {
		return err
	}
	given, err := item.source.Raise(ctx, m.cfg.Table, item.key, item.above, m.cfg.Now)
	if err != nil {
		return fmt.Errorf("stamp %s: %w", item.id(), err)
	}
	m.stamped[item.id()] = given
	return nil
}
