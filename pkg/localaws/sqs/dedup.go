package sqs

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// deduplicationInterval is how long a FIFO queue refuses to deliver a second
// message with the same deduplication id ("Exactly-once processing in Amazon
// SQS").
const deduplicationInterval = 5 * time.Minute

// deduplication remembers what was sent to a FIFO queue in the last interval.
// The message may have been received and deleted since.
type deduplication struct {
	seen  map[string]sent
	order []sent // by time; the window is constant, so this is by expiry too
}

// sent is what a repeated send is answered with.
type sent struct {
	key, messageID, sequence string
	until                    time.Time
}

// lookup returns the earlier message with this key.
func (d *deduplication) lookup(key string, now time.Time) (sent, bool) {
	expired := 0
	for expired < len(d.order) && !d.order[expired].until.After(now) {
		delete(d.seen, d.order[expired].key)
		expired++
	}
	clear(d.order[:expired]) // lets go of the strings
	d.order = d.order[expired:]
	earlier, ok := d.seen[key]
	return earlier, ok
}

// remember notes a message that was accepted.
func (d *deduplication) remember(key, messageID, sequence string, now time.Time) {
	if d.seen == nil {
		d.seen = map[string]sent{}
	}
	entry := sent{key: key, messageID: messageID, sequence: sequence, until: now.Add(deduplicationInterval)}
	d.seen[key] = entry
	d.order = append(d.order, entry)
}

// deduplicationKey is what two messages must share to be duplicates: the id,
// and the group where the queue's DeduplicationScope is messageGroup.
func (q *queue) deduplicationKey(m *message) string {
	if q.settings.scopeGroup {
		return m.group + "\x00" + m.deduplication
	}
	return m.deduplication
}

// contentID is the deduplication id of content-based deduplication: a hash of
// the body, not of the attributes.
func contentID(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}
