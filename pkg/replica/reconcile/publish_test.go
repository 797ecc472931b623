package reconcile_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
)

// SNS takes ten messages a request: no request is half empty but the last one of
// a page.
func TestRepairsArePublishedInFullRequests(t *testing.T) {
	inRig(t, func(r *rig) {
		r.start()
		const items = 120
		for i := range items {
			r.own(strconv.Itoa(i), company("name"))
		}
		time.Sleep(time.Minute) // virtual
		for i := range items {
			r.remove("entries", idKey(strconv.Itoa(i)))
		}
		config := r.config(true, &findings{})
		config.Segments, config.PageItems = 1, 1000
		before := r.Engine.Requests()
		result, err := must(reconcile.New(config)).Run(r.Context())
		if err != nil || result.Repaired != items || result.NotRepaired != 0 {
			t.Fatalf("%+v, %v", result, err)
		}
		spent := r.Engine.Requests().Since(before)
		if n := spent.Of(localaws.SNS, "PublishBatch"); n != items/10 {
			t.Errorf("%d repairs took %d PublishBatch", items, n)
		}
	})
}

func TestWhatIsWrongWithAConfigIsSaidAtOnce(t *testing.T) {
	_, err := reconcile.New(reconcile.Config{Subscriber: replica.AudienceAll, Repair: true, Segments: 65, Settle: time.Millisecond, ResumeWithin: -1})
	for _, part := range []string{
		"Source is missing", "Local.Reader is missing", "Publisher is missing", "Subscriber is \"" + replica.AudienceAll + "\", which would reach every subscriber", "Segments is 65", "Settle is 1ms", "ResumeWithin is -1ns",
	} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("no word of %q in: %v", part, err)
		}
	}
}
