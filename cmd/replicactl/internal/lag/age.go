package lag

import (
	"strings"
	"time"
)

// Kind says how much is known of an age.
type Kind string

// The kinds.
const (
	// None: nothing is on its way.
	None Kind = "none"
	// Exact: Seconds is the age of the oldest one.
	Exact Kind = "exact"
	// LessThan: not everything was read; it is less than Seconds, and more than
	// AtLeastSeconds.
	LessThan Kind = "less_than"
	// AtLeast: Seconds is the age of the oldest one that the stream still holds,
	// and more waits than the stream accounts for, which may be older.
	AtLeast Kind = "at_least"
)

// Age is how old the oldest one is of what is not done. Its JSON form is stable.
type Age struct {
	Kind           Kind    `json:"kind"`
	Seconds        float64 `json:"seconds"`
	AtLeastSeconds float64 `json:"at_least_seconds,omitempty"`
	// At is when the oldest one was made, where that is known.
	At *time.Time `json:"at,omitempty"`
	// Subject is the oldest one's, where it is known.
	Subject string `json:"subject,omitempty"`
	// Note says what else to know.
	Note string `json:"note,omitempty"`
}

// String is the age as short as it is understood: none, 2m5s, less than 2h.
func (a Age) String() string {
	switch a.Kind {
	case Exact:
		return Brief(a.Seconds)
	case AtLeast:
		return "at least " + Brief(a.Seconds)
	case LessThan:
		text := "less than " + Brief(a.Seconds)
		if a.AtLeastSeconds > 0 {
			text += ", at least " + Brief(a.AtLeastSeconds)
		}
		return text
	default:
		return string(a.Kind)
	}
}

// Brief is a length of time as short as it is understood: 3s, 2m5s, 3h10m.
func Brief(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	default:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
}

// Unknown is an error that says why nobody can tell the age: no call went wrong.
type Unknown struct{ Why string }

func (u *Unknown) Error() string { return u.Why }

// TableError is a call on a replica's table that failed.
type TableError struct {
	Table string
	Err   error
}

func (e *TableError) Error() string { return e.Table + ": " + e.Err.Error() }

// Unwrap returns the call's error.
func (e *TableError) Unwrap() error { return e.Err }
