package company

import (
	"errors"
	"time"
)

// Errors that callers tell apart.
var (
	// ErrNotFound: there is nothing under this key.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable: the database is throttling, unreachable or too contended.
	// The call may have taken effect, wholly or in a part that no read shows;
	// the same call made again completes it.
	ErrUnavailable = errors.New("unavailable")
	// ErrTooManyTickers: the company has MaxTickers tickers already.
	ErrTooManyTickers = errors.New("too many tickers")
)

// Profile is the copy of a company's profile attributes. Each is nil where the
// copy has none: nothing has arrived yet, or the owner deleted the company. An
// empty string is an attribute the owner holds as empty.
type Profile struct {
	Name   *string
	Sector *string
	// Version is the version of the profile's state the copy shows, as decimal
	// text; it outlives a deleted profile. Empty if nothing has arrived.
	Version string
}

// Live reports whether the owner holds the company, as far as this copy knows.
func (p Profile) Live() bool { return p.Name != nil || p.Sector != nil }

// Company is a company as this service knows it: the copy of its profile and
// the summary of its rows.
type Company struct {
	CIK     string
	Profile Profile
	Summary Summary
}

// Watched is a company on a user's watchlist.
type Watched struct {
	CIK     string
	Profile Profile // the name's copy; a watchlist holds no sector
	AddedAt time.Time
}
