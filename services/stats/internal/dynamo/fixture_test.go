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

	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

var lastCIK atomic.Int64

// newCIK returns a company no other test knows.
func newCIK() string { return fmt.Sprint(lastCIK.Add(1)) }

func newStore(w *statstest.World, api dynamo.API) *dynamo.Store {
	return dynamo.New(dynamo.Config{
		Client: api, Copier: w.Applier,
		Now:    func() time.Time { return time.Date(2024, 10, 10, 12, 0, 0, 0, time.UTC) },
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
	Name       *string                   `dynamodbav:"companyName"`
	Sector     *string                   `dynamodbav:"sector"`
	Version    attributevalue.Number     `dynamodbav:"profileVersion"`
	Latest     map[string]company.Latest `dynamodbav:"latest"`
	LatestDate string                    `dynamodbav:"latestDate"`
	MarketCap  attributevalue.Number     `dynamodbav:"marketCap"`
	Revision   attributevalue.Number     `dynamodbav:"statsRevision"`
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
func storedRows(t testing.TB, db *dynamodb.Client, cik string) map[string]company.Row {
	t.Helper()
	out, err := db.Query(context.Background(), &dynamodb.QueryInput{
		TableName: aws.String(dynamo.RowTable), ConsistentRead: aws.Bool(true),
		KeyConditionExpression:    aws.String("cik = :cik"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":cik": &types.AttributeValueMemberS{Value: cik}},
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := make(map[string]company.Row)
	for _, stored := range out.Items {
		var item struct {
			DateTicker string `dynamodbav:"dateTicker"`
			company.Figures
		}
		if err := attributevalue.UnmarshalMap(stored, &item); err != nil {
			t.Fatal(err)
		}
		date, ticker, _ := strings.Cut(item.DateTicker, "#")
		rows[item.DateTicker] = company.Row{CIK: cik, Date: date, Ticker: ticker, Figures: item.Figures}
	}
	return rows
}

// summaryOf is what rows come to, reckoned plainly.
func summaryOf(rows map[string]company.Row) (latest map[string]company.Latest, date string, marketCap company.Decimal) {
	latest = make(map[string]company.Latest)
	for _, r := range rows {
		date = max(date, r.Date)
		if r.Date > latest[r.Ticker].Date {
			latest[r.Ticker] = company.Latest{Date: r.Date, Figures: r.Figures}
		}
	}
	for _, r := range rows {
		if r.Date == date && r.MarketCap.Compare(marketCap) > 0 {
			marketCap = r.MarketCap
		}
	}
	return latest, date, marketCap
}

// checkSummary compares the stored summary with the stored rows.
func checkSummary(t testing.TB, item storedItem, rows map[string]company.Row) {
	t.Helper()
	latest, date, marketCap := summaryOf(rows)
	if len(latest) != len(item.Latest) {
		t.Fatalf("the summary has %v, the rows come to %v", item.Latest, latest)
	}
	for ticker, want := range latest {
		if item.Latest[ticker] != want {
			t.Fatalf("%s's latest is %v, the rows come to %v", ticker, item.Latest[ticker], want)
		}
	}
	if item.LatestDate != date {
		t.Fatalf("latest date %q, the rows come to %q", item.LatestDate, date)
	}
	if company.Decimal(item.MarketCap).Compare(marketCap) != 0 {
		t.Fatalf("market cap %q, the rows come to %q", item.MarketCap, marketCap)
	}
}
