package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
)

// compared is the comparison of the real manifests, looked at without asking any
// endpoint.
func compared(t *testing.T) *comparison {
	t.Helper()
	g := &globals{manifests: []string{"../../../../services"}}
	r, err := g.parties("company.profile/v1", "stats")
	if err != nil {
		t.Fatal(err)
	}
	r.items, r.tableBytes = 1000, 1<<20
	return &comparison{recipient: r, locals: []size{{"company-stats", 1000, 1 << 20}, {"watchlists", 50, 4 << 10}}}
}

func drawFinding(t *rapid.T) reconcile.Finding {
	f := reconcile.Finding{
		Class: rapid.SampledFrom(reconcile.Classes()).Draw(t, "class"), Replica: "company-stats", Subject: rapid.String().Draw(t, "subject"),
		Version: contracts.Version(rapid.Int64Range(0, 3).Draw(t, "source")), Stored: contracts.Version(rapid.Int64Range(0, 3).Draw(t, "copy")),
		Reason: rapid.StringMatching(`(["<\n]|why)?`).Draw(t, "reason"),
	}
	f.Key = contracts.Item{"cik": contracts.String(f.Subject), "bits": contracts.Binary([]byte{0xff})}
	return f
}

// Whatever is found, what is printed is one document that has all of it, or a
// text that is bounded and says how much is missing.
func TestFindingsAreAllInTheDocumentAndBoundedInTheText(t *testing.T) {
	c := compared(t)
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		apply := rapid.Bool().Draw(t, "apply")
		f := &reconcileFlags{sendingFlags: sendingFlags{contract: "company.profile/v1", to: "stats", apply: apply}, repair: apply || rapid.Bool().Draw(t, "repair"), limit: rapid.IntRange(0, 3).Draw(t, "limit")}
		g := &globals{out: &out, json: rapid.Bool().Draw(t, "json")}
		said := &findings{g: g, f: f, c: c}
		said.begin(c.plan(f))

		found := rapid.SliceOfN(rapid.Custom(drawFinding), 0, 6).Draw(t, "findings")
		result := reconcile.Result{Scanned: 10, Compared: 5, Drift: map[string]map[reconcile.Class]int64{"company-stats": {}}}
		for _, one := range found {
			result.Drift["company-stats"][one.Class]++
			said.found(one)
			if !apply || one.Class == reconcile.Unpublishable {
				continue
			}
			var failed error
			if rapid.Bool().Draw(t, "not repaired") {
				failed = errors.New("no consumer")
				result.NotRepaired++
			} else {
				result.Repaired++
			}
			said.repaired(one, failed)
		}
		if err := said.end(&result, ""); err != nil {
			t.Fatal(err)
		}
		if !g.json {
			listed := strings.Count(out.String(), "bits=/w==")
			if want := min(f.limit, len(found)); listed != want {
				t.Fatalf("%d findings are listed, want %d:\n%s", listed, want, &out)
			}
			more := fmt.Sprintf("and %d more:", len(found)-listed)
			if (listed < len(found)) != strings.Contains(out.String(), more) {
				t.Fatalf("what is left out:\n%s", &out)
			}
			return
		}
		var document struct {
			Comparison *plan             `json:"comparison"`
			Findings   []json.RawMessage `json:"findings"`
			Plan       *plan             `json:"plan"`
			Applied    bool              `json:"applied"`
			Result     reconcileView     `json:"result"`
		}
		decoder := json.NewDecoder(&out)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&document); err != nil || decoder.More() {
			t.Fatalf("no single document: %v", err)
		}
		if document.Comparison == nil || document.Applied != apply || len(document.Findings) != len(found) || document.Result.Left != int64(len(found))-result.Repaired {
			t.Fatalf("%+v", document)
		}
		if planned := f.repair && !apply && len(found) > 0; planned != (document.Plan != nil) {
			t.Fatalf("a plan of repairs: %v, want %v", document.Plan != nil, planned)
		}
		for i, raw := range document.Findings {
			var got findingView
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			want := viewFinding(found[i])
			got.Repaired, got.NotRepaired = nil, ""
			want.Subject, want.Key["cik"], want.Why = asJSON(want.Subject), asJSON(want.Subject), asJSON(want.Why)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// asJSON is what JSON makes of a string that is no UTF-8.
func asJSON(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

// The plan counts by what mends each finding; of what an interrupted run found
// before only the class is known.
func TestRepairsAreCountedByWhatMends(t *testing.T) {
	c := compared(t)
	f := &reconcileFlags{sendingFlags: sendingFlags{contract: "company.profile/v1", to: "stats"}, repair: true}
	said := &findings{g: &globals{out: &bytes.Buffer{}}, f: f, c: c}
	said.begin(nil)
	for i, one := range []reconcile.Finding{
		{Class: reconcile.Missing, Version: 5},
		{Class: reconcile.Behind, Version: 5, Stored: 4},
		{Class: reconcile.Different, Version: 5, Stored: 5, Remapped: true},
		{Class: reconcile.Different, Version: 5, Stored: 5},
		{Class: reconcile.Ahead, Version: 5, Stored: 6},
		{Class: reconcile.Extra, Version: 5, Stored: 4}, // of a tombstone
		{Class: reconcile.Extra, Stored: 4},
		{Class: reconcile.Unversioned},
		{Class: reconcile.Unpublishable, Version: 5},
	} {
		one.Subject = fmt.Sprint(i)
		said.found(one)
	}
	result := reconcile.Result{Drift: map[string]map[reconcile.Class]int64{"company-stats": {
		reconcile.Missing: 3, reconcile.Behind: 1, reconcile.Different: 2, reconcile.Ahead: 2, reconcile.Extra: 2, reconcile.Unversioned: 1, reconcile.Unpublishable: 1,
	}}}
	want := mends{published: 4 + 2, stamped: 4 + 1, never: 1, estimate: true}
	if got := said.wanted(&result); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	// Copies of one subject share a repair, and one of them takes the stamp.
	said.begin(nil)
	said.mending = mending{}
	for range 4 {
		said.found(reconcile.Finding{Class: reconcile.Missing, Replica: "watchlists by-cik", Subject: "1", Version: 5})
		said.found(reconcile.Finding{Class: reconcile.Behind, Replica: "watchlists by-cik", Subject: "2", Version: 5, Stored: 4})
	}
	said.found(reconcile.Finding{Class: reconcile.Different, Subject: "2", Version: 5, Stored: 5})
	result.Drift = map[string]map[reconcile.Class]int64{"": {reconcile.Missing: 4, reconcile.Behind: 4, reconcile.Different: 1}}
	if got, want := said.wanted(&result), (mends{published: 1, stamped: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for i := range maxMending + 5 {
		said.mending.add(reconcile.Finding{Class: reconcile.Missing, Subject: fmt.Sprint("n", i), Version: 5})
	}
	if got, want := said.mending.counts(), (mends{published: maxMending + 5 + 1, stamped: 1, estimate: true}); got != want {
		t.Errorf("of more subjects than are told apart %+v, want %+v", got, want)
	}
}
