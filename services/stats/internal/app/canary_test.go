package app_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

// A canary that the subscription's filter lets through is noted in the control
// table, once it can be; others come no further than the topic, which is what a
// backfill wants to know.
func TestCanariesThatComeThroughTheFilterAreNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := statstest.New(t)
		queue := w.CreateQueue(t)
		topic := w.Subscribe(t, queue)
		s := start(t, w)
		settle()
		// The table of the canaries alone is out of order for a while.
		const control = "stats-replication-control"
		w.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Service == localaws.DynamoDB && strings.Contains(string(c.Body), control) {
				return localaws.Fault{Error: localaws.Unavailable(c.Service)}
			}
			return localaws.Fault{}
		})
		began := time.Now()
		canary := func(id, audience string, changed ...string) {
			topic.Publish(t, &contracts.Change{
				Operation: contracts.Canary, Source: "/tools/replicactl", Subject: id, Origin: contracts.Backfill,
				Published: time.Now(), Changed: changed,
			}, audience)
		}
		canary("ours", "stats", "name", "sector")
		canary("ours", "stats", "name", "sector") // as a backfill does that waits
		canary("another's", "directory", "name")
		canary("of other attributes", "stats", "founded")
		canary("everybody's", replica.AudienceAll, "sector")
		settle()
		canaries := dynamostore.NewCanaries(w.Database, control)
		if left := queue.Messages(t); left != 3 {
			t.Errorf("%d canaries are in the queue, want the 3 that are not noted yet", left)
		}
		w.Engine.SetFaults(nil)
		time.Sleep(10 * time.Minute) // for their next deliveries
		for id, want := range map[string]bool{"ours": true, "another's": false, "of other attributes": false, "everybody's": true} {
			at, noted, err := canaries.Noted(t.Context(), id)
			if err != nil || noted != want {
				t.Errorf("canary %s is noted: %t, %v", id, noted, err)
			}
			if noted && (at.Before(began) || at.After(time.Now())) {
				t.Errorf("canary %s is noted at %s, published at %s", id, at, began)
			}
		}
		if left, dead := queue.Messages(t), queue.DeadLetters(t); left != 0 || dead != 0 {
			t.Errorf("%d messages are left and %d are dead letters", left, dead)
		}
		s.end(t)
	})
}
