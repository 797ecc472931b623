package lag

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// MaxCopies is how many copies of one replica are read at the most, a hundred in
// a request: the table is one that a service lives on.
const MaxCopies = 20_000

// recent is how long a change may still be counted in a queue although it is
// applied: SQS's counts are right about a minute after the last change
// ("GetQueueAttributes", SQS API reference).
const recent = 2 * time.Minute

// Waiting is what is known to be on its way, of which a stream of 24 hours need
// not account for everything.
type Waiting struct {
	// Queued are the messages in the queue that are not delayed, Letters those in
	// the dead-letter queue; each negative for not known. A delayed one is of the
	// last quarter of an hour: the second pass of a fan-out, that comes after the
	// first.
	Queued, Letters int
	// Published says that the relay is known to have published all that the
	// stream holds.
	Published bool
}

// Behind returns the age of the oldest change that the subscription's copies do
// not have. Of an item's changes, the oldest that is above its copy's version
// counts. The error is a TableError or Unknown.
func (h *History) Behind(ctx context.Context, store *dynamostore.Store, sub manifest.Subscription, waiting Waiting) (Age, error) {
	var mine []announced
	for _, c := range h.changes {
		if slices.ContainsFunc(c.changed, func(name string) bool { return slices.Contains(sub.Attributes, name) }) {
			mine = append(mine, c)
		}
	}
	all := comparison{complete: h.complete, reached: h.reached}
	items := 0
	for _, r := range sub.Replicas {
		if r.Kind() != manifest.Item {
			all.elsewhere = true
			continue
		}
		items++
		one, err := h.compare(ctx, store, r, mine)
		if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
			return Age{}, &Unknown{"table " + r.Table + " does not exist"}
		}
		if err != nil {
			return Age{}, &TableError{r.Table, err}
		}
		all.merge(one)
	}
	if items == 0 {
		return Age{}, &Unknown{"the subscription has no item replica, whose versions could be compared"}
	}
	return h.judge(all, waiting)
}

func (h *History) judge(c comparison, waiting Waiting) (Age, error) {
	now := h.now()
	age := func(at time.Time) float64 { return max(0, now.Sub(at).Seconds()) }
	partly := fmt.Sprintf("the first %d stream records were read", h.read)
	if h.complete {
		partly = fmt.Sprintf("the copies of the first %d items that changed were read", h.maxCopies)
	}
	unknown, put := waiting.Queued < 0 || waiting.Letters < 0, waiting.Queued+waiting.Letters
	switch {
	case c.oldest == nil && c.complete && !unknown && waiting.Queued <= c.counted && waiting.Letters == 0:
		note := ""
		if c.elsewhere && waiting.Queued > 0 {
			note = fmt.Sprintf("of the item replicas; %d messages wait or are in flight, which may not be in fan-out copies or functions yet", waiting.Queued)
		}
		return Age{Kind: None, Note: note}, nil
	case c.oldest == nil && c.complete:
		return h.nothing(c)
	case c.oldest == nil && h.trimmed && waiting.Letters != 0:
		return Age{}, &Unknown{"the item replicas have every change that was read, and " + partly + "; what the dead-letter queue holds, if anything, may be older than the stream, which keeps 24 hours"}
	case c.oldest == nil:
		return Age{Kind: LessThan, Seconds: age(c.reached), Note: partly}, nil
	case h.trimmed && (unknown || put > 0 && !waiting.Published || put > c.counted):
		why := "more waits than the changes that the stream still holds: it was sent again, or is older than the stream, which keeps 24 hours"
		switch {
		case unknown:
			why = "how much waits is not known: some of it may be older than the stream, which keeps 24 hours"
		case put <= c.counted:
			why = "the relay is not known to be done with the stream: what waits may be older than that, which keeps 24 hours"
		}
		return Age{Kind: AtLeast, Seconds: age(c.oldest.made), At: &c.oldest.made, Subject: c.oldest.subject, Note: why}, nil
	case c.complete || c.oldest.made.Before(c.reached):
		return Age{Kind: Exact, Seconds: age(c.oldest.made), At: &c.oldest.made, Subject: c.oldest.subject}, nil
	default:
		return Age{Kind: LessThan, Seconds: age(c.reached), AtLeastSeconds: age(c.oldest.made), Subject: c.oldest.subject, Note: partly}, nil
	}
}

// nothing is about messages that wait although the item replicas have every
// change of the stream.
func (h *History) nothing(c comparison) (Age, error) {
	text := "the item replicas have every change since the stream was turned on; what the queues hold, if anything, "
	if h.trimmed {
		text = "the item replicas have every change of the last 24 hours, which the stream keeps; what the queues hold, if anything, is older, "
	}
	if c.elsewhere {
		text += "is not yet in fan-out copies or functions, "
	}
	text += "was sent again, is superseded or is no change"
	if h.trimmed || c.elsewhere {
		return Age{}, &Unknown{text}
	}
	return Age{Kind: None, Note: text}, nil
}

// comparison is what holding copies against changes brought.
type comparison struct {
	oldest *announced // above its copy's version; nil for none
	// counted is how many changes may be counted in a queue: those that are not
	// applied, and recent ones.
	counted int
	// complete says that every change was compared; otherwise those made before
	// reached were.
	complete bool
	reached  time.Time
	// elsewhere says that there are replicas of other kinds, of which the stream
	// and the item replicas tell nothing.
	elsewhere bool
}

func (c *comparison) merge(o comparison) {
	if o.oldest != nil && (c.oldest == nil || o.oldest.made.Before(c.oldest.made)) {
		c.oldest = o.oldest
	}
	c.counted = max(c.counted, o.counted)
	c.complete = c.complete && o.complete
	if o.reached.Before(c.reached) {
		c.reached = o.reached
	}
}

// compare holds the versions of one replica's copies against the changes, which
// come in their versions' order.
func (h *History) compare(ctx context.Context, store *dynamostore.Store, r manifest.Replica, changes []announced) (comparison, error) {
	out := comparison{complete: h.complete, reached: h.reached}
	var keys []contracts.Item
	at := map[string]int{} // by subject
	for i, c := range changes {
		if _, again := at[c.subject]; again {
			continue
		}
		key, err := localKey(r, c.subject)
		if err != nil {
			continue // no such copy can be: the consumer dead-letters the change
		}
		if len(keys) == h.maxCopies {
			out.complete = false
			for _, left := range changes[i:] {
				if left.made.Before(out.reached) {
					out.reached = left.made
				}
			}
			changes = changes[:i]
			break
		}
		at[c.subject] = len(keys)
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return out, nil
	}
	version := r.Bookkeeping().Version
	copies, err := store.BatchRead(ctx, r.Table, keys, version)
	if err != nil {
		return comparison{}, err
	}
	for i, c := range changes {
		place, ok := at[c.subject]
		if !ok || copies[place] == nil && !r.Creates() {
			continue
		}
		late := contracts.VersionOf(copies[place][version], time.Time{}) < c.version
		if late && (out.oldest == nil || c.made.Before(out.oldest.made)) {
			out.oldest = &changes[i]
		}
		if late || h.now().Sub(c.made) < recent {
			out.counted++
		}
	}
	return out, nil
}

// localKey makes the key of a subject's copy.
func localKey(r manifest.Replica, subject string) (contracts.Item, error) {
	texts, err := r.KeyFor(subject)
	if err != nil {
		return nil, err
	}
	if len(texts) == 0 {
		return nil, errors.New("the replica has no key")
	}
	key := make(contracts.Item, len(texts))
	for name, text := range texts {
		if r.KeyType(name) == "N" {
			key[name] = contracts.Number(text)
		} else {
			key[name] = contracts.String(text)
		}
	}
	return key, nil
}
