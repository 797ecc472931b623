package company

import (
	"fmt"
	"unicode/utf8"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// Limits of a profile. With all of them reached a state has less than 10 KB,
// and at most six times that in JSON, where every byte may need an escape:
// far below the 256 KiB of an SNS message and the 400 KB of an item.
const (
	// MaxStringBytes bounds every string but a ticker.
	MaxStringBytes = 1024
	// MaxTickers bounds how many tickers a company has.
	MaxTickers = 50
	// MaxTickerBytes bounds one ticker, which is never empty.
	MaxTickerBytes = 64
	// MaxStateBytes is what all shared attributes together never exceed.
	MaxStateBytes = 6*MaxStringBytes + MaxTickers*MaxTickerBytes
)

// Change is what a write does to a company's shared attributes; those it does
// not name stay as they are.
type Change struct {
	Set    contracts.Item
	Remove []string
}

// Replace is the change after which the company has exactly these attributes.
func Replace(profile contracts.Item) Change {
	c := Change{Set: profile}
	for _, name := range profilev1.Contract.Names() {
		if _, ok := profile[name]; !ok {
			c.Remove = append(c.Remove, name)
		}
	}
	return c
}

// Required reports whether every company has the attribute.
func Required(attribute string) bool {
	a, ok := profilev1.Contract.Lookup(attribute)
	return ok && a.Required
}

// Fault is one thing that is wrong with an attribute's value.
type Fault struct {
	// At is the place of the list's element that is at fault; -1 for the value
	// as a whole.
	At  int
	Err error
}

// Check returns everything that is wrong with an attribute's value, which has
// the contract's type: a text, or a list of tickers.
func Check(value contracts.Value) []Fault {
	var faults []Fault
	note := func(at int, err error) {
		if err != nil {
			faults = append(faults, Fault{At: at, Err: err})
		}
	}
	if value.Kind() != contracts.KindList {
		note(-1, checkText(value.Text(), 0, MaxStringBytes))
		return faults
	}
	tickers := value.Elements()
	if n := len(tickers); n > MaxTickers {
		note(-1, fmt.Errorf("want at most %d tickers, got %d", MaxTickers, n))
		tickers = tickers[:MaxTickers]
	}
	for i, e := range tickers {
		note(i, checkText(e.Text(), 1, MaxTickerBytes))
	}
	return faults
}

func checkText(text string, least, most int) error {
	if len(text) < least || len(text) > most || !utf8.ValidString(text) {
		return fmt.Errorf("want %d to %d bytes of UTF-8, got %d", least, most, len(text))
	}
	return nil
}
