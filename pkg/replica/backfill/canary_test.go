package backfill_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
)

// A filter policy not yet in force would swallow a backfill without an error;
// the canary waits for it, under one id however often it is sent.
func TestNothingIsPublishedBeforeTheFilterIsInForce(t *testing.T) {
	inRig(t, localaws.Config{SNSFilterDelay: 10 * time.Minute}, func(r *rig) {
		r.fill(5)
		arn := r.subscribe("stats", nobody)
		r.consume("stats")
		time.Sleep(time.Hour) // virtual
		r.filter(arn, subscriberManifest("stats").Subscribes[0].FilterPolicy("stats"))
		start, before := time.Now(), r.Engine.Requests()
		var waited time.Duration
		result, err := r.backfill(nil, func(c *backfill.Config) {
			c.Report = func(p backfill.Progress) {
				if p.Canary {
					waited = p.CanaryWaited
				} else if time.Since(start) < 10*time.Minute {
					t.Errorf("past the canary after %s", time.Since(start))
				}
			}
		}).Run(r.Context())
		if err != nil || result.Published != 5 {
			t.Fatalf("%+v, %v", result, err)
		}
		time.Sleep(time.Minute) // virtual
		r.agree("stats")
		if waited < 9*time.Minute {
			t.Errorf("reported %s of waiting", waited)
		}
		if n := r.Engine.Requests().Since(before).Of(localaws.SNS, "PublishBatch"); n < 20 || n > 30 {
			t.Errorf("%d requests: want a canary every 30 s and the items", n)
		}
		if noted := r.items(subscriberManifest("stats").Subscribes[0].ControlTable); len(noted) != 1 {
			t.Errorf("the control table has %v, want one canary", noted)
		}
	})
}

// Where nothing comes through, the error says what to look at, and nothing was
// published.
func TestACanaryThatIsNotReceivedStopsEverything(t *testing.T) {
	for name, c := range map[string]struct {
		filter  string
		consume bool
	}{
		"the filter is for another audience":     {`{"audience":["all","other"],"changed":["name","sector"]}`, true},
		"the filter is for other attributes":     {`{"audience":["all","stats"],"changed":["founded"]}`, true},
		"no consumer runs":                       {"", false},
		"the filter wants what no canary can be": {`{"audience":["all","stats"],"changed":["name"],"operation":["upsert"]}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, localaws.Config{}, func(r *rig) {
				r.fill(5)
				r.subscribe("stats", c.filter)
				if c.consume {
					r.consume("stats")
				}
				start := time.Now()
				result, err := r.backfill(nil, nil).Run(r.Context())
				canary, is := errors.AsType[*backfill.CanaryError](err)
				if !is || canary.Waited != 20*time.Minute || time.Since(start) < canary.Waited || time.Since(start) > 21*time.Minute {
					r.Fatalf("after %s: %v", time.Since(start), err)
				}
				for _, part := range []string{"15 minutes", "[all, stats]", "[name, sector]", "company-profile-v1", "run again", "nothing was published"} {
					if !strings.Contains(err.Error(), part) {
						r.Errorf("no word of %q in: %v", part, err)
					}
				}
				if result.Published != 0 || result.Run != "" || r.got("stats", "upsert", "backfill") != 0 {
					r.Errorf("%+v, received %v", result, r.deliveries)
				}
			})
		})
	}
}

func TestTheWaitForACanaryEndsWithTheContext(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.subscribe("stats", "")
		ctx, cancel := context.WithTimeoutCause(r.Context(), time.Minute, errors.New("the operator has had enough"))
		defer cancel()
		start := time.Now()
		_, err := r.backfill(nil, nil).Run(ctx)
		if err == nil || !strings.Contains(err.Error(), "had enough") || time.Since(start) > 61*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

// What is not set up shows before anything is published.
func TestWhatIsMissingIsSaidBeforeTheScan(t *testing.T) {
	for name, c := range map[string]struct {
		change func(r *rig, c *backfill.Config)
		want   string
	}{
		"the control table":    {func(*rig, *backfill.Config) {}, "no table stats-replication-control"},
		"the topic":            {func(r *rig, _ *backfill.Config) { r.subscribe("stats", ""); r.dropTopic() }, "company-profile-v1"},
		"a right to the topic": {func(r *rig, _ *backfill.Config) { r.subscribe("stats", ""); r.deny("PublishBatch") }, "AuthorizationError"},
		"the checkpoint table": {func(r *rig, _ *backfill.Config) {
			r.subscribe("stats", "")
			r.consume("stats")
			r.dropTable("profile-relay-checkpoints")
		}, "no table profile-relay-checkpoints"},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, localaws.Config{}, func(r *rig) {
				start := time.Now()
				_, err := r.backfill(nil, func(cfg *backfill.Config) { c.change(r, cfg) }).Run(r.Context())
				if err == nil || !strings.Contains(err.Error(), c.want) || time.Since(start) > 2*time.Minute {
					r.Errorf("after %s: %v", time.Since(start), err)
				}
				if n := r.Engine.Requests().Of(localaws.DynamoDB, "Scan"); n != 0 {
					r.Errorf("%d scans", n)
				}
			})
		})
	}
}
