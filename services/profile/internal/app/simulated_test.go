package app_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/replicatest"
	"github.com/tributary-dev/tributary/services/profile"
	"github.com/tributary-dev/tributary/services/profile/internal/app"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
	"github.com/tributary-dev/tributary/services/profile/internal/dynamo"
)

// maxShrinks is how often a plan that fails is run again to shorten it.
const maxShrinks = 40

// repository has the simulator write by the service's own repository, and holds
// each answer against what was stored before.
type repository struct {
	companies *dynamo.Repository
	read      *witness
	now       func() time.Time
	writes    *writes
}

// witness keeps what the repository read last, for one write at a time.
type witness struct {
	*dynamodb.Client
	last map[string]types.AttributeValue
}

func (w *witness) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	out, err := w.Client.GetItem(ctx, in, opts...)
	if err == nil {
		w.last = out.Item
	}
	return out, err
}

// writes counts what became of the service's writes.
type writes struct{ made, refused atomic.Int64 }

func (r repository) Put(ctx context.Context, subject string, shared contracts.Item) error {
	want, err := contracts.Unmarshal[profilev1.Profile](profilev1.Contract, shared)
	if err != nil {
		return err
	}
	return r.rising(subject, func() (company.Company, error) {
		c, _, err := r.companies.Put(ctx, subject, shared, nil)
		if diff := cmp.Diff(want, c.Profile); err == nil && diff != "" {
			return c, fmt.Errorf("put %s: it answers with another profile (-want +got):\n%s", subject, diff)
		}
		return c, err
	})
}

func (r repository) Patch(ctx context.Context, subject string, set contracts.Item) error {
	return r.rising(subject, func() (company.Company, error) {
		return r.companies.Patch(ctx, subject, company.Change{Set: set}, nil)
	})
}

// rising makes a write, which has to leave a version above the one it replaces.
func (r repository) rising(subject string, write func() (company.Company, error)) error {
	c, err := write()
	if err != nil {
		return r.told(err)
	}
	was, err := dynamostore.FromAttributes(r.read.last)
	if err != nil {
		return err
	}
	if before := contracts.VersionOf(was["version"], r.now().Add(contracts.MaxAhead)); c.Version <= before {
		return fmt.Errorf("write %s: version %s replaces %s", subject, c.Version, before)
	}
	return r.told(nil)
}

// Delete deletes a company; that there is none any more is what was wanted.
func (r repository) Delete(ctx context.Context, subject string) error {
	return r.told(r.companies.Delete(ctx, subject, nil))
}

// told is what a caller of the API would be told: refusals that it has to
// expect are no failure of the service.
func (r repository) told(err error) error {
	switch {
	case err == nil:
		r.writes.made.Add(1)
	case errors.Is(err, company.ErrNotFound), errors.Is(err, company.ErrDamaged), errors.Is(err, company.ErrUnavailable):
		r.writes.refused.Add(1)
		return fmt.Errorf("%w: %w", replicatest.ErrRefused, err)
	}
	return err
}

// simulated is the service, with its own manifest, repository and relay.
func simulated(w *writes) replicatest.Owner {
	return replicatest.Owner{
		Manifest: string(profile.Manifest),
		Open: func(cfg aws.Config, m *manifest.Manifest, now func() time.Time) (replicatest.Repository, error) {
			read := &witness{Client: dynamodb.NewFromConfig(cfg)}
			return repository{
				companies: dynamo.New(dynamo.Config{Client: read, Publication: m.Publishes[0], Now: now}),
				read:      read, now: now, writes: w,
			}, nil
		},
		Relay: func(ctx context.Context, cfg aws.Config, _ *manifest.Manifest) error {
			relay, err := app.NewRelay(app.RelayConfig{PollInterval: 2 * time.Second, DrainTimeout: time.Second}, cfg, quiet)
			if err != nil {
				return err
			}
			return relay.Run(ctx)
		},
	}
}

// Whatever befalls the service's writers and relays, other writers and AWS, its
// subscribers end with what it has; see package replicatest.
func TestSimulatedDaysKeepEveryPromise(t *testing.T) {
	var w writes
	t.Run("seeds", func(t *testing.T) {
		for seed := range uint64(simulatedSeeds) {
			t.Run(fmt.Sprint("seed ", seed+1), func(t *testing.T) {
				t.Parallel()
				replicatest.Check(t, replicatest.NewPlan(seed+1), replicatest.Services{Owner: simulated(&w)}, maxShrinks)
			})
		}
	})
	made, refused := w.made.Load(), w.refused.Load()
	t.Logf("%d seeds: the service made %d writes and refused %d", simulatedSeeds, made, refused)
	if made < 2*simulatedSeeds || refused > made {
		t.Errorf("of its writes the service made %d and refused %d: there was little to simulate", made, refused)
	}
}
