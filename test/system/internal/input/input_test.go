package input

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const examples = "../../../../examples/sp500"

func TestRealFilesAreRead(t *testing.T) {
	changes, err := ProfileChanges(filepath.Join(examples, "profile-changes.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	statistics, err := Statistics(filepath.Join(examples, "statistics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) != 745 || len(statistics) != 3521 {
		t.Errorf("%d changes and %d statistics", len(changes), len(statistics))
	}
	renames := Renames(changes)
	found := false
	for _, r := range renames {
		found = found || r.Old == "General Electric" && r.New == "GE Aerospace" && changes[r.Change].CIK == "40545"
	}
	if !found {
		t.Errorf("General Electric's rename is not among %d", len(renames))
	}
}

func TestMalformedLinesAreNamedWithWhatIsWrong(t *testing.T) {
	const put = `"date":"2023-04-13","op":"put","cik":"1","name":"A"`
	const row = `"date":"2024-10-10","cik":"1","ticker":"A"`
	for _, c := range []struct {
		behaviour, line string
		statistic       bool
		says            []string
	}{
		{"empty line", ``, false, []string{"the line is empty"}},
		{"no JSON", `{"date"`, false, []string{"not JSON"}},
		{"cut short", `{` + put, false, []string{"ends too early"}},
		{"another value after the object", `{` + put + `} {}`, false, []string{"after the JSON object"}},
		{"no object", `["date"]`, false, []string{"want a JSON object, found an array"}},
		{"no UTF-8", "{" + put + ",\"sector\":\"\xff\"}", false, []string{"not UTF-8"}},
		{"byte order mark", "\ufeff{" + put + "}", false, []string{"byte order mark"}},
		{"half a character", `{` + put + `,"sector":"\ud800","founded":"\ufffd\ud83d\ude00"}`, false, []string{"sector: want whole characters"}},
		{"every problem of a line", `{"date":"2023-02-30","op":"move","cik":"007"}`, false, []string{"date: want a day", "op: want put or delete", "cik: want 1 to 20 digits"}},
		{"missing fields", `{}`, false, []string{"date: the field is missing", "op: the field is missing", "cik: the field is missing"}},
		{"put without a name", `{"date":"2023-04-13","op":"put","cik":"1"}`, false, []string{"name: the field is missing"}},
		{"unknown field", `{` + put + `,"website":"x"}`, false, []string{"website: the field is unknown"}},
		{"name in another case", `{` + put + `,"Sector":"x"}`, false, []string{"Sector: the field is unknown"}},
		{"field twice", `{` + put + `,"name":"B"}`, false, []string{"name: the field is there more than once"}},
		{"number for a string", `{` + put + `,"founded":1888}`, false, []string{"founded: want a string, found a number"}},
		{"null for a string", `{` + put + `,"sector":null}`, false, []string{"sector: want a string, found null"}},
		{"string for tickers", `{` + put + `,"tickers":"A"}`, false, []string{"tickers: want an array of strings, found a string"}},
		{"number among tickers", `{` + put + `,"tickers":["A",1]}`, false, []string{"tickers[1]: want a string, found a number"}},
		{"delete with attributes", `{"date":"2023-04-13","op":"delete","cik":"1","name":"A"}`, false, []string{"name: a delete has no attributes"}},
		{"figure as a number", `{` + row + `,"price":12.5}`, true, []string{"price: want a string, found a number"}},
		{"figure that is no decimal", `{` + row + `,"price":"12,5"}`, true, []string{`price: want a decimal string`}},
		{"empty figure", `{` + row + `,"price":""}`, true, []string{`price: want a decimal string`}},
		{"figure of 39 digits", `{` + row + `,"ebitda":"123456789012345678901234567890123456789"}`, true, []string{"ebitda: ", "38"}},
		{"figure beyond DynamoDB's numbers", `{` + row + `,"ebitda":"1E+126"}`, true, []string{"ebitda: "}},
		{"ticker in lower case", `{"date":"2024-10-10","cik":"1","ticker":"a"}`, true, []string{"ticker: want"}},
		{"unknown figure", `{` + row + `,"beta":"1"}`, true, []string{"beta: the field is unknown"}},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			good := `{` + put + `}`
			if c.statistic {
				good = `{` + row + `,"price":"1"}`
			}
			path := filepath.Join(t.TempDir(), "file.jsonl")
			if err := os.WriteFile(path, []byte(good+"\n"+c.line+"\n"+good+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			var err error
			if c.statistic {
				_, err = Statistics(path)
			} else {
				_, err = ProfileChanges(path)
			}
			if err == nil || !strings.HasPrefix(err.Error(), path+":2: ") {
				t.Fatalf("want line 2 named: %v", err)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("want %q: %v", says, err)
				}
			}
		})
	}
}

func TestManyMalformedLinesAreCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file.jsonl")
	if err := os.WriteFile(path, []byte(strings.Repeat("{}\n", 50)), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Statistics(path)
	if n := strings.Count(fmt.Sprint(err), "\n") + 1; n != maxProblems+1 || !strings.Contains(err.Error(), "30 more lines are malformed") {
		t.Errorf("%d lines: %v", n, err)
	}
}

func TestInfinityIsMissingAndExponentsAreWorthTheirNumber(t *testing.T) {
	for text, want := range map[string]string{
		"Infinity": "", "-inf": "", "NaN": "", "1.25E+1": "12.5", "12.50": "12.5", "+3": "3", "1e-3": "0.001", "-0": "0",
	} {
		if got, err := Figure(text); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", text, got, err, want)
		}
	}
}

// The last row of the file counts for a date, and the latest date for a ticker,
// in whatever order the rows are.
func TestLatestByTickerIsWhatWritingRowByRowLeaves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Statistic {
			return Statistic{
				CIK: rapid.SampledFrom([]string{"1", "2"}).Draw(t, "cik"), Ticker: rapid.SampledFrom([]string{"A", "B"}).Draw(t, "ticker"),
				Date:    rapid.SampledFrom([]string{"2024-10-10", "2024-10-12", "2024-11-01"}).Draw(t, "date"),
				Figures: map[string]string{"price": rapid.StringMatching(`[1-9]`).Draw(t, "price")},
			}
		})).Draw(t, "rows")
		stored := map[[3]string]Statistic{}
		for _, r := range rows {
			stored[[3]string{r.CIK, r.Ticker, r.Date}] = r
		}
		want := map[string]map[string]Statistic{}
		for _, date := range []string{"2024-10-10", "2024-10-12", "2024-11-01"} {
			for key, r := range stored {
				if key[2] == date {
					if want[r.CIK] == nil {
						want[r.CIK] = map[string]Statistic{}
					}
					want[r.CIK][r.Ticker] = r
				}
			}
		}
		if diff := cmp.Diff(want, LatestByTicker(rows)); diff != "" {
			t.Fatal(diff)
		}
	})
}
