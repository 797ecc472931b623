package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
	"github.com/tributary-dev/tributary/services/stats"
	"github.com/tributary-dev/tributary/services/stats/internal/app"
)

// maxShrinks is how often a plan that fails is run again to shorten it.
const maxShrinks = 40

// simulatedApp is the service as its binary is, but for its sockets.
func simulatedApp(cfg aws.Config) (*app.App, error) {
	settings, err := app.ConfigFrom(map[string]string{"DRAIN_TIMEOUT": "1s"})
	if err != nil {
		return nil, err
	}
	return app.New(settings, cfg, slog.New(slog.DiscardHandler))
}

// ownWrites has the simulator write what is the service's own by its API.
type ownWrites struct {
	api  http.Handler
	made *atomic.Int64
}

func (o ownWrites) Write(ctx context.Context, subject string, n int) error {
	figures := fmt.Sprintf(`{"price":"%d.50","marketCap":"%d"}`, n, 1000+n)
	return o.send(ctx, http.MethodPut, "/companies/"+subject+"/statistics/2024-10-10/MMM", figures)
}

func (o ownWrites) Watch(ctx context.Context, user, subject string) error {
	return o.send(ctx, http.MethodPut, "/watchlists/"+user+"/companies/"+subject, "")
}

func (o ownWrites) Unwatch(ctx context.Context, user, subject string) error {
	return o.send(ctx, http.MethodDelete, "/watchlists/"+user+"/companies/"+subject, "")
}

// send makes a request, and makes it again while the service says that it may
// succeed later.
func (o ownWrites) send(ctx context.Context, method, target, body string) error {
	for {
		w := httptest.NewRecorder()
		o.api.ServeHTTP(w, httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body)))
		switch {
		case w.Code/100 == 2:
			o.made.Add(1)
			return nil
		case w.Code != http.StatusServiceUnavailable:
			return fmt.Errorf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Second): // as Retry-After has it
		}
	}
}

// simulated is the service, with its own manifest, consumer and API. It is told
// how many writes of its own were made.
func simulated(made *atomic.Int64) replicatest.Subscriber {
	return replicatest.Subscriber{
		Manifest: string(stats.Manifest),
		Consume: func(ctx context.Context, cfg aws.Config, _ *manifest.Manifest) error {
			service, err := simulatedApp(cfg)
			if err != nil {
				return err
			}
			return service.Serve(ctx, newPipes())
		},
		Open: func(cfg aws.Config, _ *manifest.Manifest) (replicatest.LocalItems, error) {
			service, err := simulatedApp(cfg)
			if err != nil {
				return nil, err
			}
			return ownWrites{service.Handler(), made}, nil
		},
	}
}

// simulatedPlan is the seed's plan with indexes that lag by less than this
// service's second pass waits, beyond which nothing is promised.
func simulatedPlan(seed uint64) replicatest.Plan {
	plan := replicatest.NewPlan(seed)
	for i := range plan.Steps {
		if plan.Steps[i].Kind == replicatest.IndexLag {
			plan.Steps[i].N %= 4000 // in milliseconds; the manifest has second_pass: 5s
		}
	}
	return plan
}

// Whatever befalls the service's processes, the owner and AWS, its copies end
// as the owner has them, and nothing but the service touches what is its own;
// see package replicatest.
func TestSimulatedDaysKeepEveryPromise(t *testing.T) {
	var made atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(simulatedSeeds) {
			t.Run(fmt.Sprint("seed ", seed+1), func(t *testing.T) {
				t.Parallel()
				replicatest.Check(t, simulatedPlan(seed+1), replicatest.Services{Subscribers: []replicatest.Subscriber{simulated(&made)}}, maxShrinks)
			})
		}
	})
	t.Logf("%d seeds: the service made %d writes of its own", simulatedSeeds, made.Load())
	if made.Load() < simulatedSeeds {
		t.Errorf("of its own the service made %d writes: there was little to simulate", made.Load())
	}
}
