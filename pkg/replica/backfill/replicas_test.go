package backfill_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// An interrupted run goes on only for the replicas it was begun for: items that
// it had loaded lack what the manifest has gained since.
func TestARunForOtherReplicasBeginsAnew(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		r.consume("stats")
		r.fill(200)
		views := func(edit func(*manifest.Replica)) []*replica.View {
			m := subscriberManifest("stats")
			edit(&m.Subscribes[0].Replicas[0])
			return must(replica.Views(profilev1.Contract, m.Subscribes[0], m.Tables))
		}
		before := views(func(*manifest.Replica) {})
		run := func(ctx context.Context, views []*replica.View) (backfill.Result, error) {
			return r.backfill(nil, func(c *backfill.Config) { c.Replicas, c.Rate, c.PageItems = views, 10, 10 }).Run(ctx)
		}
		enough := errors.New("interrupted by the operator")
		ctx, cancel := context.WithCancelCause(r.Context())
		time.AfterFunc(10*time.Second, func() { cancel(enough) })
		if result, err := run(ctx, before); !errors.Is(err, enough) || result.Published == 0 {
			t.Fatalf("%+v, %v", result, err)
		}
		for what, edit := range map[string]func(*manifest.Replica){
			"an attribute":                    func(r *manifest.Replica) { r.Set["headquarters"] = manifest.From{Attribute: "headquarters"} },
			"a name for it":                   func(r *manifest.Replica) { r.VersionAttribute = "companyVersion" },
			"the right to create local items": func(r *manifest.Replica) { create := !r.Creates(); r.Create = &create },
		} {
			if result, err := run(r.Context(), views(edit)); err != nil || result.Resumed || result.Published != 200 {
				t.Errorf("%s was gained: %+v, %v", what, result, err)
			}
		}
		if result, err := run(r.Context(), before); err != nil || !result.Resumed || result.Published != 200 {
			t.Errorf("nothing was: %+v, %v", result, err)
		}
	})
}
