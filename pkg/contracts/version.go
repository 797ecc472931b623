package contracts

import (
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// Version orders the states of one item. It is a hybrid logical clock in
// microseconds since the Unix epoch, from 1 to 2⁶³−1: strictly increasing for
// an item, across deletes and re-creations, and near the wall clock, so that
// now − version is the lag. The zero Version means none.
type Version int64

// MaxAhead is how far past its record's creation time a foreign version may
// lie before it counts as missing.
const MaxAhead = 24 * time.Hour

// VersionAt returns the version of an instant, at least 1 and at most the last
// there is.
func VersionAt(t time.Time) Version {
	if t.Unix() >= math.MaxInt64/int64(time.Second/time.Microsecond) {
		return math.MaxInt64
	}
	if t.Unix() < 0 {
		return 1
	}
	return max(1, Version(t.UnixMicro()))
}

// Next returns the version that follows floor at the given time:
// max(now, floor+1). The error says so if floor is the last version there is.
func Next(now time.Time, floor Version) (Version, error) {
	if floor == math.MaxInt64 {
		return 0, fmt.Errorf("version after %d: the clock of this item is at its end", floor)
	}
	return max(VersionAt(now), floor+1), nil
}

// ParseVersion reads the decimal text of a version. The text must be canonical
// (no sign, no leading zero, no fraction or exponent), so that one version has
// one text.
func ParseVersion(text string) (Version, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || text[0] < '1' || text[0] > '9' { // ParseInt takes signs and leading zeros
		return 0, fmt.Errorf("version %q: want a whole number from 1 to %d", clip(text), int64(math.MaxInt64))
	}
	return Version(n), nil
}

// Time returns the instant the version stands for.
func (v Version) Time() time.Time { return time.UnixMicro(int64(v)).UTC() }

// String returns the decimal text, "0" for none.
func (v Version) String() string { return strconv.FormatInt(int64(v), 10) }

// Value returns the version as it is stored: a number.
func (v Version) Value() Value { return Number(v.String()) }

// VersionOf reads a stored version. It returns 0, which means missing, where
// the value is absent, is not a whole number from 1 to 2⁶³−1, or lies after
// latest; the zero time sets no bound.
func VersionOf(value Value, latest time.Time) Version {
	if value.Kind() != KindNumber {
		return 0
	}
	v, err := ParseVersion(value.Text())
	if err != nil {
		return 0
	}
	if !latest.IsZero() && v > VersionAt(latest) {
		return 0
	}
	return v
}

// clip shortens what an error quotes: it may come from anywhere and be of any
// length.
func clip(s string) string {
	most := 96
	if len(s) <= most {
		return s
	}
	for !utf8.RuneStart(s[most]) && most > 0 {
		most--
	}
	return s[:most] + "…"
}
