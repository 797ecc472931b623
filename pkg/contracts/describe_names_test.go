package contracts

import (
	"reflect"
	"strings"
	"testing"
)

// Inside the package and by reflect.StructOf, because vet refuses such a type
// in source.
func TestDescribeRefusesOneNameForTwoFields(t *testing.T) {
	twice := reflect.StructOf([]reflect.StructField{
		{Name: "A", Type: reflect.TypeFor[string](), Tag: `json:"a"`},
		{Name: "B", Type: reflect.TypeFor[string](), Tag: `json:"a"`},
	})
	_, err := describe("test.thing", 1, twice)
	if want := `field B: another field is named "a" too`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v: want %q", err, want)
	}
}
