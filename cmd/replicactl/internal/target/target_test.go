package target_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

func services(t *testing.T) *target.Set {
	t.Helper()
	var all []*manifest.Manifest
	for _, service := range []string{"stats", "profile"} {
		m, err := manifest.Load("../../../../services/" + service + "/replication.yaml")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return target.New(all)
}

func TestWhatIsNamedIsFound(t *testing.T) {
	set := services(t)
	published, err := set.Publication("company.profile/v1")
	if err != nil || published.Service() != "profile" || published.Publication.Table != "companies" || published.Contract.ID() != "company.profile/v1" {
		t.Fatalf("got %+v, %v", published, err)
	}
	if source, err := published.Source(); err != nil || source.Topic() != "company-profile-v1" {
		t.Errorf("its source is %v, %v", source, err)
	}
	subscribed, err := set.Subscription("company.profile/v1", "stats")
	if err != nil || subscribed.Service() != "stats" || subscribed.Subscription.Queue.Name != "stats-company-profile-v1" {
		t.Errorf("got %+v, %v", subscribed, err)
	}
	if all, err := set.Subscriptions("company.profile/v1"); err != nil || len(all) != 1 || all[0].Service() != "stats" {
		t.Errorf("got %+v, %v", all, err)
	}
	if diff := cmp.Diff([]string{"company-profile-v1"}, set.Topics()); diff != "" {
		t.Errorf("topics, -want +got:\n%s", diff)
	}
}

func TestWhatIsDeclaredNeedsNoOwnerHere(t *testing.T) {
	stats, err := manifest.Load("../../../../services/stats/replication.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []*target.Set{services(t), target.New([]*manifest.Manifest{stats})} {
		if err := set.Declares("company.profile/v1"); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsNotThereIsAnsweredWithWhatIs(t *testing.T) {
	set, empty := services(t), target.New(nil)
	_, unpublished := set.Publication("company.filing/v1")
	_, stranger := set.Subscription("company.profile/v1", "news")
	_, owner := set.Subscription("company.profile/v1", "profile")
	_, unknown := set.Subscriptions("company.filing/v1")
	_, nothing := empty.Publication("company.profile/v1")
	for _, row := range []struct {
		err  error
		says string
	}{
		{unpublished, "contract company.filing/v1: no manifest publishes it; published are company.profile/v1"},
		{stranger, "subscriber news of company.profile/v1: no manifest declares it; its subscribers are stats"},
		{owner, "its subscribers are stats"},
		{unknown, "it knows company.profile/v1"},
		{set.NoSubscriber("", "nobody"), "subscriber nobody: no manifest declares it; subscribers are stats"},
		{set.NoSubscriber("company.filing/v1", "nobody"), "contract company.filing/v1: no manifest publishes it; published are company.profile/v1"},
		{set.NoSubscriber("company.profile/v1", ""), "a subscriber of company.profile/v1"},
		{set.Declares("company.filing/v1"), "no manifest publishes it"},
		{nothing, "name more with --manifest"},
	} {
		if row.err == nil || !strings.Contains(row.err.Error(), row.says) {
			t.Errorf("got %v, want %q", row.err, row.says)
		}
	}
}
