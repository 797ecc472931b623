package replica

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// itemID names an item of a table, whatever the texts of its numbers: 1 and 1.0
// are one key to DynamoDB, which refuses a batch that has it twice.
type itemID struct{ table, key string }

func identify(w *Write) itemID {
	key := make([]byte, 0, 64)
	if len(w.Key) == 1 {
		for _, v := range w.Key {
			key = appendKey(key, v)
		}
	} else {
		for _, name := range slices.Sorted(maps.Keys(w.Key)) {
			key = appendKey(key, w.Key[name])
		}
	}
	return itemID{w.Table, string(key)}
}

// appendKey appends a key attribute so that no two keys look alike.
func appendKey(to []byte, v contracts.Value) []byte {
	text := v.Text()
	switch v.Kind() {
	case contracts.KindNumber:
		if normal, err := contracts.NormalizeNumber(text); err == nil {
			text = normal
		}
	case contracts.KindBinary:
		text = string(v.Bytes())
	}
	to = append(to, byte(v.Kind()))
	to = strconv.AppendInt(to, int64(len(text)), 10)
	to = append(to, ':')
	return append(to, text...)
}

// lane has what is to be written to one item, in the order it came. Its fields
// are guarded by the Batcher's mutex.
type lane struct {
	id      itemID
	waiting []*joint
	// writing says that a write is on its way, or waits for the end of a pause.
	// On its way, head is what is written and made the call whose write it is.
	writing bool
	head    *joint
	made    *call
}

// joint are calls that one write settles, since they are alike in everything
// but the state and its version.
type joint struct{ calls []*call }

// call is one caller's write.
type call struct {
	write   Write
	ctx     context.Context
	lane    *lane
	gone    bool     // nobody waits for it any more
	waiters *waiters // of the last batch it was part of
	// attempts counts the writes that were to settle it.
	attempts int

	done   chan struct{} // closed when result and err are there
	result WriteResult
	err    error
}

// waiters counts the calls that wait for a batch.
type waiters struct {
	left   int
	cancel context.CancelFunc
}

// join lets a call share the write that waits last, if it can: one before it
// must be made before it.
func (l *lane) join(c *call) bool {
	if len(l.waiting) == 0 {
		return false
	}
	last := l.waiting[len(l.waiting)-1]
	if !alike(&last.calls[0].write, &c.write) {
		return false
	}
	last.calls = append(last.calls, c)
	return true
}

// alike says that of two writes to one item the one of the higher version
// leaves what both would have left: they have the same mapping and the same
// conditions.
func alike(a, b *Write) bool {
	return a.VersionAttribute == b.VersionAttribute &&
		a.Mapping == b.Mapping && a.MappingAttribute == b.MappingAttribute &&
		a.MustExist == b.MustExist && a.Where.Equal(b.Where)
}

// begin takes the lane's first joint to be written and chooses the write of
// the highest version. It reports false if nobody waits for it any more.
func (l *lane) begin() bool {
	l.head, l.made = l.waiting[0], nil
	l.waiting = l.waiting[1:]
	l.writing = true
	l.head.calls = slices.DeleteFunc(l.head.calls, func(c *call) bool { return c.gone })
	for _, c := range l.head.calls {
		if l.made == nil || c.write.Version > l.made.write.Version {
			l.made = c
		}
	}
	return l.made != nil
}

// settle answers the calls of the write that was made, and returns how many it
// superseded. Where the write can never be made, those that it would have
// superseded wait for one of their own. Where it may be made in a moment, all
// wait for that, with whatever joins them until the pause is over; attempts is
// then how often it was tried.
func (l *lane) settle(result WriteResult, err error) (superseded, attempts int) {
	left := result.Found
	if result.Written && len(l.head.calls) > 1 {
		left = l.made.write.image()
	}
	never := err != nil && Classify(err).Verdict == Reject
	_, busy := errors.AsType[*BusyError](err)
	var again []*call
	for _, c := range l.head.calls {
		c.attempts++
		switch {
		case busy && c.attempts < busyAttempts:
			attempts = max(attempts, c.attempts)
			again = append(again, c)
			continue
		case never && c.write.Version < l.made.write.Version:
			again = append(again, c)
			continue
		case c == l.made:
			c.result, c.err = result, err
		case err != nil:
			c.err = err
		default:
			c.result = WriteResult{Found: left}
			superseded++
		}
		close(c.done)
	}
	l.putBack(again)
	l.head, l.made = nil, nil
	return superseded, attempts
}

// putBack lets calls whose write was not made wait before all others, or with
// the first of them.
func (l *lane) putBack(calls []*call) {
	if len(calls) == 0 {
		return
	}
	if len(l.waiting) > 0 && alike(&calls[0].write, &l.waiting[0].calls[0].write) {
		l.waiting[0].calls = append(calls, l.waiting[0].calls...)
		return
	}
	l.waiting = slices.Insert(l.waiting, 0, &joint{calls: calls})
}

// image is the item as the write leaves it, as far as the write knows it.
func (w *Write) image() contracts.Item {
	image := make(contracts.Item, len(w.Key)+len(w.Where)+len(w.Set))
	maps.Copy(image, w.Key)
	maps.Copy(image, w.Where)
	maps.Copy(image, w.Set)
	return image
}
