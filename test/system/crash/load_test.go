package crash

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tributary-dev/tributary/test/system/internal/api"
	"github.com/tributary-dev/tributary/test/system/internal/demo"
	"github.com/tributary-dev/tributary/test/system/internal/input"
)

const (
	// writersPerService write side by side, each to companies of its own, so
	// that it is known which of two writes is the later.
	writersPerService = 4
	// writeEvery is the time between two writes of a writer.
	writeEvery = 30 * time.Millisecond
	// window is how many companies a writer of profiles writes to at a time. The
	// window moves on with the kills, so that near every kill some companies are
	// changed for the last time: a change that is lost and followed by another of
	// its company leaves no trace.
	window = 6
	// maxCIKDigits is the longest CIK that the services take.
	maxCIKDigits = 20
)

// load writes to both services until it is told to stop.
type load struct {
	profile    *api.Profile
	stats      *api.Stats
	companies  []input.ProfileChange // puts, one a company
	statistics []input.Statistic     // of those companies
	stop       <-chan struct{}
	// progress is the share of the kills that is over, 0 to 1.
	progress func() float64

	acknowledged atomic.Int64

	mu     sync.Mutex
	played demo.Played
}

func (l *load) run(ctx context.Context, seed uint64) error {
	group, ctx := errgroup.WithContext(ctx)
	for w := range writersPerService {
		group.Go(func() error { return l.writeProfiles(ctx, w, rand.New(rand.NewPCG(seed, uint64(100+w)))) })
		group.Go(func() error { return l.writeStats(ctx, w, rand.New(rand.NewPCG(seed, uint64(200+w)))) })
	}
	return group.Wait()
}

// each calls write over and over, at the writer's pace.
func (l *load) each(ctx context.Context, write func(i int) error) error {
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-l.stop:
			return nil
		case <-tick.C:
		}
		if err := write(i); err != nil {
			return err
		}
		l.acknowledged.Add(1)
	}
}

// writeProfiles puts each of the writer's companies once and then renames,
// deletes and re-creates them at random while they are in its window.
func (l *load) writeProfiles(ctx context.Context, writer int, r *rand.Rand) error {
	mine, put := share(l.companies, writer), 0 // companies before put were put
	return l.each(ctx, func(i int) error {
		from := int(l.progress() * float64(max(0, len(mine)-window)))
		until := min(len(mine), from+window)
		c := mine[put%len(mine)]
		if put < until {
			put++
		} else {
			c = mine[from+r.IntN(until-from)]
			switch draw := r.IntN(10); {
			case draw < 2:
				c.Op = input.Delete
			case draw < 8:
				c.Profile.Name = fmt.Sprintf("%s, %d", c.Profile.Name, i)
			}
		}
		var err error
		if c.Op == input.Delete {
			err = l.profile.Delete(ctx, c.CIK)
		} else {
			_, err = l.profile.Put(ctx, c.CIK, c.Profile)
		}
		if err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.played.Changes = append(l.played.Changes, c)
		return nil
	})
}

// writeStats writes statistics, and puts companies on watchlists now and then.
func (l *load) writeStats(ctx context.Context, writer int, r *rand.Rand) error {
	mine, companies := share(l.statistics, writer), share(l.companies, writer)
	watchers := demo.Watchers()
	watched := 0
	return l.each(ctx, func(i int) error {
		if i%5 == 0 && watched < len(companies) {
			cik := companies[watched].CIK
			user := watchers[watched%len(watchers)]
			watched++
			if err := l.stats.Watch(ctx, user, cik); err != nil {
				return err
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			l.played.Watched[user] = append(l.played.Watched[user], cik)
			return nil
		}
		row := mine[r.IntN(len(mine))]
		row.Figures = map[string]string{"price": fmt.Sprintf("%d.25", i), "marketCap": fmt.Sprint(r.Int64N(1e12))}
		if err := l.stats.PutStatistic(ctx, row); err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.played.Statistics = append(l.played.Statistics, row)
		return nil
	})
}

// share are the rows of one writer: every row of a company is in one share.
func share[T any](rows []T, writer int) []T {
	var mine []T
	for _, row := range rows {
		if int(sum(cikOf(row))%writersPerService) == writer {
			mine = append(mine, row)
		}
	}
	return mine
}

func cikOf(row any) string {
	switch row := row.(type) {
	case input.ProfileChange:
		return row.CIK
	case input.Statistic:
		return row.CIK
	}
	return ""
}

func sum(cik string) (n uint32) {
	for _, b := range []byte(cik) {
		n = n*31 + uint32(b)
	}
	return n
}

// chooseCompanies are n puts of as many companies, and their statistics: the real
// data's companies, and where there are not enough of those the same ones again
// under other CIKs.
func chooseCompanies(changes []input.ProfileChange, statistics []input.Statistic, n int) ([]input.ProfileChange, []input.Statistic) {
	var real []input.ProfileChange
	seen := map[string]bool{}
	for _, c := range changes {
		if c.Op == input.Put && !seen[c.CIK] {
			seen[c.CIK] = true
			real = append(real, c)
		}
	}
	rows := map[string][]input.Statistic{}
	for _, row := range statistics {
		rows[row.CIK] = append(rows[row.CIK], row)
	}
	var companies []input.ProfileChange
	var theirs []input.Statistic
	for i := range n {
		c := real[i%len(real)]
		cik := c.CIK
		if again := i / len(real); again > 0 {
			cik = fmt.Sprintf("%d%s%s", 100+again, strings.Repeat("0", maxCIKDigits-3-len(c.CIK)), c.CIK)
		}
		for _, row := range rows[c.CIK] {
			row.CIK = cik
			theirs = append(theirs, row)
		}
		c.CIK = cik
		companies = append(companies, c)
	}
	return companies, theirs
}
