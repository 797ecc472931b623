package tally

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLettersAreCountedByVerdictTheMostFrequentFirst(t *testing.T) {
	var counts Tallies[string]
	for i, reason := range []string{"b", "a", "b", "c", "a", "b"} {
		counts.Add(Tally[string]{Action: "refuse", Reason: reason, ID: fmt.Sprint(i)})
	}
	want := []Tally[string]{
		{Action: "refuse", Reason: "b", Letters: 3, ID: "0"},
		{Action: "refuse", Reason: "a", Letters: 2, ID: "1"},
		{Action: "refuse", Reason: "c", Letters: 1, ID: "3"},
	}
	if diff := cmp.Diff(want, counts.Sorted()); diff != "" {
		t.Error(diff)
	}
}

func TestHowManyVerdictsThereAreTakesBoundedMemory(t *testing.T) {
	var counts Tallies[string]
	for i := range 3 * most {
		counts.Add(Tally[string]{Action: "refuse", Reason: fmt.Sprint(i)})
	}
	sorted := counts.Sorted()
	if len(sorted) != most+1 || sorted[0].Reason != "others" || sorted[0].Letters != 2*most {
		t.Errorf("%d verdicts, the first %+v", len(sorted), sorted[0])
	}
}
