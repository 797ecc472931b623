package company

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// Company is a company as it is at one version.
type Company struct {
	// CIK is the company's Central Index Key.
	CIK string
	// Version is the state's; 0 where something that knows nothing of versions
	// wrote the item and the relay has not stamped it yet.
	Version contracts.Version
	Profile profilev1.Profile
}

// Page is one page of companies, in an order of the database's own.
type Page struct {
	Companies []Company
	// Unreadable names the companies that belong on this page and whose stored
	// state is no profile.
	Unreadable []string
	// Next is where the next page begins; empty at the end.
	Next string
}

// State is what a precondition looks at: the company as it is now.
type State struct {
	// Exists is false for a company that is absent or deleted.
	Exists bool
	// Version is 0 where Exists is false, and as in Company otherwise.
	Version contracts.Version
}

// Precondition says whether a write may take place. Nil is one that always
// holds.
type Precondition func(State) bool

// Holds reports whether the precondition admits a write.
func (p Precondition) Holds(s State) bool { return p == nil || p(s) }

// What callers tell apart.
var (
	// ErrNotFound: there is no such company.
	ErrNotFound = errors.New("there is no such company")
	// ErrDeleted is an ErrNotFound: there was one.
	ErrDeleted = fmt.Errorf("%w any more: it was deleted", ErrNotFound)
	// ErrPrecondition: the company is not what the caller's precondition says.
	ErrPrecondition = errors.New("the company is not at the version that the request names")
	// ErrUnavailable: the same call may succeed later.
	ErrUnavailable = errors.New("the database does not take the request at the moment")
	// ErrDamaged: what is stored is no profile; something else wrote it.
	ErrDamaged = errors.New("the stored profile is not one")
)

var cikText = regexp.MustCompile(`^[1-9][0-9]{0,19}$`)

// CheckCIK says what is wrong with a company's key. The SEC's have at most ten
// digits; the data has one of sixteen, so there is room for twenty.
func CheckCIK(cik string) error {
	if !cikText.MatchString(cik) {
		return errors.New("want 1 to 20 digits without leading zeros, as in 320193")
	}
	return nil
}
