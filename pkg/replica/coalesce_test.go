package replica_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
)

func TestCoalesceKeepsTheLatestVersionAndAllThatChanged(t *testing.T) {
	s := must(replica.NewSource("profile", profileManifest(t).Publishes[0], profilev1.Contract))
	type seen struct {
		Subject string
		Version contracts.Version
		Changed []string
	}
	of := func(subject string, version contracts.Version, changed ...string) *contracts.Change {
		return &contracts.Change{Subject: subject, Version: version, Changed: changed}
	}
	var got []seen
	for _, c := range s.Coalesce([]*contracts.Change{
		of("b", 5, "sector"), of("a", 7, "name"), of("b", 9, "name"), of("b", 6, "tickers"), of("a", 7, "name"),
	}) {
		got = append(got, seen{c.Subject, c.Version, c.Changed})
	}
	want := []seen{{"b", 9, []string{"name", "sector", "tickers"}}, {"a", 7, []string{"name"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
