package streams

import (
	"fmt"
	"strconv"
)

// A sequence number has 21 to 40 digits ("StreamRecord"). Here it is a 1 and
// the service's own number in 20 digits.
const sequenceDigits = 21

func sequenceText(n uint64) string { return fmt.Sprintf("1%020d", n) }

// parseSequence reads a sequence number this service may have given out.
func parseSequence(text string) (uint64, bool) {
	if len(text) != sequenceDigits || text[0] != '1' {
		return 0, false
	}
	n, err := strconv.ParseUint(text[1:], 10, 64)
	return n, err == nil
}
