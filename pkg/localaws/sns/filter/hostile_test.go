package filter_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/sns/filter"
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

// siblings are so many members of one object, each with the given value.
func siblings(count int, value string) string {
	var b strings.Builder
	for i := range count {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strconv.FormatInt(int64(i), 36) + `":` + value)
	}
	return b.String()
}

// A policy costs a multiple of the largest there may be, however its keys nest.
func TestAHostilePolicyCostsBoundedMemory(t *testing.T) {
	const mostBytes = 256 * filter.MaxBytes
	long := strings.Repeat("k", 100<<10)
	for name, policy := range map[string]string{
		"too long":                     `{"k":["` + strings.Repeat("a", 10<<20) + `"]}`,
		"lists in lists":               strings.Repeat("[", filter.MaxBytes),
		"objects in objects":           strings.Repeat(`{"a":`, 9000) + `["x"]` + strings.Repeat("}", 9000),
		"many values":                  `{"k":[` + strings.Repeat(`"",`, 80_000) + `""]}`,
		"many keys below a long one":   `{"` + long + `":{` + siblings(12_000, "[1]") + `}}`,
		"a deep path below a long key": `{"` + long + `":` + strings.Repeat(`{"a":`, 9000) + `["x"]` + strings.Repeat("}", 9000) + `}`,
		"alternatives":                 `{"$or":[` + strings.Repeat(`{"a":[1]},`, 20_000) + `{"b":[1]}]}`,
		"alternatives in a long path":  `{"` + long + `":{"$or":[` + strings.Repeat(`{"a":[1]},`, 10_000) + `{"b":[1]}]}}`,
		"wildcards":                    `{"k":[{"wildcard":"` + strings.Repeat("*a", 100_000) + `"}]}`,
		"a huge number":                `{"k":[` + strings.Repeat("9", 200_000) + `]}`,
		"a huge exponent":              `{"k":[1e` + strings.Repeat("9", 200_000) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			used := allocated(func() { _, err = filter.Parse(policy, filter.MessageBody) })
			if used > mostBytes {
				t.Errorf("%d bytes are allocated for %d", used, len(policy))
			}
			if err != nil && (!strings.HasPrefix(err.Error(), "Filter") || len(err.Error()) > 1024) {
				t.Errorf("refused with %d bytes: %.200s", len(err.Error()), err)
			}
		})
	}
}

// A body costs a multiple of the largest there may be (1 MiB), however its keys
// nest and whatever the policy looks for.
func TestAHostileBodyCostsBoundedMemory(t *testing.T) {
	const (
		size      = 1 << 20
		mostBytes = 192 * size
	)
	policy, err := filter.Parse(`{"k":["x"],"a":{"b":[{"wildcard":"*a*b*a*b*"}]}}`, filter.MessageBody)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("k", size/2)
	for name, body := range map[string]string{
		"lists in lists":             `{"k":` + strings.Repeat("[", size),
		"objects that close":         strings.Repeat(`{"a":`, 9000) + `"x"` + strings.Repeat("}", 9000),
		"many keys below a long one": `{"` + long + `":{` + siblings(60_000, "1") + `}}`,
		"many keys at a deep path":   strings.Repeat(`{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa":`, 9000) + `{` + siblings(60_000, "1") + `}` + strings.Repeat("}", 9000),
		"many values":                `{"k":[` + strings.Repeat(`"",`, size/3) + `""]}`,
		"many keys":                  `{` + siblings(100_000, "1") + `}`,
		"a long text":                `{"a":{"b":"` + strings.Repeat("ab", size/2) + `"}}`,
		"a huge number":              `{"k":` + strings.Repeat("9", size) + `}`,
		"a huge exponent":            `{"k":1e` + strings.Repeat("9", size) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			m := filter.NewMessage(body, map[string]filter.Attribute{"k": {DataType: "String.Array", StringValue: body}})
			used := allocated(func() { policy.Matches(m) })
			if used > mostBytes {
				t.Errorf("%d bytes are allocated for %d", used, len(body))
			}
		})
	}
}
