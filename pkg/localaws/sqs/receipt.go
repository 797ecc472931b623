package sqs

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
)

// A receipt handle names one receive of one message: queue, message and the
// number of the receive, with a checksum that tells a handle from garbage.
const receiptBytes = 8 + 8 + 8 + 4

func (q *queue) handle(m *message) string {
	var raw [receiptBytes]byte
	binary.BigEndian.PutUint64(raw[0:], q.serial)
	binary.BigEndian.PutUint64(raw[8:], m.serial)
	binary.BigEndian.PutUint64(raw[16:], m.receipt)
	binary.BigEndian.PutUint32(raw[24:], crc32.ChecksumIEEE(raw[:24]))
	return base64.StdEncoding.EncodeToString(raw[:])
}

// receive is what a receipt handle names.
type receive struct {
	message *message // nil where it is gone
	latest  bool     // the message was not received again since
}

// expired reports whether the handle's visibility timeout is over.
func (r receive) expired() bool { return !r.latest || r.message.state != inFlight }

// resolve reads a receipt handle.
func (q *queue) resolve(handle string) (receive, error) {
	if handle == "" {
		return receive{}, missing("ReceiptHandle")
	}
	raw, err := base64.StdEncoding.DecodeString(handle)
	if err != nil || len(raw) != receiptBytes || crc32.ChecksumIEEE(raw[:24]) != binary.BigEndian.Uint32(raw[24:]) {
		return receive{}, errorf("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
	}
	if binary.BigEndian.Uint64(raw[0:]) != q.serial {
		return receive{}, errorf("ReceiptHandleIsInvalid", "The receipt handle %q is not valid for this queue.", handle)
	}
	m := q.messages[binary.BigEndian.Uint64(raw[8:])]
	return receive{message: m, latest: m != nil && m.receipt == binary.BigEndian.Uint64(raw[16:])}, nil
}

// handleExpired is how FIFO queues refuse a handle after its visibility
// timeout ("ReceiveMessage", API reference).
func handleExpired(handle string) error {
	return invalid("Value %s for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.", handle)
}
