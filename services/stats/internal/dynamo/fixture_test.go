package dynamo_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

var lastCIK atomic.Int64

// newCIK returns a company no other test knows.
func newCIK() string { return fmt.Sprint(lastCIK.Add(1)) }

// noon is when the tests' clock stands still, so that versions rise by one.
var noon = time.Date(2024, 10, 10, 12, 0, 0, 0, time.UTC)

func newStore(w *statstest.World, api dynamo.API) *dynamo.Store { return newStoreAt(w, api, noon) }

func newStoreAt(w *statstest.World, api dynamo.API, now time.Time) *dynamo.Store {
	return dynamo.New(dynamo.Config{
		Client: api, Copier: w.Applier,
		Now:    func() time.Time { return now },
		Jitter: func(time.Duration) time.Duration { return 0 },
	})
}

// drawRow draws a row from few dates, tickers and figures, so that rows meet.
func drawRow(t *rapid.T, cik string) company.Row {
	return company.Row{
		CIK:    cik,
		Date:   fmt.Sprintf("2024-10-%02d", rapid.IntRange(1, 4).Draw(t, "day")),
		Ticker: rapid.SampledFrom([]string{"A", "B", "BRK.B"}).Draw(t, "ticker"),
		Figures: company.Figures{
			Price:     company.Decimal(fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "price"))),
			MarketCap: rapid.SampledFrom([]company.Decimal{"", "9", "10", "10.50", "-3"}).Draw(t, "market cap"),
		},
	}
}

func rowID(r company.Row) string { return r.Date + "#" + r.Ticker }

// storedItem is an item of company-stats as the tests see it.
type storedItem struct {
	Name       *string               `dynamodbav:"companyName"`
	Sector     *string               `dynamodbav:"sector"`
	Version    attributevalue.Number `dynamodbav:"profileVersion"`
	Latest     map[string]latest     `dynamodbav:"latest"`
	LatestDate string                `dynamodbav:"latestDate"`
	MarketCap  attributevalue.Number `dynamodbav:"marketCap"`
	Revision   attributevalue.Number `dynamodbav:"statsRevision"`
}

type latest struct {
	Date    string                `dynamodbav:"date"`
	Version attributevalue.Number `dynamodbav:"rowVersion"`
	company.Figures
}

// storedRow is a row of the statistics table as the tests see it.
type storedRow struct {
	company.Row
	Version attributevalue.Number
}

func storedCompany(t testing.TB, db *dynamodb.Client, cik string) storedItem {
	t.Helper()
	out, err := db.GetItem(context.Background(), &dynamodb.GetItemInput{
		TableName: aws.String(dynamo.CompanyTable), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{"cik": &types.AttributeValueMemberS{Value: cik}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var item storedItem
	if err := attributevalue.UnmarshalMap(out.Item, &item); err != nil {
		t.Fatal(err)
	}
	return item
}

// storedRows returns the company's rows of the statistics table by date and
// ticker.
func storedRows(t testing.TB, db *dynamodb.Client, cik string) map[string]storedRow {
	t.Helper()
	out, err := db.Query(context.Background(), &dynamodb.QueryInput{
		TableName: aws.String(dynamo.RowTable), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("cik = :cik"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":cik": &types.AttributeValueMemberS{Value: cik}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]storedRow)
	for _, stored := range out.Items {
		var item struct {
			DateTicker string                `dynamodbav:"dateTicker"`
			Version    attributevalue.Number `dynamodbav:"rowVersion"`
			company.Figures
		}
		if err := attributevalue.UnmarshalMap(stored, &item); err != nil {
			t.Fatal(err)
		}
		date, ticker, _ := strings.Cut(item.DateTicker, "#")
		rows[item.DateTicker] = storedRow{company.Row{CIK: cik, Date: date, Ticker: ticker, Figures: item.Figures}, item.Version}
	}
	return rows
}

// contents are the rows without their versions.
func contents(rows map[string]storedRow) map[string]company.Row {
	plain := make(map[string]company.Row, len(rows))
	for id, r := range rows {
		plain[id] = r.Row
	}
	return plain
}

// summaryOf is what rows come to, reckoned plainly.
func summaryOf(rows map[string]storedRow) (want map[string]latest, date string, marketCap company.Decimal) {
	want = make(map[string]latest)
	for _, r := range rows {
		date = max(date, r.Date)
		if r.Date > want[r.Ticker].Date {
			want[r.Ticker] = latest{Date: r.Date, Version: r.Version, Figures: r.Figures}
		}
	}
	for _, r := range rows {
		if r.Date == date && r.MarketCap.Compare(marketCap) > 0 {
			marketCap = r.MarketCap
		}
	}
	return want, date, marketCap
}

// failer is what rapid's T and the testing package's have in common.
type failer interface{ Fatalf(string, ...any) }

// checkSummary compares the stored summary with the stored rows.
func checkSummary(t failer, item storedItem, rows map[string]storedRow) {
	want, date, marketCap := summaryOf(rows)
	if len(want) != len(item.Latest) {
		t.Fatalf("the summary has %v, the rows come to %v", item.Latest, want)
	}
	for ticker, l := range want {
		if item.Latest[ticker] != l {
			t.Fatalf("%s's latest is %v, the rows come to %v", ticker, item.Latest[ticker], l)
		}
	}
	if item.LatestDate != date {
		t.Fatalf("latest date %q, the rows come to %q", item.LatestDate, date)
	}
	if company.Decimal(item.MarketCap).Compare(marketCap) != 0 {
		t.Fatalf("market cap %q, the rows come to %q", item.MarketCap, marketCap)
	}
}

// checkCompany compares the company's stored summary with its stored rows, and
// returns both.
func checkCompany(t testing.TB, f failer, w *statstest.World, cik string) (storedItem, map[string]storedRow) {
	t.Helper()
	item, rows := storedCompany(t, w.Database, cik), storedRows(t, w.Database, cik)
	checkSummary(f, item, rows)
	return item, rows
}

// requests counts what a call asks of DynamoDB.
func requests(w *statstest.World, call func()) localaws.Requests {
	before := w.Engine.Requests()
	call()
	return w.Engine.Requests().Since(before)
}

func of(counts map[string]int64) localaws.Requests {
	r := localaws.Requests{}
	for operation, n := range counts {
		r[localaws.Operation{Service: localaws.DynamoDB, Name: operation}] = n
	}
	return r
}
