package redrive

import (
	"errors"
	"maps"
	"slices"
)

// Selection says which letters a redrive or a purge is about. A letter has to
// fit every field that is set.
type Selection struct {
	// All selects every letter that the other fields do not exclude. Without it
	// one of them has to be set: nothing is emptied for want of an argument.
	All bool
	// IDs, Reason, Contract and Subject are the letter's.
	IDs      []string
	Reason   string
	Contract string
	Subject  string
}

// Validate refuses a selection of nothing.
func (s Selection) Validate() error {
	if !s.All && len(s.IDs) == 0 && s.Reason == "" && s.Contract == "" && s.Subject == "" {
		return errors.New("select letters: nothing is selected; name ids, a reason, a contract or a subject, or say all")
	}
	return nil
}

// picker is a selection at work.
type picker struct {
	Selection
	wanted map[string]bool // ids not met yet; nil where ids do not matter
	// reasons are those met, met says that the selected one is among them.
	reasons map[string]bool
	met     bool
}

// maxReasons bounds how many reasons are told where none is the selected one.
const maxReasons = 20

func (s Selection) picker() *picker {
	p := &picker{Selection: s, reasons: make(map[string]bool)}
	if len(s.IDs) > 0 {
		p.wanted = make(map[string]bool, len(s.IDs))
		for _, id := range s.IDs {
			p.wanted[id] = true
		}
	}
	return p
}

// picks says whether a letter is selected. A letter is asked about once.
func (p *picker) picks(l *Letter) bool {
	p.met = p.met || p.Reason == l.Reason
	if len(p.reasons) < maxReasons {
		p.reasons[l.Reason] = true
	}
	if p.wanted != nil {
		if !p.wanted[l.ID] {
			return false
		}
		delete(p.wanted, l.ID)
	}
	return (p.Reason == "" || p.Reason == l.Reason) &&
		(p.Contract == "" || p.Contract == l.Contract) &&
		(p.Subject == "" || p.Subject == l.Subject)
}

// otherReasons are the reasons that there are, where letters were met and none
// has the one that is selected.
func (p *picker) otherReasons() []string {
	if p.Reason == "" || p.met {
		return nil
	}
	return slices.Sorted(maps.Keys(p.reasons))
}

// done says that no further letter can be selected.
func (p *picker) done() bool { return p.wanted != nil && len(p.wanted) == 0 }
