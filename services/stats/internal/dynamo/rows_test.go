package dynamo_test

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

// One writer after another: the last content of each row stays, the summary is
// that of the rows, and a row is new once.
func TestPutRowOneAfterAnother(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	rapid.Check(t, func(r *rapid.T) {
		cik := newCIK()
		want := make(map[string]company.Row)
		for range rapid.IntRange(1, 15).Draw(r, "puts") {
			row := drawRow(r, cik)
			created, err := store.PutRow(t.Context(), row)
			if err != nil {
				r.Fatal(err)
			}
			if _, held := want[rowID(row)]; created == held {
				r.Fatalf("%v: new is %v although it is %v that it was there", row, created, held)
			}
			want[rowID(row)] = row
		}
		_, rows := checkCompany(t, r, w, cik)
		if diff := cmp.Diff(want, contents(rows)); diff != "" {
			r.Fatalf("rows (-want +got):\n%s", diff)
		}
	})
}

// Many writers at once, their clocks apart by up to most of a day, each row sent
// by several of them and with several contents, while the owner's changes
// arrive and users begin and cease to watch the company: every row is one of
// those that were sent and was new to one writer, the summary is that of the
// rows, and the copied attributes are those of the owner's last change, as if
// nobody had written rows.
func TestPutRowConcurrently(t *testing.T) {
	w := statstest.New(t)
	rapid.Check(t, func(r *rapid.T) {
		cik := newCIK()
		sent := make(map[string]map[company.Row]bool)
		created := make(map[string]*atomic.Int64)
		writers := make([][]company.Row, rapid.IntRange(2, 4).Draw(r, "writers"))
		clocks := make([]time.Time, len(writers))
		for i := range writers {
			clocks[i] = noon.Add(rapid.SampledFrom([]time.Duration{0, 0, time.Microsecond, -11 * time.Hour, 11 * time.Hour}).Draw(r, "clock"))
			for range rapid.IntRange(1, 4).Draw(r, "puts") {
				row := drawRow(r, cik)
				writers[i] = append(writers[i], row)
				if sent[rowID(row)] == nil {
					sent[rowID(row)], created[rowID(row)] = make(map[company.Row]bool), new(atomic.Int64)
				}
				sent[rowID(row)][row] = true
			}
		}
		changes := rapid.Permutation([]contracts.Version{1, 2, 3, 4, 5}).Draw(r, "changes")
		deleted := rapid.Bool().Draw(r, "deleted at last")

		var group sync.WaitGroup
		for i, rows := range writers {
			store := newStoreAt(w, w.Database, clocks[i])
			group.Go(func() {
				for _, row := range rows {
					isNew, err := store.PutRow(t.Context(), row)
					if err != nil {
						t.Errorf("put %v: %v", row, err)
					}
					if isNew {
						created[rowID(row)].Add(1)
					}
				}
			})
		}
		group.Go(func() {
			for _, version := range changes {
				err := error(nil)
				if version == 5 && deleted {
					err = w.Delete(t.Context(), cik, version)
				} else {
					err = w.Upsert(t.Context(), cik, version, fmt.Sprint("name ", version), fmt.Sprint("sector ", version))
				}
				if err != nil {
					t.Errorf("apply version %s: %v", version, err)
				}
			}
		})
		group.Go(func() {
			store := newStore(w, w.Database)
			for _, user := range []string{"ann", "bob"} {
				if _, _, err := store.Watch(t.Context(), user, cik); err != nil {
					t.Errorf("watch: %v", err)
				}
				if err := store.Unwatch(t.Context(), user, cik); err != nil {
					t.Errorf("unwatch: %v", err)
				}
			}
		})
		group.Wait()

		item, rows := checkCompany(t, r, w, cik)
		if len(rows) != len(sent) {
			r.Fatalf("%d rows are stored, %d were sent", len(rows), len(sent))
		}
		for id, row := range rows {
			if !sent[id][row.Row] {
				r.Fatalf("row %v was never sent", row)
			}
			if n := created[id].Load(); n != 1 {
				r.Fatalf("row %s was new to %d writers", id, n)
			}
		}
		if item.Version != "5" {
			r.Fatalf("the copy has version %q, the owner's last is 5", item.Version)
		}
		if deleted && (item.Name != nil || item.Sector != nil) {
			r.Fatalf("the copy of a deleted profile has a name or a sector: %v", item)
		}
		if !deleted && (aws.ToString(item.Name) != "name 5" || aws.ToString(item.Sector) != "sector 5") {
			r.Fatalf("the copy is %v %v, the owner's last is name 5, sector 5", item.Name, item.Sector)
		}
	})
}

// Three requests store a row that changes the summary, two another one, and a
// row that is there costs the reading alone.
func TestPutRowRequests(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	first := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "MMM", Figures: company.Figures{MarketCap: "74168279040"}}
	corrected, older, other := first, first, first
	corrected.MarketCap = "74168279041"
	older.Date = "2024-10-09"
	other.Ticker = "MMM.B"
	whole := map[string]int64{"BatchGetItem": 1, "PutItem": 1, "UpdateItem": 1}
	rowAlone := map[string]int64{"BatchGetItem": 1, "PutItem": 1}
	nothing := map[string]int64{"BatchGetItem": 1}
	for _, step := range []struct {
		name  string
		row   company.Row
		isNew bool
		want  map[string]int64
	}{
		{"the first row", first, true, whole},
		{"the same row again", first, false, nothing},
		{"a row of an older date", older, true, rowAlone},
		{"the older row again", older, false, nothing},
		{"other figures", corrected, false, whole},
		{"other figures again", corrected, false, nothing},
		{"the first figures once more", first, false, whole},
		{"another ticker", other, true, whole},
		{"the other ticker again", other, false, nothing},
	} {
		before := storedRows(t, w.Database, first.CIK)[rowID(step.row)]
		got := requests(w, func() {
			if isNew, err := store.PutRow(t.Context(), step.row); isNew != step.isNew || err != nil {
				t.Fatalf("%s: new is %v, %v", step.name, isNew, err)
			}
		})
		if diff := cmp.Diff(of(step.want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		_, rows := checkCompany(t, t, w, first.CIK)
		after := rows[rowID(step.row)]
		if rose := version(t, after) > version(t, before); rose != (step.want["PutItem"] > 0) {
			t.Errorf("%s: the row went from version %s to %s", step.name, before.Version, after.Version)
		}
	}
}

func version(t testing.TB, r storedRow) int64 {
	t.Helper()
	if r.Version == "" {
		return 0
	}
	n, err := strconv.ParseInt(string(r.Version), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// fill gives the company so many tickers.
func fill(t testing.TB, w *statstest.World, cik string, tickers int) {
	t.Helper()
	store := newStore(w, w.Database)
	for i := range tickers {
		if _, err := store.PutRow(t.Context(), company.Row{CIK: cik, Date: "2024-10-10", Ticker: fmt.Sprint("T", i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPutRowRefusesATickerTooMany(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	row := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "ONEMORE"}
	fill(t, w, row.CIK, company.MaxTickers)
	refused := requests(w, func() {
		if _, err := store.PutRow(t.Context(), row); !errors.Is(err, company.ErrTooManyTickers) {
			t.Fatalf("one ticker too many: %v", err)
		}
	})
	if diff := cmp.Diff(of(map[string]int64{"BatchGetItem": 1}), refused); diff != "" {
		t.Errorf("requests of the refused row (-want +got):\n%s", diff)
	}
	row.Ticker, row.Date = "T0", "2024-10-11"
	if _, err := store.PutRow(t.Context(), row); err != nil {
		t.Errorf("another date of a ticker that is there: %v", err)
	}
	if _, rows := checkCompany(t, t, w, row.CIK); len(rows) != company.MaxTickers+1 {
		t.Errorf("%d rows are stored", len(rows))
	}
}

// Tickers that race for the last rooms, each having seen that there is one, are
// taken as far as there is room; the refused leave no row.
func TestPutRowRefusesTickersThatRaceForTheLastRooms(t *testing.T) {
	w := statstest.New(t)
	const rooms, racers = 2, 6
	cik := newCIK()
	fill(t, w, cik, company.MaxTickers-rooms)
	var read, done sync.WaitGroup
	read.Add(racers)
	var taken, refused atomic.Int64
	for i := range racers {
		api := &meddled{API: w.Database, before: map[string]func(){"PutItem": func() { read.Done(); read.Wait() }}}
		done.Go(func() {
			_, err := newStore(w, api).PutRow(t.Context(), company.Row{CIK: cik, Date: "2024-10-11", Ticker: fmt.Sprint("R", i)})
			switch {
			case err == nil:
				taken.Add(1)
			case errors.Is(err, company.ErrTooManyTickers):
				refused.Add(1)
			default:
				t.Errorf("racer %d: %v", i, err)
			}
		})
	}
	done.Wait()
	if taken.Load() != rooms || refused.Load() != racers-rooms {
		t.Errorf("%d are taken and %d refused, of %d for %d rooms", taken.Load(), refused.Load(), racers, rooms)
	}
	if _, rows := checkCompany(t, t, w, cik); len(rows) != company.MaxTickers {
		t.Errorf("%d rows are stored, want %d", len(rows), company.MaxTickers)
	}
}
