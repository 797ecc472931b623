package contracts_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// allocated is how many bytes one call takes from the heap, those it gives back
// included. Nothing else may run beside it.
func allocated(call func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Whoever may send to a queue chooses the body. Decoding costs a multiple of
// it, however it is made, and an error says what is wrong in a few words.
func TestAHostileEventCostsBoundedMemory(t *testing.T) {
	const (
		size      = 1<<20 - 1<<10 // the longest that is looked at, nearly
		mostBytes = 128 * size    // an element of three bytes becomes a value of about a hundred, and grows to it
		mostText  = 16 << 10
	)
	head := `{"specversion":"1.0","id":"company.profile/v1/1@1577836800000000","source":"/services/profile",` +
		`"type":"company.profile.changed.v1","datacontenttype":"application/json","dataschema":"` + profilev1.Contract.SchemaID + `","subject":"1",` +
		`"time":"2020-01-01T00:00:00Z","version":"1577836800000000","origin":"live","published":"2020-01-01T00:00:00Z",`
	full := func(before, part, after string) string {
		return head + before + strings.Repeat(part, size/len(part)) + after
	}
	all := catalogOf(t, profilev1.Contract, everything(t))
	for name, body := range map[string]string{
		"nothing but brackets":      strings.Repeat("[", size),
		"nothing but quotes":        strings.Repeat(`"`, size),
		"lists in an unknown field": full(`"x":`, "[", `}`),
		"objects in data":           full(`"data":`, `{"a":`, `}`),
		"a long text":               full(`"data":{"changed":["name"],"attributes":{"name":"`, "a", `"}}}`),
		"a text of escapes":         full(`"data":{"changed":["name"],"attributes":{"name":"`, `\u0041`, `"}}}`),
		"a long number":             full(`"data":{"changed":["name"],"attributes":{"name":`, "9", `}}}`),
		"a long version":            full(`"version":"`, "9", `"}`),
		"a long type":               full(`"type":"`, "a", `"}`),
		"a long subject":            full(`"subject":"`, "a", `"}`),
		"tiny elements":             full(`"data":{"changed":["name"],"attributes":{"name":"x","tickers":[`, `"",`, `""]}}}`),
		"elements of another type":  full(`"data":{"changed":["name"],"attributes":{"name":"x","tickers":[`, `1,`, `1]}}}`),
		"tiny changes":              full(`"data":{"changed":[`, `"a",`, `"name"],"attributes":{"name":"x"}}}`),
		"the same change":           full(`"data":{"changed":[`, `"name",`, `"name"],"attributes":{"name":"x"}}}`),
		"the same attribute":        full(`"data":{"changed":["name"],"attributes":{`, `"name":"x",`, `"name":"x"}}}`),
		"the same field":            full(``, `"x":1,`, `"x":1}`),
		"a long unknown name":       full(`"`, "a", `":1}`),
		"white space":               full(``, " ", `"x":1}`),
		"a second value":            full(`"x":1}`, "{}", ""),
	} {
		t.Run(name, func(t *testing.T) {
			var c *contracts.Change
			var err error
			event := []byte(body)
			used := allocated(func() { c, err = contracts.Decode(event, all) })
			if used > mostBytes {
				t.Errorf("%d bytes are allocated for %d", used, len(body))
			}
			if err != nil && len(err.Error()) > mostText {
				t.Errorf("the error has %d bytes: %.200s", len(err.Error()), err)
			}
			if err != nil || len(c.Changed) == 0 {
				return
			}
			if again, err := contracts.Encode(c); err != nil || len(again) > 2*len(body) {
				t.Errorf("it is taken, and encodes to %d bytes: %.200v", len(again), err)
			}
		})
	}
}

// A body that no queue carries is not looked at.
func TestAnOversizedEventCostsNothing(t *testing.T) {
	event := []byte(strings.Repeat(" ", 10<<20))
	var err error
	used := allocated(func() { _, err = contracts.Decode(event, catalogOf(t, profilev1.Contract)) })
	if err == nil || used > 64<<10 {
		t.Errorf("%d bytes are allocated: %v", used, err)
	}
}

// A number's text decides what it costs, not the number: an exponent is never
// written out beyond what DynamoDB can hold.
func TestAHostileNumberCostsBoundedMemory(t *testing.T) {
	const size = 1 << 20
	for name, text := range map[string]string{
		"a huge exponent":            "1e999999999",
		"a huge negative exponent":   "1e-999999999",
		"nothing with an exponent":   "0e999999999999",
		"an exponent of many digits": "1e" + strings.Repeat("9", size),
		"many digits":                strings.Repeat("9", size),
		"many zeros":                 "0." + strings.Repeat("0", size) + "1",
		"many zeros at the end":      "1" + strings.Repeat("0", size),
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			var number string
			used := allocated(func() { number, err = contracts.NormalizeNumber(text) })
			if used > 8<<20 || len(number) > 256 || err != nil && len(err.Error()) > 1024 {
				t.Errorf("%d bytes are allocated for %d, %d are the number: %.200v", used, len(text), len(number), err)
			}
		})
	}
}
