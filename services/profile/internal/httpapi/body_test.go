package httpapi

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

var bodies = []string{
	`{"name":"3M","tickers":["MMM"],"sector":"Industrials","subIndustry":"","headquarters":"Saint Paul","dateAdded":"","founded":"2001?"}`,
	`{"name":"x","cik":"7","op":"put","date":"2023-04-13"}`,
	`{"name":null,"sector":null,"tickers":null}`,
	`{"sector":null,"founded":"1","tickers":[]}`,
	`{"name":"\ud83d\ude00 \ud83d \\ud83d \u0000","name":"x"}`,
	`{"name":{"a":[1,2.5e300,true,null]},"tickers":[1,"a",null,["b"]]}`,
	`{"name":"x"} {}`, `[]`, `"x"`, `{`, ``, `{"\u006eame":"escaped"}`, "{\"name\":\"\xed\xa0\x80\"}", " {\n\"name\"\t:\"x\"\r}\n",
}

// A body that is taken is JSON that says the same and keeps every limit; one
// that is not has a problem with a name.
func FuzzProfile(f *testing.F) {
	for _, body := range bodies {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		var p problems
		profile := decodeProfile([]byte(body), "7", &p)
		if len(p) > 0 {
			checkProblems(t, p)
			return
		}
		var said map[string]any
		if err := json.Unmarshal([]byte(body), &said); err != nil {
			t.Fatalf("taken, and no JSON: %v", err)
		}
		for name, value := range said {
			if _, shared := profilev1.Contract.Lookup(name); !shared {
				if name != "cik" && name != "op" && name != "date" {
					t.Errorf("%q is no field, and is taken", name)
				}
				delete(said, name)
			} else if value == nil {
				t.Errorf("%q is null, and is taken", name)
			}
		}
		checkState(t, profile)
		if !reflect.DeepEqual(plain(t, profile), said) {
			t.Errorf("taken as %v", profile)
		}
	})
}

// A patch that is taken does what RFC 7396 says, by another implementation.
func FuzzPatch(f *testing.F) {
	for _, body := range bodies {
		f.Add(body)
	}
	const before = `{"name":"3M","sector":"Industrials","tickers":["MMM","X"],"founded":""}`
	f.Fuzz(func(t *testing.T, body string) {
		var p problems
		change := decodePatch([]byte(body), "7", &p)
		if len(p) > 0 {
			checkProblems(t, p)
			return
		}
		merged, err := jsonpatch.MergePatch([]byte(before), []byte(body))
		if err != nil {
			t.Fatalf("taken, and no patch: %v", err)
		}
		want := map[string]any{}
		if err := json.Unmarshal(merged, &want); err != nil {
			t.Fatal(err)
		}
		delete(want, "cik")
		got := map[string]any{}
		if err := json.Unmarshal([]byte(before), &got); err != nil {
			t.Fatal(err)
		}
		for name, value := range plain(t, change.Set) {
			got[name] = value
		}
		for _, name := range change.Remove {
			delete(got, name)
		}
		if _, ok := got["name"]; !ok {
			t.Error("the name is removed")
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q gives %v, want %v", body, got, want)
		}
	})
}

func FuzzETags(f *testing.F) {
	for _, text := range []string{`*`, `"1"`, `W/"1", "2"`, `"1""2"`, `"a,b"`, `,`, `w/"1"`, `"1`, ` "1" ,, "2" `} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tags, err := parseETags(text)
		if err != nil {
			return
		}
		if tags.any != (len(tags.tags) == 0) {
			t.Fatalf("%q is %+v", text, tags)
		}
		if tags.any {
			return
		}
		var parts []string
		for _, tag := range tags.tags {
			part := `"` + tag.opaque + `"`
			if tag.weak {
				part = "W/" + part
			}
			parts = append(parts, part)
		}
		again, err := parseETags(strings.Join(parts, ", "))
		if err != nil || !reflect.DeepEqual(tags, again) {
			t.Errorf("%q is %+v, which again is %+v, %v", text, tags, again, err)
		}
	})
}

func checkProblems(t *testing.T, p problems) {
	if len(p) > maxNamedProblems+company.MaxTickers+1 {
		t.Errorf("%d problems are named", len(p))
	}
	for _, problem := range p {
		if problem.Field == "" && problem.Detail == "" || len(problem.Field) > 128 || len(problem.Detail) > 512 {
			t.Errorf("problem %+v", problem)
		}
	}
}

// checkState checks what may be stored, and that its event stays small.
func checkState(t *testing.T, state contracts.Item) {
	if err := profilev1.Contract.Check(state); err != nil {
		t.Error(err)
	}
	size := 0
	for name, value := range state {
		if faults := company.Check(value); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
		size += len(value.Text())
		for _, e := range value.Elements() {
			size += len(e.Text())
			if !utf8.ValidString(e.Text()) {
				t.Errorf("%s is not UTF-8", name)
			}
		}
	}
	if size > company.MaxStateBytes {
		t.Errorf("a state of %d bytes", size)
	}
}

// plain is a state as encoding/json would have it.
func plain(t *testing.T, state contracts.Item) map[string]any {
	out := map[string]any{}
	for name, value := range state {
		switch value.Kind() {
		case contracts.KindString:
			out[name] = value.Text()
		case contracts.KindList:
			list := []any{}
			for _, e := range value.Elements() {
				list = append(list, e.Text())
			}
			out[name] = list
		default:
			t.Fatalf("%s is a %s", name, value.Kind())
		}
	}
	return out
}
