package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
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
		rows := storedRows(t, w.Database, cik)
		if diff := cmp.Diff(want, rows); diff != "" {
			r.Fatalf("rows (-want +got):\n%s", diff)
		}
		checkSummary(t, storedCompany(t, w.Database, cik), rows)
	})
}

// Many writers at once, each row sent by several of them and with several
// contents, while the owner's changes arrive: every row is one of those that
// were sent, the summary is that of the rows, and the copied attributes are
// those of the owner's last change, as if nobody had written rows.
func TestPutRowConcurrently(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	rapid.Check(t, func(r *rapid.T) {
		cik := newCIK()
		sent := make(map[string]map[company.Row]bool)
		writers := make([][]company.Row, rapid.IntRange(2, 4).Draw(r, "writers"))
		for i := range writers {
			for range rapid.IntRange(1, 4).Draw(r, "puts") {
				row := drawRow(r, cik)
				writers[i] = append(writers[i], row)
				if sent[rowID(row)] == nil {
					sent[rowID(row)] = make(map[company.Row]bool)
				}
				sent[rowID(row)][row] = true
			}
		}
		changes := rapid.Permutation([]contracts.Version{1, 2, 3, 4, 5}).Draw(r, "changes")
		deleted := rapid.Bool().Draw(r, "deleted at last")

		var group sync.WaitGroup
		for _, rows := range writers {
			group.Go(func() {
				for _, row := range rows {
					if _, err := store.PutRow(t.Context(), row); err != nil {
						t.Errorf("put %v: %v", row, err)
					}
				}
			})
		}
		group.Go(func() {
			for _, version := range changes {
				apply := func() error {
					if version == 5 && deleted {
						return w.Delete(t.Context(), cik, version)
					}
					return w.Upsert(t.Context(), cik, version, fmt.Sprint("name ", version), fmt.Sprint("sector ", version))
				}
				err := apply()
				for conflicted(err) { // the message would come again
					err = apply()
				}
				if err != nil {
					t.Errorf("apply version %s: %v", version, err)
				}
			}
		})
		group.Wait()

		rows, item := storedRows(t, w.Database, cik), storedCompany(t, w.Database, cik)
		if len(rows) != len(sent) {
			r.Fatalf("%d rows are stored, %d were sent", len(rows), len(sent))
		}
		for id, row := range rows {
			if !sent[id][row] {
				r.Fatalf("row %v was never sent", row)
			}
		}
		checkSummary(t, item, rows)
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

func conflicted(err error) bool {
	var conflict *types.TransactionConflictException
	return errors.As(err, &conflict)
}

func TestPutRowAgainWritesNothing(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	row := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "MMM", Figures: company.Figures{MarketCap: "74168279040"}}
	older := row
	older.Date = "2024-10-09"
	for _, r := range []company.Row{row, older} {
		if _, err := store.PutRow(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	before := storedCompany(t, w.Database, row.CIK)
	for _, r := range []company.Row{row, older} {
		if created, err := store.PutRow(t.Context(), r); created || err != nil {
			t.Fatalf("again: new is %v, %v", created, err)
		}
	}
	if diff := cmp.Diff(before, storedCompany(t, w.Database, row.CIK)); diff != "" {
		t.Errorf("the company has changed (-before +after):\n%s", diff)
	}
}

func TestPutRowRefusesATickerTooMany(t *testing.T) {
	w := statstest.New(t)
	store := newStore(w, w.Database)
	row := company.Row{CIK: newCIK(), Date: "2024-10-10"}
	for i := range company.MaxTickers {
		row.Ticker = fmt.Sprint("T", i)
		if _, err := store.PutRow(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	row.Ticker = "ONEMORE"
	if _, err := store.PutRow(t.Context(), row); !errors.Is(err, company.ErrTooManyTickers) {
		t.Fatalf("one ticker too many: %v", err)
	}
	if rows := storedRows(t, w.Database, row.CIK); len(rows) != company.MaxTickers {
		t.Errorf("%d rows are stored, want %d: the refused one was written", len(rows), company.MaxTickers)
	}
}

// losing is a database in which another writer is faster the first times.
type losing struct {
	dynamo.API
	times int
	code  string
}

func (l *losing) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, options ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	if l.times > 0 {
		l.times--
		return nil, &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{{Code: aws.String("None")}, {Code: aws.String(l.code)}}}
	}
	return l.API.TransactWriteItems(ctx, in, options...)
}

// partial is a database that leaves keys unprocessed the first times.
type partial struct {
	dynamo.API
	times int
}

func (p *partial) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, options ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	out, err := p.API.BatchGetItem(ctx, in, options...)
	if p.times > 0 && err == nil {
		p.times--
		delete(out.Responses, dynamo.CompanyTable)
		out.UnprocessedKeys = map[string]types.KeysAndAttributes{dynamo.CompanyTable: in.RequestItems[dynamo.CompanyTable]}
	}
	return out, err
}

func TestPutRowDoesNotTakeUnprocessedForAbsent(t *testing.T) {
	w := statstest.New(t)
	row := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "A", Figures: company.Figures{MarketCap: "1"}}
	if _, err := newStore(w, w.Database).PutRow(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	row.Ticker = "B"
	if created, err := newStore(w, &partial{API: w.Database, times: 3}).PutRow(t.Context(), row); !created || err != nil {
		t.Fatalf("new is %v, %v", created, err)
	}
	checkSummary(t, storedCompany(t, w.Database, row.CIK), storedRows(t, w.Database, row.CIK))
	row.Ticker = "C"
	if _, err := newStore(w, &partial{API: w.Database, times: 1000}).PutRow(t.Context(), row); !errors.Is(err, company.ErrUnavailable) {
		t.Errorf("unprocessed every time: %v", err)
	}
}

func TestPutRowAgainstOtherWriters(t *testing.T) {
	w := statstest.New(t)
	for _, tc := range []struct {
		name  string
		times int
		code  string
		want  error
	}{
		{"tries again when the summary has changed", 5, "ConditionalCheckFailed", nil},
		{"tries again when transactions collide", 5, "TransactionConflict", nil},
		{"gives up when it loses every time", 1000, "TransactionConflict", company.ErrUnavailable},
		{"does not fight throttling", 1, "ThrottlingError", company.ErrUnavailable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			row := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "MMM"}
			store := newStore(w, &losing{API: w.Database, times: tc.times, code: tc.code})
			created, err := store.PutRow(t.Context(), row)
			if !errors.Is(err, tc.want) || created != (tc.want == nil) {
				t.Fatalf("new is %v, %v; want %v", created, err, tc.want)
			}
			if rows := storedRows(t, w.Database, row.CIK); (len(rows) == 1) != (tc.want == nil) {
				t.Errorf("stored are %v", rows)
			}
		})
	}
	t.Run("gives up when the request's time is over", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 0)
		defer cancel()
		_, err := newStore(w, w.Database).PutRow(ctx, company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "MMM"})
		if !errors.Is(err, company.ErrUnavailable) {
			t.Errorf("after the deadline: %v", err)
		}
	})
}
