package replicatest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// take takes one step.
func (s *sim) take(ctx context.Context, step Step) error {
	subject := subjectOf(step.Item)
	t := s.tenants[step.Item%len(s.tenants)]
	name := contracts.String(fmt.Sprint("name ", step.ID))
	switch step.Kind {
	case OwnWrite, OwnDelete, OwnRace:
		return s.own(ctx, subject, step)
	case IntoStamp:
		return s.intoStamp(ctx, step)
	case IntoWrite:
		return s.intoWrite(ctx, subject, step)
	case ForeignWrite:
		attribute := []string{"name", "sector", "headquarters"}[step.N%3]
		return s.foreign.change(ctx, subject, s.foreign.attribute(attribute), name)
	case ForeignPut, ForeignOld:
		item := s.foreign.key(subject)
		s.foreign.set(item, shared(step))
		if step.Kind == ForeignOld {
			age := time.Duration(1+step.N%6000) * time.Minute
			if step.N%3 == 0 { // of a copy made just now
				age = time.Duration(step.N%200_000) * time.Millisecond
			}
			item[s.foreign.names.Version] = contracts.VersionAt(time.Now().Add(-age)).Value()
		}
		return s.foreign.put(ctx, item)
	case ForeignRevive:
		item, err := s.foreign.read(ctx, subject)
		if err != nil || !s.foreign.isTombstone(item) {
			return err
		}
		delete(item, s.foreign.names.Deleted)
		delete(item, s.foreign.names.ExpiresAt)
		s.foreign.set(item, shared(step))
		return s.foreign.put(ctx, item)
	case ForeignDelete:
		return s.foreign.remove(ctx, subject)
	case Expiry:
		if err := s.foreign.expire(ctx, subject, time.Now().Add(-time.Hour)); err != nil {
			return err
		}
		_, err := s.engine.DynamoDB().SweepTTL(ctx)
		return err
	case Unpublishable:
		return s.foreign.change(ctx, subject, s.foreign.attribute("sector"), contracts.Number("7"))
	case ServiceWrite:
		return s.serviceWrite(ctx, t, subject, step)
	case Watch, Unwatch:
		return s.watch(ctx, t, subjectOf(step.N%Items), step)
	case Peace:
		if err := s.settle(ctx); err != nil {
			return err
		}
		if err := s.rest(asleep(31 * 24 * time.Hour)); err != nil {
			return err
		}
		if _, err := s.engine.DynamoDB().SweepTTL(ctx); err != nil {
			return err
		}
		s.weather.fine.Store(false)
		return nil
	case SplitShards:
		return s.engine.DynamoDB().SplitShards(s.foreign.table)
	case RotateShards:
		return s.engine.DynamoDB().RotateShards(s.foreign.table)
	case IndexLag:
		return s.unshown(ctx, t, step)
	case Outage:
		return s.rest(asleep(time.Duration(1+step.N%150) * time.Minute))
	case Blackout:
		return s.blackout(ctx, step)
	case Backfill:
		s.backfill(ctx, t, step)
		return nil
	case Replay:
		s.replay(ctx, t, step)
		return nil
	case Redrive:
		s.redrive(ctx, t, step)
		return nil
	case Lapse:
		s.weather.lapse(time.Minute)
		return nil
	case Pause:
		return nil // it is what comes after every step
	default:
		return s.process(t, step)
	}
}

// process takes the steps that concern processes.
func (s *sim) process(t *tenant, step Step) error {
	posts := s.relays
	if step.Kind == KillConsumer || step.Kind == RollConsumer || step.Kind == PairConsumer {
		posts = t.consumers
	}
	switch step.Kind {
	case KillRelay, KillConsumer:
		posts[step.N/2%2].kill(step.N/4%25, step.N%2 == 0)
	case RollRelay, RollConsumer:
		each(posts[:1], (*post).vacate)
		posts[0].start()
	case PairRelay, PairConsumer:
		if posts[1].taken() {
			posts[1].vacate()
		} else {
			posts[1].start()
		}
	default:
		return fmt.Errorf("no such kind")
	}
	return nil
}

// shared is a whole shared state, named after its step.
func shared(step Step) contracts.Item {
	return contracts.Item{
		"name":   contracts.String(fmt.Sprint("name ", step.ID)),
		"sector": contracts.String(fmt.Sprint("sector ", step.N%3)),
	}
}

// own has the owner's repository write.
func (s *sim) own(ctx context.Context, subject string, step Step) error {
	switch step.Kind {
	case OwnDelete:
		return s.byOwner(step.Skew, func(r Repository) error { return r.Delete(ctx, subject) })
	case OwnWrite:
		set := shared(step)
		switch step.N / 3 % 4 {
		case 0:
			set["headquarters"] = contracts.String(fmt.Sprint("town ", step.ID))
		case 1:
			item, err := s.foreign.read(ctx, subject)
			if err != nil {
				return err
			}
			if s.publishable(item) && !s.foreign.isTombstone(item) {
				delete(set, "name") // the sector alone
				return s.byOwner(step.Skew, func(r Repository) error { return r.Patch(ctx, subject, set) })
			}
		}
		return s.byOwner(step.Skew, func(r Repository) error { return r.Put(ctx, subject, set) })
	}
	var both sync.WaitGroup
	var errs [2]error
	for i, skew := range []time.Duration{step.Skew, -step.Skew} {
		set := shared(Step{ID: 1000*(i+1) + step.ID, N: step.N + i})
		both.Go(func() {
			errs[i] = s.byOwner(skew, func(r Repository) error {
				if step.N%5 == 0 && i == 0 {
					return r.Delete(ctx, subject)
				}
				return r.Put(ctx, subject, set)
			})
		})
	}
	both.Wait()
	return errors.Join(errs[:]...)
}

// byOwner has a process of the owner, whose clock is off by skew, make a write.
func (s *sim) byOwner(skew time.Duration, write func(Repository) error) error {
	return s.byOwnerWith(s.patient, skew, write)
}

func (s *sim) byOwnerWith(cfg aws.Config, skew time.Duration, write func(Repository) error) error {
	r, err := s.owner.Open(cfg, s.m, func() time.Time { return time.Now().Add(skew) })
	if err != nil {
		return err
	}
	if err := write(r); !errors.Is(err, ErrRefused) {
		return err
	}
	return nil
}

// unshown changes an item of which a subscriber has just added a copy that its
// index does not show yet.
func (s *sim) unshown(ctx context.Context, t *tenant, step Step) error {
	if err := s.lag(t, time.Duration(step.N%8000)*time.Millisecond); err != nil {
		return err
	}
	item := step.N % Items
	for _, kind := range []Kind{Unwatch, Watch} {
		if err := s.watch(ctx, t, subjectOf(item), Step{ID: step.ID, Kind: kind, N: step.N}); err != nil {
			return err
		}
	}
	return s.own(ctx, subjectOf(item), Step{ID: step.ID, Kind: OwnWrite, Item: item, N: step.N, Skew: step.Skew})
}

// lag lets the tenant's indexes lag, by less than a second pass waits.
func (s *sim) lag(t *tenant, d time.Duration) error {
	for _, table := range t.manifest.Tables {
		for _, index := range table.Indexes {
			if err := s.engine.DynamoDB().SetIndexLag(table.Name, index.Name, d); err != nil {
				return err
			}
		}
	}
	return nil
}
