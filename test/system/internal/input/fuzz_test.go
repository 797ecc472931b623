package input

import (
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever a file has, each row that is taken says what its line said, and is
// taken again when it is written out; each line that is not is named.
func FuzzProfileChanges(f *testing.F) {
	f.Add(`{"date":"2023-04-13","op":"put","cik":"66740","name":"3M","tickers":["MMM"],"sector":"Industrials"}` + "\n" + `{"date":"2023-04-14","op":"delete","cik":"66740"}`)
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := readLines("fuzz.jsonl", strings.NewReader(text), parseProfileChange)
		checkLines(t, text, len(rows), err)
		for _, row := range rows {
			fields := map[string]any{"date": row.Date, "op": row.Op, "cik": row.CIK}
			if row.Op == Put {
				encoded, err := json.Marshal(row.Profile)
				if err != nil || json.Unmarshal(encoded, &fields) != nil {
					t.Fatalf("%+v: %v", row, err)
				}
			}
			line, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parseProfileChange(row.At, line)
			if diff := cmp.Diff(row, again); err != nil || diff != "" {
				t.Fatalf("written out as %s: %v\n%s", line, err, diff)
			}
		}
	})
}

// The same of statistics, whose figures are decimals or missing.
func FuzzStatistics(f *testing.F) {
	f.Add(`{"date":"2024-10-10","cik":"66740","ticker":"MMM","price":"135.01","ebitda":"7.35E+9"}`)
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := readLines("fuzz.jsonl", strings.NewReader(text), parseStatistic)
		checkLines(t, text, len(rows), err)
		for _, row := range rows {
			fields := map[string]string{"date": row.Date, "cik": row.CIK, "ticker": row.Ticker}
			for name, figure := range row.Figures {
				fields[name] = figure
				worth, err := Figure(figure)
				if err != nil {
					t.Fatalf("the figure %q is taken: %v", figure, err)
				}
				if again, err := Figure(worth); worth != "" && (again != worth || err != nil) {
					t.Fatalf("%q is %q, which is %q, %v", figure, worth, again, err)
				}
			}
			line, err := json.Marshal(fields)
			if err != nil {
				t.Fatal(err)
			}
			again, err := parseStatistic(row.At, line)
			if diff := cmp.Diff(row, again); err != nil || diff != "" {
				t.Fatalf("written out as %s: %v\n%s", line, err, diff)
			}
		}
	})
}

// checkLines checks that no line is lost: it is a row, or among the problems.
func checkLines(t *testing.T, text string, rows int, err error) {
	lines := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		lines++
	}
	if err == nil {
		if rows != lines {
			t.Fatalf("%d rows of %d lines", rows, lines)
		}
		return
	}
	named := strings.Split(err.Error(), "\n")
	if len(named) > maxProblems+1 || rows >= lines {
		t.Fatalf("%d rows and %d problems of %d lines", rows, len(named), lines)
	}
	for _, problem := range named {
		if !strings.HasPrefix(problem, "fuzz.jsonl:") {
			t.Fatalf("a problem at no place: %q in %v", problem, err)
		}
	}
}

// endless is a file of one part over and over.
type endless struct{ part string }

func (e endless) Read(into []byte) (int, error) {
	return copy(into, strings.Repeat(e.part, len(into)/len(e.part)+1)), nil
}

// A line without an end is given up at the longest there may be, and a file of
// nothing but problems names the first of them only.
func TestAHostileFileCostsBoundedMemory(t *testing.T) {
	const mostBytes = 96 << 20
	long := func(head, part, tail string) io.Reader {
		return strings.NewReader(head + strings.Repeat(part, (maxLineBytes-len(head)-len(tail)-1)/len(part)) + tail + "\n")
	}
	for name, file := range map[string]io.Reader{
		"a line without an end":  endless{"a"},
		"lists in lists":         long(`{"cik":`, "[", "}"),
		"a long text":            long(`{"cik":"`, "7", `"}`),
		"a long number":          long(`{"cik":`, "7", `}`),
		"the same field":         long(`{`, `"cik":"7",`, `"op":"put"}`),
		"tiny elements":          long(`{"date":"2023-04-13","op":"put","cik":"7","name":"x","tickers":[`, `1,`, `1]}`),
		"one long unknown field": long(`{"`, "a", `":1}`),
		"short lines":            strings.NewReader(strings.Repeat("{}\n", 10_000)),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			rows, err := readLines("hostile.jsonl", file, parseProfileChange)
			runtime.ReadMemStats(&after)
			if err == nil || len(rows) > 0 {
				t.Fatalf("it is taken: %d rows", len(rows))
			}
			used := after.TotalAlloc - before.TotalAlloc
			if used > mostBytes {
				t.Errorf("%d bytes are allocated", used)
			}
			if len(err.Error()) > 64<<10 {
				t.Errorf("the problem has %d bytes: %.200s", len(err.Error()), err)
			}
		})
	}
}
