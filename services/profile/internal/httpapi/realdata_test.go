package httpapi_test

import (
	"bufio"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// The real change log plays completely, and afterwards the pages hold exactly
// the companies that its last lines left.
func TestRealChanges(t *testing.T) {
	file, err := os.Open(filepath.Join("..", "..", "..", "..", "examples", "sp500", "profile-changes.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	s := newService(t)
	want := map[string]map[string]any{}
	gone := map[string]bool{}
	returned, deleted := 0, 0
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := map[string]any{}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("line %d: %v", n, err)
		}
		cik, _ := line["cik"].(string)
		if line["op"] == "delete" {
			if a := s.send(t, "DELETE", "/companies/"+cik, ""); a.status != 204 {
				t.Fatalf("line %d: %d %s", n, a.status, a.body)
			}
			delete(want, cik)
			gone[cik] = true
			deleted++
			continue
		}
		status := 201
		if want[cik] != nil {
			status = 200
		}
		if gone[cik] {
			returned++
			delete(gone, cik)
		}
		a := s.send(t, "PUT", "/companies/"+cik, lines.Text())
		if a.status != status {
			t.Fatalf("line %d: %d %s, want %d", n, a.status, a.body, status)
		}
		delete(line, "op")
		delete(line, "date")
		want[cik] = line
	}
	if lines.Err() != nil || deleted == 0 || returned == 0 {
		t.Fatalf("%d deletes, %d returns, %v", deleted, returned, lines.Err())
	}

	listed := map[string]map[string]any{}
	for cursor := ""; ; {
		a := s.send(t, "GET", "/companies?limit=97"+cursor, "")
		var page struct {
			Companies []map[string]any
			Next      string
		}
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 {
			t.Fatalf("%d %s: %v", a.status, a.body, err)
		}
		for _, c := range page.Companies {
			cik, _ := c["cik"].(string)
			if listed[cik] != nil {
				t.Errorf("%s is listed twice", cik)
			}
			delete(c, "version")
			listed[cik] = c
		}
		if page.Next == "" {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(page.Next)
	}
	if !reflect.DeepEqual(listed, want) {
		t.Errorf("%d companies are listed, the data leaves %d, or they differ", len(listed), len(want))
	}
	for cik := range gone {
		if a := s.send(t, "GET", "/companies/"+cik, ""); a.status != 404 {
			t.Errorf("%s has left and answers %d", cik, a.status)
		}
	}
}
