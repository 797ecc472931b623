package contracts_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// bareEvent is what a loop without contracts would read an event into and write
// one from: encoding/json, the contract's own struct, and none of the checks. A
// reader may leave times as text, which costs it least; a writer has none yet.
type bareEvent[Time string | time.Time] struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject"`
	Time            Time   `json:"time"`
	DataContentType string `json:"datacontenttype"`
	DataSchema      string `json:"dataschema"`
	Version         string `json:"version"`
	Origin          string `json:"origin"`
	Published       Time   `json:"published"`
	TraceParent     string `json:"traceparent,omitempty"`
	Data            struct {
		Changed    []string           `json:"changed"`
		Attributes *profilev1.Profile `json:"attributes,omitempty"`
	} `json:"data"`
}

// manyTickers is an upsert with a long list and text of other alphabets.
func manyTickers() *contracts.Change {
	c := typical()
	tickers := make([]contracts.Value, 10)
	for i := range tickers {
		tickers[i] = contracts.String(fmt.Sprintf("BRK%d.B", i))
	}
	c.Changed = c.Contract.Names()
	c.Attributes["tickers"] = contracts.List(tickers...)
	c.Attributes["headquarters"] = contracts.String("Zürich, Schweiz — 苏黎世")
	return c
}

// overBare runs the same work by contracts and by encoding/json alone, side by
// side: a change's budget is a ratio of the two (`go test -bench=Bare`).
func overBare(b *testing.B, ours, bare func(c *contracts.Change, body []byte) func() error) {
	for _, row := range []struct {
		name   string
		change *contracts.Change
	}{
		{"upsert", typical()},
		{"ten_tickers", manyTickers()},
		{"delete", deletion()},
	} {
		body, err := contracts.Encode(row.change)
		if err != nil {
			b.Fatal(err)
		}
		for _, by := range []struct {
			name string
			of   func(*contracts.Change, []byte) func() error
		}{{"contracts", ours}, {"json", bare}} {
			b.Run(row.name+"/"+by.name, func(b *testing.B) {
				run := by.of(row.change, body)
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkDecodeOverBare(b *testing.B) {
	all := catalog.All()
	overBare(b, func(_ *contracts.Change, body []byte) func() error {
		return func() error { _, err := contracts.Decode(body, all); return err }
	}, func(_ *contracts.Change, body []byte) func() error {
		return func() error { var e bareEvent[string]; return json.Unmarshal(body, &e) }
	})
}

func BenchmarkEncodeOverBare(b *testing.B) {
	overBare(b, func(c *contracts.Change, _ []byte) func() error {
		return func() error { _, err := contracts.Encode(c); return err }
	}, func(_ *contracts.Change, body []byte) func() error {
		var e bareEvent[time.Time]
		err := json.Unmarshal(body, &e)
		return func() error {
			if err != nil {
				return err
			}
			_, err := json.Marshal(&e)
			return err
		}
	})
}

// A comparison with something that reads less would say nothing.
func TestBareEventReadsAllThatAnEventHas(t *testing.T) {
	for _, c := range []*contracts.Change{typical(), manyTickers(), deletion()} {
		body, err := contracts.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		var e bareEvent[string]
		if err := json.Unmarshal(body, &e); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(&e)
		if err != nil {
			t.Fatal(err)
		}
		var want, got map[string]any
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(again, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-event +bare:\n%s", diff)
		}
	}
}
