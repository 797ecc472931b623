package contracts_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// typical is an upsert of the size most have.
func typical() *contracts.Change {
	return &contracts.Change{
		Contract:    profilev1.Contract,
		Operation:   contracts.Upsert,
		Source:      "/services/profile",
		Subject:     "0000320193",
		Version:     1731000000123456,
		Origin:      contracts.Live,
		Published:   time.Date(2024, 11, 7, 17, 20, 1, 250000000, time.UTC),
		TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		Changed:     []string{"name", "sector"},
		Attributes: contracts.Item{
			"name":         contracts.String("Apple Inc."),
			"sector":       contracts.String("Information Technology"),
			"subIndustry":  contracts.String("Technology Hardware, Storage & Peripherals"),
			"headquarters": contracts.String("Cupertino, California"),
			"tickers":      contracts.List(contracts.String("AAPL")),
			"founded":      contracts.String("1977"),
			"dateAdded":    contracts.String("1982-11-30"),
		},
	}
}

func BenchmarkEncode(b *testing.B) {
	c := typical()
	b.ReportAllocs()
	for b.Loop() {
		body, err := contracts.Encode(c)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(body)))
	}
}

func BenchmarkDecode(b *testing.B) {
	body, err := contracts.Encode(typical())
	if err != nil {
		b.Fatal(err)
	}
	all := catalog.All()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := contracts.Decode(body, all); err != nil {
			b.Fatal(err)
		}
	}
}

// The budget is on the CPU time of a change; much of it is allocation.
func TestTypicalEventTakesFewAllocations(t *testing.T) {
	c, all := typical(), catalog.All()
	body, err := contracts.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		most float64
		run  func() error
	}{
		"encode":    {1, func() error { _, err := contracts.Encode(c); return err }},
		"decode":    {7, func() error { _, err := contracts.Decode(body, all); return err }},
		"check":     {0, func() error { return c.Contract.Check(c.Attributes) }},
		"normalize": {0, func() error { return contracts.CheckNumber(number38) }},
	} {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(100, func() { err = errors.Join(err, row.run()) }); got > row.most {
				t.Errorf("%v allocations, want at most %v", got, row.most)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
