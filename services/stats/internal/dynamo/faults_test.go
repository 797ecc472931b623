package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

// trouble is a database that goes wrong at random: requests and answers get
// lost, it throttles, and for some calls every attempt fails, before or after
// the first of them took effect, which is what a caller that dies leaves.
type trouble struct {
	mu     sync.Mutex
	random *rand.Rand
	ends   map[string]int // by invocation: how it ends
}

func (d *trouble) decide(c localaws.Call) localaws.Fault {
	if c.Service != localaws.DynamoDB || c.Operation == "Query" || c.Operation == "GetItem" {
		return localaws.Fault{} // the test's own
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	end, known := d.ends[c.InvocationID]
	if !known {
		end = d.random.IntN(8)
		d.ends[c.InvocationID] = end
	}
	switch {
	case end == 0, end == 1 && c.Attempt > 1:
		return localaws.Fault{Drop: localaws.DropRequest}
	case end == 1, end == 2 && c.Attempt == 1:
		return localaws.Fault{Drop: localaws.DropResponse}
	case end == 3 && c.Attempt == 1:
		return localaws.Fault{Error: localaws.Throttled(localaws.DynamoDB)}
	}
	return localaws.Fault{}
}

// Whatever is lost, throttled or given up half-way, on condition that every call
// which ended with an error is made again until it does not: rows and summary
// agree, every row is one of those that were sent, the last one of its writer
// where there is one writer, and a row is new to one call at most.
func TestPutRowThroughFaults(t *testing.T) {
	w := statstest.New(t)
	impatient := dynamodb.NewFromConfig(w.AWS, func(o *dynamodb.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			o.RateLimiter = ratelimit.None
		})
	})
	rapid.Check(t, func(r *rapid.T) {
		cik := newCIK()
		sent := make(map[string]map[company.Row]bool)
		writers := make([][]company.Row, rapid.IntRange(1, 3).Draw(r, "writers"))
		for i := range writers {
			for range rapid.IntRange(1, 5).Draw(r, "puts") {
				row := drawRow(r, cik)
				writers[i] = append(writers[i], row)
				if sent[rowID(row)] == nil || len(writers) == 1 {
					sent[rowID(row)] = make(map[company.Row]bool)
				}
				sent[rowID(row)][row] = true
			}
		}
		seed := rapid.Uint64().Draw(r, "seed")
		d := &trouble{random: rand.New(rand.NewPCG(seed, 0)), ends: make(map[string]int)}
		w.Engine.SetFaults(d.decide)
		var mu sync.Mutex
		created := make(map[string]int)
		store := newStore(w, impatient)
		var group sync.WaitGroup
		for _, rows := range writers {
			group.Go(func() {
				for _, row := range rows {
					isNew := putUntilTaken(t, store, row)
					mu.Lock()
					if isNew {
						created[rowID(row)]++
					}
					mu.Unlock()
				}
			})
		}
		group.Wait()
		w.Engine.SetFaults(nil)

		_, rows := checkCompany(t, r, w, cik)
		if len(rows) != len(sent) {
			r.Fatalf("%d rows are stored, %d were sent", len(rows), len(sent))
		}
		for id, row := range rows {
			if !sent[id][row.Row] {
				r.Fatalf("row %v was not sent, or is not the last: %v", row, sent[id])
			}
			if created[id] > 1 {
				r.Fatalf("row %s was new to %d calls", id, created[id])
			}
		}
	})
}

func putUntilTaken(t *testing.T, store *dynamo.Store, row company.Row) (created bool) {
	for {
		created, err := store.PutRow(t.Context(), row)
		if err == nil {
			return created
		}
		if !errors.Is(err, company.ErrUnavailable) {
			t.Errorf("put %v: %v", row, err)
			return false
		}
	}
}

// losing lets an operation of DynamoDB come to nothing.
func losing(operation string) localaws.Faults {
	return func(c localaws.Call) localaws.Fault {
		if c.Service == localaws.DynamoDB && c.Operation == operation {
			return localaws.Fault{Drop: localaws.DropRequest}
		}
		return localaws.Fault{}
	}
}

// What ends between its two writes is seen by nobody, and the same call made
// again completes it without writing the row again.
func TestPutRowThatEndsHalfWayIsCompletedByTheSameCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := statstest.New(t)
		store := newStore(w, w.Database)
		row := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "MMM", Figures: company.Figures{MarketCap: "74168279040"}}
		w.Engine.SetFaults(losing("UpdateItem"))
		if _, err := store.PutRow(t.Context(), row); !errors.Is(err, company.ErrUnavailable) {
			t.Fatalf("without its second write: %v", err)
		}
		w.Engine.SetFaults(nil)
		before := storedRows(t, w.Database, row.CIK)
		if _, err := store.Company(t.Context(), row.CIK); !errors.Is(err, company.ErrNotFound) || len(before) != 1 {
			t.Fatalf("stored are %v and reads show them: %v", before, err)
		}
		completing := requests(w, func() {
			if created, err := store.PutRow(t.Context(), row); created || err != nil {
				t.Fatalf("made again: new is %v, %v", created, err)
			}
		})
		if diff := cmp.Diff(of(map[string]int64{"BatchGetItem": 1, "UpdateItem": 1}), completing); diff != "" {
			t.Errorf("requests of the second call (-want +got):\n%s", diff)
		}
		_, rows := checkCompany(t, t, w, row.CIK)
		if diff := cmp.Diff(before, rows); diff != "" {
			t.Errorf("the row was written again (-before +after):\n%s", diff)
		}
	})
}

// A write whose answer is lost meets itself when the SDK repeats it, and that
// is a success: the row has one version, the summary one revision.
func TestPutRowWhoseAnswersAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := statstest.New(t)
		row := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "MMM", Figures: company.Figures{Price: "135.01"}}
		w.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Attempt == 1 && (c.Operation == "PutItem" || c.Operation == "UpdateItem") {
				return localaws.Fault{Drop: localaws.DropResponse}
			}
			return localaws.Fault{}
		})
		got := requests(w, func() {
			if _, err := newStore(w, w.Database).PutRow(t.Context(), row); err != nil {
				t.Fatal(err)
			}
		})
		w.Engine.SetFaults(nil)
		if diff := cmp.Diff(of(map[string]int64{"BatchGetItem": 1, "PutItem": 2, "UpdateItem": 2}), got); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		item, rows := checkCompany(t, t, w, row.CIK)
		if want := fmt.Sprint(noon.UnixMicro()); string(rows[rowID(row)].Version) != want || item.Revision != "1" {
			t.Errorf("the row has version %s, want %s; the summary revision %s", rows[rowID(row)].Version, want, item.Revision)
		}
	})
}

// A row that was stored before the last room went to others, and whose call
// ended there, is taken away when the call is made again and refused.
func TestPutRowRefusedTakesBackWhatAnEarlierCallLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := statstest.New(t)
		store := newStore(w, w.Database)
		row := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "LATE"}
		w.Engine.SetFaults(losing("UpdateItem"))
		if _, err := store.PutRow(t.Context(), row); !errors.Is(err, company.ErrUnavailable) {
			t.Fatalf("without its second write: %v", err)
		}
		w.Engine.SetFaults(nil)
		fill(t, w, row.CIK, company.MaxTickers)
		w.Engine.SetFaults(losing("DeleteItem"))
		if _, err := store.PutRow(t.Context(), row); !errors.Is(err, company.ErrUnavailable) {
			t.Fatalf("made again, without its delete: %v", err)
		}
		w.Engine.SetFaults(nil)
		if _, err := store.PutRow(t.Context(), row); !errors.Is(err, company.ErrTooManyTickers) {
			t.Fatalf("made again: %v", err)
		}
		if _, rows := checkCompany(t, t, w, row.CIK); len(rows) != company.MaxTickers {
			t.Errorf("%d rows are stored, want %d", len(rows), company.MaxTickers)
		}
	})
}

// After somebody else has changed a row or a summary, the next call for the row
// makes both agree again, whether it brings what was there or other figures.
func TestPutRowAfterForeignWrites(t *testing.T) {
	w := statstest.New(t)
	far := fmt.Sprint(noon.UnixMicro() + 48*60*60*1_000_000)
	near := fmt.Sprint(noon.UnixMicro() + 60*60*1_000_000)
	for _, tc := range []struct {
		name         string
		row, summary string // update expressions
		version      types.AttributeValue
	}{
		{"a row without a version", "REMOVE rowVersion", "", nil},
		{"a row whose version is a text", "SET rowVersion = :v", "", &types.AttributeValueMemberS{Value: "7"}},
		{"a row whose version is a fraction", "SET rowVersion = :v", "", &types.AttributeValueMemberN{Value: "7.5"}},
		{"a row of the day after tomorrow", "SET rowVersion = :v", "", &types.AttributeValueMemberN{Value: far}},
		{"a row of the next hour", "SET rowVersion = :v", "", &types.AttributeValueMemberN{Value: near}},
		{"a row restored from long ago", "SET rowVersion = :v", "", &types.AttributeValueMemberN{Value: "7"}},
		{"other figures of the same version", "SET marketCap = :v", "", &types.AttributeValueMemberS{Value: "9"}},
		{"a row that is gone", "delete", "", nil},
		{"a summary without the row's version", "", "REMOVE latest.MMM.rowVersion", nil},
		{"a summary whose version is a text", "", "SET latest.MMM.rowVersion = :v", &types.AttributeValueMemberS{Value: "7"}},
		{"a summary of the day after tomorrow", "", "SET latest.MMM.rowVersion = :v", &types.AttributeValueMemberN{Value: far}},
		{"a summary of the next hour", "", "SET latest.MMM.rowVersion = :v", &types.AttributeValueMemberN{Value: near}},
		{"a summary that is gone", "", "REMOVE latest, latestDate, marketCap, statsRevision", nil},
		{"a row and a summary of the day after tomorrow", "SET rowVersion = :v", "SET latest.MMM.rowVersion = :v", &types.AttributeValueMemberN{Value: far}},
	} {
		for _, figures := range []company.Figures{{MarketCap: "5"}, {MarketCap: "6"}} {
			t.Run(tc.name+", "+string(figures.MarketCap), func(t *testing.T) {
				store := newStore(w, w.Database)
				row := company.Row{CIK: newCIK(), Date: "2024-10-10", Ticker: "MMM", Figures: company.Figures{MarketCap: "5"}}
				if _, err := store.PutRow(t.Context(), row); err != nil {
					t.Fatal(err)
				}
				cik := &types.AttributeValueMemberS{Value: row.CIK}
				foreignWrite(t, w, dynamo.RowTable, tc.row, tc.version, map[string]types.AttributeValue{
					"cik": cik, "dateTicker": &types.AttributeValueMemberS{Value: rowID(row)},
				})
				foreignWrite(t, w, dynamo.CompanyTable, tc.summary, tc.version, map[string]types.AttributeValue{"cik": cik})
				row.Figures = figures
				if _, err := store.PutRow(t.Context(), row); err != nil {
					t.Fatal(err)
				}
				_, rows := checkCompany(t, t, w, row.CIK)
				if rows[rowID(row)].Row != row {
					t.Errorf("stored are %v", rows)
				}
				if got := version(t, rows[rowID(row)]); got > noon.Add(contracts.MaxAhead).UnixMicro() {
					t.Errorf("the row has version %d, which is no version by the clock", got)
				}
			})
		}
	}
}

func foreignWrite(t *testing.T, w *statstest.World, table, update string, value types.AttributeValue, key map[string]types.AttributeValue) {
	t.Helper()
	var err error
	switch update {
	case "":
	case "delete":
		_, err = w.Database.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{TableName: aws.String(table), Key: key})
	default:
		in := &dynamodb.UpdateItemInput{TableName: aws.String(table), Key: key, UpdateExpression: aws.String(update)}
		if value != nil {
			in.ExpressionAttributeValues = map[string]types.AttributeValue{":v": value}
		}
		_, err = w.Database.UpdateItem(context.Background(), in)
	}
	if err != nil {
		t.Fatal(err)
	}
}
