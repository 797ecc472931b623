package replica_test

import (
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// everything is a contract with every kind of attribute there is.
type everything struct {
	Text    string                           `json:"text"`
	Number  contracts.Decimal                `json:"number"`
	Flag    bool                             `json:"flag"`
	Blob    []byte                           `json:"blob"`
	List    []string                         `json:"list"`
	Free    map[string]int64                 `json:"free"`
	Fixed   fixed                            `json:"fixed"`
	Texts   contracts.Set[string]            `json:"texts"`
	Numbers contracts.Set[contracts.Decimal] `json:"numbers"`
	Blobs   contracts.Set[[]byte]            `json:"blobs"`
	Nothing *string                          `json:"nothing,omitempty"`
	Absent  *string                          `json:"absent,omitempty"`
}

type fixed struct {
	In   string `json:"in"`
	Side string `json:"side"`
}

var everythingContract = must(contracts.Describe[everything]("test.everything", 1))

const everythingManifest = `
service: tests
tables:
  - {name: company-stats, partition_key: {name: cik, type: S}}
  - {name: companies, partition_key: {name: cik, type: S}, stream: true, ttl_attribute: expiresAt}
publishes:
  - contract: test.everything/v1
    table: companies
    key: {cik: "{cik}"}
    attributes: {text: title}
subscribes:
  - contract: test.everything/v1
    attributes: [text, number, flag, blob, list, free, fixed, texts, numbers, blobs, nothing, absent]
    replicas:
      - table: company-stats
        key: {cik: subject}
        set: {heading: text, number: number, flag: flag, blob: blob, list: list, free: free, fixed: fixed, texts: texts, numbers: numbers, blobs: blobs, nothing: nothing, absent: absent}
        version_attribute: everythingVersion
`

// Every kind of value arrives as it is at the source, under the names both
// sides give it, and what the contract does not share stays at the source, also
// inside a map.
func TestEveryKindOfValueArrivesAsItIs(t *testing.T) {
	inWorld(t, func(w *world) {
		t := w.t
		createTable(t, w.db, "company-stats", false)
		m := must(manifest.Parse("replication.yaml", []byte(everythingManifest)))
		known := must(contracts.NewCatalog(everythingContract))
		applier := must(replica.NewApplier(replica.ApplierConfig{Contract: everythingContract, Subscription: m.Subscribes[0], Tables: m.Tables, Store: w.store()}))
		consumer := must(replica.NewConsumer(replica.ConsumerConfig{Service: "tests", Catalog: known, Appliers: []*replica.Applier{applier}, Logger: quiet}))
		w.sources = []*replica.Source{must(replica.NewSource(m.Service, m.Publishes[0], everythingContract))}
		w.publisher = delivered(consumer.Handle)

		shared := contracts.Item{
			"number": contracts.Number("-12345678901234567890123456789012345678"), "flag": contracts.Bool(false),
			"blob": contracts.Binary([]byte{0, 255}), "list": contracts.List(contracts.String(""), contracts.String("\uffff")),
			"free":    contracts.Map(map[string]contracts.Value{"a.b": contracts.Number("1")}),
			"texts":   contracts.StringSet("b", "a"),
			"numbers": contracts.NumberSet("1.5", "-2"), "blobs": contracts.BinarySet([]byte{1}, []byte{2}),
			"nothing": contracts.Null(),
		}
		fixed := map[string]contracts.Value{"in": contracts.String("x"), "side": contracts.String("")}
		item := contracts.Item{"cik": contracts.String("1"), "title": contracts.String(`"\` + "\u2028")}
		for name, v := range shared {
			item[name] = v
		}
		item["fixed"] = contracts.Map(map[string]contracts.Value{"in": contracts.String("x"), "side": contracts.String(""), "private": contracts.String("ours")})
		item["private"] = contracts.String("ours")
		w.put(item)
		w.relayFor(time.Minute)

		if len(w.dlq.kept) > 0 {
			t.Fatalf("dead letter: %s: %s", w.dlq.kept[0].Reason, w.dlq.kept[0].Detail)
		}
		got := must(w.store().Read(t.Context(), "company-stats", keyOf("1")))
		shared["cik"], shared["heading"], shared["fixed"] = item["cik"], item["title"], contracts.Map(fixed)
		for _, bookkeeping := range []string{"everythingVersion", "everythingMapping"} {
			if got[bookkeeping].IsZero() {
				t.Errorf("the copy has no %s", bookkeeping)
			}
			delete(got, bookkeeping)
		}
		if diff := cmp.Diff(shared, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// delivered is a topic whose only subscriber handles each message at once.
type delivered func(*message.Message) error

func (d delivered) Publish(_ string, messages ...*message.Message) error {
	for _, m := range messages {
		if err := d(m); err != nil {
			return err
		}
	}
	return nil
}

func (d delivered) Close() error { return nil }
