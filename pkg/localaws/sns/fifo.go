package sns

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// deduplicationWindow is how long a FIFO topic remembers a deduplication id
// ("Amazon SNS message deduplication for FIFO topics").
const deduplicationWindow = 5 * time.Minute

// token is what a group or deduplication id may be.
var token = regexp.MustCompile(`^[!-~]{1,128}$`)

// deduplication remembers a FIFO topic's recent messages.
type deduplication struct {
	byKey map[string]message
	order []string // keys by age
}

// find returns the message that a key stands for, if it is recent.
func (d *deduplication) find(key string, now time.Time) (message, bool) {
	for len(d.order) > 0 && now.Sub(d.byKey[d.order[0]].published) >= deduplicationWindow {
		delete(d.byKey, d.order[0])
		d.order = d.order[1:]
	}
	m, ok := d.byKey[key]
	return m, ok
}

// remember keeps what a repeated publish answers: the first one's ids.
func (d *deduplication) remember(key string, m message) {
	if d.byKey == nil {
		d.byKey = map[string]message{}
	}
	d.byKey[key] = message{id: m.id, sequence: m.sequence, published: m.published}
	d.order = append(d.order, key)
}

// checkOrdering refuses group and deduplication ids that do not fit the
// topic.
func (t *topic) checkOrdering(d draft) error {
	if d.hasGroup && !token.MatchString(d.groupID) {
		return wire.Errorf("InvalidParameter", "Invalid parameter: MessageGroupId Reason: must be 1 to 128 letters, digits and punctuation characters")
	}
	if d.hasDeduplicate && !token.MatchString(d.deduplicationID) {
		return wire.Errorf("InvalidParameter", "Invalid parameter: MessageDeduplicationId Reason: must be 1 to 128 letters, digits and punctuation characters")
	}
	switch {
	case !t.fifo && d.hasDeduplicate:
		return wire.Errorf("InvalidParameter",
			"Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	case t.fifo && !d.hasGroup:
		return wire.Errorf("InvalidParameter", "Invalid parameter: The MessageGroupId parameter is required for FIFO topics")
	case t.fifo && !d.hasDeduplicate && t.attribute("ContentBasedDeduplication") != "true":
		return wire.Errorf("InvalidParameter",
			"Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	return nil
}

// contentID is the deduplication id made from a message's body.
func contentID(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// deduplicationKey is a deduplication id within its scope.
func (t *topic) deduplicationKey(m message) string {
	if t.attribute("FifoThroughputScope") == "MessageGroup" {
		return m.groupID + " " + m.deduplicationID
	}
	return m.deduplicationID
}

// nextSequence returns the next sequence number: twenty digits that grow.
// Service.mu is held.
func (s *Service) nextSequence() string {
	s.sequence++
	return fmt.Sprintf("1%019d", s.sequence*1000)
}
