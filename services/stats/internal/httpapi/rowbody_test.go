package httpapi

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

var at = company.Row{CIK: "66740", Date: "2024-10-10", Ticker: "MMM"}

func TestDecodeRow(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       company.Figures
	}{
		{"takes no figures at all", `{}`, company.Figures{}},
		{"takes a line of the data file", `{"date":"2024-10-10","cik":"66740","ticker":"MMM","price":"135.01","marketCap":"74168279040"}`,
			company.Figures{Price: "135.01", MarketCap: "74168279040"}},
		{"writes exponents out", `{"ebitda":"7.35E+9"}`, company.Figures{EBITDA: "7350000000"}},
		{"leaves Infinity out", `{"priceEarnings":"Infinity","price":"1"}`, company.Figures{Price: "1"}},
		{"reads escapes and white space", " {\n\"pr\\u0069ce\" : \"\\u0031\" } \n", company.Figures{Price: "1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var p problems
			got := decodeRow([]byte(tc.body), at, &p)
			if len(p) > 0 || got != tc.want {
				t.Errorf("decodeRow(%s) = %v, %v; want %v", tc.body, got, p, tc.want)
			}
		})
	}
}

func TestDecodeRowNamesEveryProblem(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       []string // field: part of the detail
	}{
		{"no body", ``, []string{"body: ends too early"}},
		{"half a body", `{"price":"1",`, []string{"body: ends too early"}},
		{"no JSON", `price=1`, []string{"body: invalid character"}},
		{"a trailing comma", `{"price":"1",}`, []string{"body: near byte"}},
		{"an array", `[]`, []string{"body: want a JSON object"}},
		{"a string", `"x"`, []string{"body: want a JSON object"}},
		{"null", `null`, []string{"body: want a JSON object"}},
		{"two objects", `{}{}`, []string{"body: nothing after it"}},
		{"no UTF-8", "{\"price\":\"\xff\"}", []string{"body: UTF-8"}},
		{"a number", `{"price":135.01}`, []string{"price: found a number"}},
		{"a number too precise for a float", `{"marketCap":12345678901234567890.1}`, []string{"marketCap: found a number"}},
		{"null for a missing figure", `{"price":null}`, []string{"price: found null"}},
		{"other types", `{"price":true,"ebitda":[],"priceBook":{}}`,
			[]string{"price: found a boolean", "ebitda: found an array", "priceBook: found an object"}},
		{"no decimals", `{"price":"","ebitda":"a lot","marketCap":"1e999"}`,
			[]string{"price: want a decimal number", "ebitda: want a decimal number", "marketCap: magnitude"}},
		{"unknown fields", `{"Price":"1","volume":"2","":"3"}`,
			[]string{"Price: no field", "volume: no field", ": no field"}},
		{"repeated fields", `{"price":"1","price":"1","pr\u0069ce":"2"}`,
			[]string{"price: more than once", "price: more than once"}},
		{"another row's body", `{"cik":"1","date":"2024-10-11","ticker":"mmm"}`,
			[]string{`cik: the body says "1"`, `date: the path says "2024-10-10"`, `ticker: the body says "mmm"`}},
		{"a company as a number", `{"cik":66740}`, []string{"cik: found a number"}},
		{"everything at once", `{"cik":null,"volume":"1","price":"x","price":"y"}`,
			[]string{"cik: found null", "volume: no field", "price: want a decimal", "price: more than once"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var p problems
			decodeRow([]byte(tc.body), at, &p)
			var got []string
			for i, problem := range p {
				got = append(got, problem.Field+": "+problem.Detail)
				if i < len(tc.want) {
					field, detail, _ := strings.Cut(tc.want[i], ": ")
					if problem.Field == field && strings.Contains(problem.Detail, detail) {
						got[i] = tc.want[i]
					}
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("problems of %s (-want +got):\n%s", tc.body, diff)
			}
		})
	}
}

func TestDecodeRowBoundsWhatItNames(t *testing.T) {
	body := "{" + strings.Repeat(`"volume":"1",`, 4000) + `"price":"1"}`
	var p problems
	decodeRow([]byte(body), at, &p)
	if len(p) != maxNamedProblems+1 || !strings.Contains(p[maxNamedProblems].Detail, "3951 more fields") {
		t.Errorf("%d problems, the last %v", len(p), p[len(p)-1])
	}
}

var plain = regexp.MustCompile(`^(-?[0-9]+(\.[0-9]+)?)?$`)

// Whatever is taken is a JSON object of known fields whose figures are plain
// decimals; writing it and reading it again gives the same.
func FuzzDecodeRow(f *testing.F) {
	for _, seed := range []string{
		`{"date":"2024-10-10","cik":"66740","ticker":"MMM","price":"135.01"}`, `{"price":"1e3"}`, `{"price":"-Infinity"}`,
		`{"price":1}`, `{"price":"1","price":"2"}`, `{"a":{"b":[]}}`, `{`, ``, `{}x`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var p problems
		figures := decodeRow(body, at, &p)
		if len(p) > 0 {
			for _, problem := range p {
				if problem.Detail == "" {
					t.Fatalf("%q: a problem without a text: %v", body, p)
				}
			}
			return
		}
		var object map[string]string
		if err := json.Unmarshal(body, &object); err != nil {
			t.Fatalf("%q is taken: %v", body, err)
		}
		for name, text := range object {
			switch figure := figures.Figure(name); {
			case figure == nil && name != "cik" && name != "date" && name != "ticker":
				t.Fatalf("%q: the field %q is taken", body, name)
			case figure != nil && !plain.MatchString(string(*figure)):
				t.Fatalf("%q: %s %q became %q", body, name, text, *figure)
			}
		}
		row := at
		row.Figures = figures
		again, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		if got := decodeRow(again, at, &p); len(p) > 0 || got != figures {
			t.Fatalf("%q became %s, which reads as %v, %v", body, bytes.TrimSpace(again), got, p)
		}
	})
}
