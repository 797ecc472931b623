package manifest_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

func load(t *testing.T, service string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Load(filepath.Join("..", "..", "..", "services", service, manifest.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.CheckContracts(catalog.All()); err != nil {
		t.Fatal(err)
	}
	return m
}

// The demo depends on these; what follows from them by default is said there
// in full for the reader, and must not say something else.
func TestTheServicesManifestsFitTogether(t *testing.T) {
	profile, stats := load(t, "profile"), load(t, "stats")

	published, ok := profile.Publication("company.profile/v1")
	if !ok {
		t.Fatal("profile does not publish company.profile/v1")
	}
	subscribed, ok := stats.Subscription("company.profile/v1")
	if !ok {
		t.Fatal("stats does not subscribe to company.profile/v1")
	}
	if published.Topic != subscribed.Topic || published.Topic != manifest.TopicName(published.Contract) {
		t.Errorf("topics: published %s, subscribed %s, by default %s", published.Topic, subscribed.Topic, manifest.TopicName(published.Contract))
	}
	if got, want := subscribed.FilterPolicy(stats.Service), `{"audience":["all","stats"],"changed":["name","sector"]}`; got != want {
		t.Errorf("filter policy %s, want %s", got, want)
	}

	subject, ours := published.SubjectOf(map[string]string{"cik": "320193"})
	if subject != "320193" || !ours {
		t.Fatalf("subject of 320193: %q, %v", subject, ours)
	}
	for i, want := range []struct {
		kind manifest.ReplicaKind
		key  map[string]string
	}{
		{manifest.Item, map[string]string{"cik": "320193"}},
		{manifest.FanOut, map[string]string{"cik": "320193"}},
	} {
		r := subscribed.Replicas[i]
		key, err := r.KeyFor(subject)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.key, key); diff != "" || r.Kind() != want.kind {
			t.Errorf("replica %d is an %v replica with a key that differs (-want +got):\n%s", i, r.Kind(), diff)
		}
	}
}
