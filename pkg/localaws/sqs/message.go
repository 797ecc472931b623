package sqs

import (
	"crypto/md5"
	"encoding/hex"
	"time"
	"unicode/utf8"
)

// state is where a message is in its life on a queue.
type state int8

const (
	delayed  state = iota // sent, not yet to be received
	visible               // to be received by the next ReceiveMessage
	inFlight              // received, neither deleted nor given back
)

// message is one message on one queue. What is said about its content never
// changes after it was made.
type message struct {
	id            string
	body          string
	attributes    map[string]Attribute
	traceHeader   string
	group         string
	deduplication string
	sequence      string // FIFO queues only
	sender        string
	sentAt        time.Time
	source        string // ARN of the queue whose redrive policy moved it here

	serial        uint64 // names it within the service; increases with arrival
	rank          uint64 // order among the visible messages of a standard queue
	state         state
	due           time.Time // when a delayed or in-flight message becomes visible
	receipt       uint64    // number of its latest receive on this queue
	receivedAt    time.Time // of the latest receive
	firstReceived time.Time
	receives      int // on every queue it has been on
	receivesHere  int // on this queue: what its redrive policy counts
	// visibilityChanged says that the latest receive's timeout was changed,
	// after which that receive may not be repeated by its attempt id.
	visibilityChanged bool
	blocksGroup       bool // counted among its FIFO group's messages in flight
}

// md5Hex is the digest SQS gives with bodies and attributes, in hexadecimal.
func md5Hex(content string) string {
	sum := md5.Sum([]byte(content))
	return hex.EncodeToString(sum[:])
}

// validText reports whether a body or string value has only the characters
// SQS takes ("SendMessage", API reference).
func validText(text string) bool {
	for i, r := range text {
		switch {
		case r == 0x9 || r == 0xA || r == 0xD || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000:
			if r == utf8.RuneError {
				if _, width := utf8.DecodeRuneInString(text[i:]); width == 1 {
					return false // not UTF-8
				}
			}
		default:
			return false
		}
	}
	return true
}

// millis is how SQS writes a moment.
func millis(t time.Time) int64 { return t.UnixMilli() }
