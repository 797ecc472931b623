package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

// meddled is the database with somebody at work before one store's writes, once
// each, and errors instead of the first writes.
type meddled struct {
	dynamo.API
	before map[string]func()
	fails  map[string]int
	with   error
}

func (m *meddled) meddle(operation string) error {
	if do := m.before[operation]; do != nil {
		delete(m.before, operation)
		do()
	}
	if m.fails[operation] > 0 {
		m.fails[operation]--
		return m.with
	}
	return nil
}

func (m *meddled) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if err := m.meddle("PutItem"); err != nil {
		return nil, err
	}
	return m.API.PutItem(ctx, in, o...)
}

func (m *meddled) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	if err := m.meddle("UpdateItem"); err != nil {
		return nil, err
	}
	return m.API.UpdateItem(ctx, in, o...)
}

func (m *meddled) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, o ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	if err := m.meddle("DeleteItem"); err != nil {
		return nil, err
	}
	return m.API.DeleteItem(ctx, in, o...)
}

// Two writers of one row, one of which is overtaken between two of its
// requests: each ends without an error, one of them is told that the row is new,
// and the summary is that of the row as it is stored.
func TestPutRowOvertaken(t *testing.T) {
	w := statstest.New(t)
	for _, tc := range []struct {
		name   string
		before string
		same   bool   // both send the same figures
		stays  string // whose figures
	}{
		{"before it writes the row, by other figures", "PutItem", false, "slow"},
		{"before it writes the row, by the same figures", "PutItem", true, "slow"},
		{"before it writes the summary, by other figures", "UpdateItem", false, "fast"},
		{"before it writes the summary, by the same figures", "UpdateItem", true, "fast"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			slow := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "MMM", Figures: company.Figures{MarketCap: "1"}}
			fast := slow
			if !tc.same {
				fast.MarketCap = "2"
			}
			var fastNew bool
			overtake := func() {
				var err error
				if fastNew, err = newStore(w, w.Database).PutRow(t.Context(), fast); err != nil {
					t.Fatal(err)
				}
			}
			api := &meddled{API: w.Database, before: map[string]func(){tc.before: overtake}}
			slowNew, err := newStore(w, api).PutRow(t.Context(), slow)
			if err != nil {
				t.Fatal(err)
			}
			if slowNew == fastNew {
				t.Errorf("the row is new to the slow writer: %v, to the fast one: %v", slowNew, fastNew)
			}
			_, rows := checkCompany(t, t, w, slow.CIK)
			if want := map[string]company.Row{"slow": slow, "fast": fast}[tc.stays]; rows[rowID(slow)].Row != want {
				t.Errorf("stored is %v, want %v", rows, want)
			}
		})
	}
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
	checkCompany(t, t, w, row.CIK)
	row.Ticker = "C"
	if _, err := newStore(w, &partial{API: w.Database, times: 1000}).PutRow(t.Context(), row); !errors.Is(err, company.ErrUnavailable) {
		t.Errorf("unprocessed every time: %v", err)
	}
}

func TestPutRowAgainstOtherWriters(t *testing.T) {
	w := statstest.New(t)
	changed, conflict := &types.ConditionalCheckFailedException{}, &types.TransactionConflictException{}
	throttled := &types.ProvisionedThroughputExceededException{}
	for _, tc := range []struct {
		name      string
		operation string
		times     int
		with      error
		stored    bool // the row
		merged    bool // and the summary has it
	}{
		{"tries again when the row has changed", "PutItem", 5, changed, true, true},
		{"tries again when the summary has changed", "UpdateItem", 5, changed, true, true},
		{"tries again when a transaction checks the summary", "UpdateItem", 5, conflict, true, true},
		{"gives up when the row changes every time", "PutItem", 1000, changed, false, false},
		{"gives up when the summary changes every time", "UpdateItem", 1000, changed, true, false},
		{"gives up when transactions check the summary every time", "UpdateItem", 1000, conflict, true, false},
		{"does not fight throttling of the row", "PutItem", 1, throttled, false, false},
		{"does not fight throttling of the summary", "UpdateItem", 1, throttled, true, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			row := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "MMM"}
			store := newStore(w, &meddled{API: w.Database, fails: map[string]int{tc.operation: tc.times}, with: tc.with})
			created, err := store.PutRow(t.Context(), row)
			if created != tc.merged || (err == nil) != tc.merged || err != nil && !errors.Is(err, company.ErrUnavailable) {
				t.Fatalf("new is %v, %v", created, err)
			}
			rows, item := storedRows(t, w.Database, row.CIK), storedCompany(t, w.Database, row.CIK)
			if (len(rows) == 1) != tc.stored || (len(item.Latest) == 1) != tc.merged {
				t.Errorf("stored are %v, the summary has %v", rows, item.Latest)
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

// failing is a library that does not get an entry stored.
type failing struct{ with error }

func (f failing) AddCopy(context.Context, string, string, contracts.Item) error {
	return fmt.Errorf("add copy: %w", f.with)
}

func TestWatchlistAgainstOtherWriters(t *testing.T) {
	w := statstest.New(t)
	cancelled := func(codes ...string) error {
		err := &types.TransactionCanceledException{}
		for _, code := range codes {
			err.CancellationReasons = append(err.CancellationReasons, types.CancellationReason{Code: aws.String(code)})
		}
		return err
	}
	for _, tc := range []struct {
		name      string
		with      error
		available bool
	}{
		{"the company changes at every attempt", replica.ErrContended, false},
		{"other transactions have the company", cancelled("None", "TransactionConflict"), false},
		{"the transaction is throttled", cancelled("ThrottlingError", "None"), false},
		{"the transaction is malformed", cancelled("TransactionConflict", "ValidationError"), true},
		{"the transaction has no reason", cancelled("None"), true},
	} {
		store := dynamo.New(dynamo.Config{Client: w.Database, Copier: failing{tc.with}})
		_, _, err := store.Watch(t.Context(), "ann", newCIK())
		if !errors.Is(err, tc.with) || errors.Is(err, company.ErrUnavailable) == tc.available {
			t.Errorf("%s: %v", tc.name, err)
		}
	}

	cik := newCIK()
	for times, want := range map[int]error{5: nil, 1000: company.ErrUnavailable} {
		if _, _, err := newStore(w, w.Database).Watch(t.Context(), "ann", cik); err != nil {
			t.Fatal(err)
		}
		api := &meddled{API: w.Database, fails: map[string]int{"DeleteItem": times}, with: &types.TransactionConflictException{}}
		if err := newStore(w, api).Unwatch(t.Context(), "ann", cik); !errors.Is(err, want) {
			t.Errorf("take an entry off that meets %d transactions: %v, want %v", times, err, want)
		}
	}
}
