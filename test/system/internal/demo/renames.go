package demo

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/tributary-dev/tributary/test/system/internal/input"
)

const (
	// maxFollowed bounds the renames that are shown.
	maxFollowed = 8
	// followFor bounds how long one is waited for; the check at the end waits
	// for all of them.
	followFor = 3 * time.Second
	// lookEvery is the time between two looks at the stats service.
	lookEvery = 2 * time.Millisecond
)

// arrival is a rename that was followed from the profile to the stats service.
type arrival struct {
	change input.ProfileChange
	old    string
	wrote  time.Time     // when the profile service had taken it
	after  time.Duration // until the stats service answered with it
	inTime bool          // within followFor
}

// follower watches some renames arrive while the change log is played. It is
// safe for concurrent use.
type follower struct {
	services services
	later    []input.ProfileChange
	chosen   map[int]string // the old name, by the change's index in the change log

	mu      sync.Mutex
	arrived map[int]arrival
}

func newFollower(s services, d data) *follower {
	f := &follower{services: s, later: d.later, chosen: map[int]string{}, arrived: map[int]arrival{}}
	for _, r := range chooseRenames(d) {
		f.chosen[r.Change-len(d.initial)] = r.Old
	}
	return f
}

// chooseRenames picks renames to show, all of the change log: first the ones that give a company a name of its own, then others.
func chooseRenames(d data) []input.Rename {
	var telling, others []input.Rename
	for _, r := range input.Renames(d.changes()) {
		if alike(r.Old, r.New) {
			others = append(others, r)
		} else {
			telling = append(telling, r)
		}
	}
	chosen := append(telling, others...)
	return chosen[:min(len(chosen), maxFollowed)]
}

// alike reports whether two names are one name written in two ways: they begin
// alike, share a word, or one is the other's initials.
func alike(a, b string) bool {
	const telling = 3 // letters from which on a beginning or a word says something
	x, y := words(a), words(b)
	for _, word := range x {
		if len(word) >= telling && slices.Contains(y, word) {
			return true
		}
	}
	p, q := strings.Join(x, ""), strings.Join(y, "")
	return min(len(p), len(q)) < telling || p[:telling] == q[:telling] || p == initials(y) || q == initials(x)
}

// words returns a name's words in lower case, without anything but letters.
func words(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) })
}

func initials(words []string) string {
	var first []rune
	for _, word := range words {
		first = append(first, []rune(word)[0])
	}
	return string(first)
}

// follow waits until the stats service answers with the change, if it is one of
// those chosen.
func (f *follower) follow(ctx context.Context, change int, version string) error {
	old, ok := f.chosen[change]
	if !ok {
		return nil
	}
	a := arrival{change: f.later[change], old: old, wrote: time.Now()}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for time.Since(a.wrote) < followFor {
		c, err := f.services.stats.Company(ctx, a.change.CIK)
		if err != nil {
			return err
		}
		if c != nil && c.Name != nil && *c.Name == a.change.Profile.Name && reached(c.ProfileVersion, version) {
			a.after, a.inTime = time.Since(a.wrote), true
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-look.C:
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arrived[change] = a
	return nil
}

// reached reports whether a copy's version is at least the one written.
func reached(copied, written string) bool {
	c, err := strconv.ParseInt(copied, 10, 64)
	w, err2 := strconv.ParseInt(written, 10, 64)
	return err == nil && err2 == nil && c >= w
}

// arrivals are the renames that were followed, in the order of the file.
func (f *follower) arrivals() []arrival {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]arrival, 0, len(f.arrived))
	for _, a := range f.arrived {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b arrival) int { return a.change.At.Line - b.change.At.Line })
	return all
}
