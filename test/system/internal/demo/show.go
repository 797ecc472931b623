package demo

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/test/system/internal/stack"
)

const (
	// maxShown bounds the differences that are listed.
	maxShown = 20
	// places are the places of a leaderboard that are shown.
	places = 5
)

// introduce says what runs where.
func (r *run) introduce(system *stack.System) {
	r.screen.heading("Tributary")
	d := r.data
	r.screen.say("  input      %s profile changes (%s of them the initial load), %s statistics", thousands(len(d.initial)+len(d.later)), thousands(len(d.initial)), thousands(len(d.statistics)))
	if system.LocalAWSURL != "" {
		r.screen.say("  localaws   %s  %s", system.LocalAWSURL, system.AWS.LocalServices())
	}
	for _, line := range system.AWS.ElsewhereServices() {
		r.screen.say("  elsewhere  %s", line)
	}
	r.screen.say("  profile    %s", system.ProfileURL)
	r.screen.say("  relay      %s  (health and metrics)", system.RelayURL)
	r.screen.say("  stats      %s", system.StatsURL)
	r.screen.say("  logs       %s/*.log\n", r.Logs)
}

// showArrivals shows the renames that were followed.
func (r *run) showArrivals(arrivals []arrival) {
	if len(arrivals) == 0 {
		return
	}
	r.screen.heading("Renames as they arrived")
	old, next := 0, 0
	for _, a := range arrivals {
		old, next = max(old, width(a.old)), max(next, width(a.change.Profile.Name))
	}
	for _, a := range arrivals {
		took := fmt.Sprintf("stats answered with it %s later", millis(a.after))
		if !a.inTime {
			took = fmt.Sprintf("not there yet after %s; the check below waited for it", followFor)
		}
		r.screen.say("  %s  %s → %s  written %s, %s", a.change.Date, pad(a.old, old), pad(a.change.Profile.Name, next), a.wrote.Format("15:04:05.000"), took)
	}
}

// showLeaderboard shows the first places of the sector of the company with the
// highest market cap.
func (r *run) showLeaderboard(ctx context.Context, s services, e expectation) error {
	sector := e.leadingSector()
	if sector == "" {
		return nil
	}
	entries, err := s.stats.Leaderboard(ctx, sector, places)
	if err != nil {
		return err
	}
	r.screen.heading("Leaderboard of %s", sector)
	names, caps := 0, 0
	for _, entry := range entries {
		names, caps = max(names, width(shownName(entry.Name))), max(caps, len(grouped(entry.MarketCap)))
	}
	for _, entry := range entries {
		r.screen.say("  %d  %s  $ %*s", entry.Rank, pad(shownName(entry.Name), names), caps, grouped(entry.MarketCap))
	}
	return nil
}

func shownName(name *string) string {
	if name == nil {
		return "(no name)"
	}
	return *name
}

// leadingSector is the sector of the live company with the highest market cap,
// empty if no company has both.
func (e expectation) leadingSector() string {
	var sector string
	var highest *big.Rat
	for _, cik := range e.companies() {
		profile := e.profiles[cik]
		if profile == nil || profile.Sector == nil || *profile.Sector == "" {
			continue
		}
		for _, row := range e.statistics[cik] {
			if marketCap, ok := new(big.Rat).SetString(row.Figures["marketCap"]); ok && (highest == nil || marketCap.Cmp(highest) > 0) {
				sector, highest = *profile.Sector, marketCap
			}
		}
	}
	return sector
}

// showLag shows how far the copies were behind.
func (r *run) showLag(h histogram) {
	r.screen.heading("Lag, from a profile's write to its copy in stats")
	if h.count == 0 {
		r.screen.say("  no change was applied")
		return
	}
	r.screen.say("  p50 %s   p99 %s   of %s changes", millis(h.quantile(0.5)), millis(h.quantile(0.99)), thousands(int(h.count)))
}

// showVerdict shows what agrees, or what does not.
func (r *run) showVerdict(v verdict, began time.Time) {
	r.screen.heading("Check, of what the two APIs answer, against the files")
	if len(v.differences) == 0 {
		ok := r.screen.good("✓")
		r.screen.say("  %s profile holds what the file ends with: %s companies live, %s deleted", ok, thousands(v.live), thousands(v.deleted))
		r.screen.say("  %s stats answers with their names and sectors, and with the latest figures of %s tickers, to the last digit", ok, thousands(v.tickers))
		if v.watched > 0 {
			r.screen.say("  %s %s watchlist entries carry their company's name", ok, thousands(v.watched))
		}
		return
	}
	for _, d := range v.differences[:min(len(v.differences), maxShown)] {
		r.screen.say("  %s %s", r.screen.bad("✗"), d)
	}
	if more := len(v.differences) - maxShown; more > 0 {
		r.screen.say("  and %s more", thousands(more))
	}
	r.screen.say("\n%s", r.screen.bad(fmt.Sprintf("%s differences between %s companies. %.1f s; the processes' logs are in %s", thousands(len(v.differences)), thousands(v.companies), time.Since(began).Seconds(), r.Logs)))
}

// showEnd says that all is well.
func (r *run) showEnd(began time.Time) {
	r.screen.say("\n%s", r.screen.good(fmt.Sprintf("Everything agrees. %.1f s", time.Since(began).Seconds())))
}

func millis(d time.Duration) string {
	switch ms := float64(d) / float64(time.Millisecond); {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}

func thousands(n int) string { return grouped(fmt.Sprint(n)) }

// grouped writes a plain decimal with its digits in groups of three.
func grouped(decimal string) string {
	whole, fraction, _ := strings.Cut(decimal, ".")
	digits := strings.TrimPrefix(whole, "-")
	var b strings.Builder
	b.WriteString(whole[:len(whole)-len(digits)])
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// width and pad count characters, which is what these names need.
func width(s string) int { return len([]rune(s)) }

func pad(s string, to int) string { return s + strings.Repeat(" ", max(0, to-width(s))) }
