package replicatest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/backfill"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
	"github.com/tributary-dev/tributary/pkg/replica/replay"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

// operations are what operators have started and what has not ended yet.
type operations struct {
	mu   sync.Mutex
	left map[string]int
	done sync.WaitGroup
	// resting says that no process runs at the moment; wires are of those that do.
	resting bool
	wires   map[*wire]bool
}

// rest has every operation die, to be run again when rest is over.
func (o *operations) rest(resting bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.resting = resting
	for w := range o.wires {
		if resting {
			w.arm(0, false)
		}
	}
}

// begin notes an operation's connection, unless none may run now.
func (o *operations) begin(w *wire) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.resting {
		return false
	}
	if o.wires == nil {
		o.wires = make(map[*wire]bool)
	}
	o.wires[w] = true
	return true
}

func (o *operations) end(w *wire) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.wires, w)
}

func (o *operations) note(name string, by int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.left == nil {
		o.left = make(map[string]int)
	}
	o.left[name] += by
}

// running returns the operations that run.
func (o *operations) running() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	for name, n := range o.left {
		if n > 0 {
			names = append(names, name)
		}
	}
	return names
}

// operate has an operator run a command until it succeeds: one that dies, or
// that says it was not possible, is run again.
func (s *sim) operate(ctx context.Context, name string, step Step, run func(ctx context.Context, cfg aws.Config) error) {
	s.operations.note(name, 1)
	s.operations.done.Go(func() {
		defer s.operations.note(name, -1)
		for attempt := 0; ctx.Err() == nil; attempt++ {
			w := &wire{next: s.engine.Transport(), dead: make(chan struct{})}
			if !s.operations.begin(w) {
				select {
				case <-ctx.Done():
				case <-time.After(time.Minute):
				}
				continue
			}
			if !s.weather.fine.Load() {
				switch (step.N/8 + attempt) % 3 {
				case 1:
					w.arm((step.N/16+7*attempt)%40, step.N%2 == 0)
				case 2: // once it has noted how far it is
					w.armAfter("UpdateItem", (step.N/16+attempt)%3)
				}
			}
			process, stop := context.WithCancel(ctx)
			ended := make(chan error, 1)
			s.corpses.Go(func() {
				cfg := s.cfg.Copy()
				cfg.HTTPClient = &http.Client{Transport: w}
				ended <- run(process, cfg)
			})
			select {
			case <-w.dead:
				stop()
				s.operations.end(w)
			case err := <-ended:
				stop()
				s.operations.end(w)
				if err == nil {
					return
				}
				if errors.Is(err, dynamostore.ErrSuperseded) || errors.Is(err, replay.ErrTooOld) {
					return // another one sees to it, or it is too late
				}
				if s.weather.fine.Load() && attempt > maxOperations {
					s.fail("%s ends with %v", name, err)
					return
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(restartPause):
			}
		}
	})
}

// maxOperations is how often an operator is ready to run a command again when
// nothing goes wrong any more.
const maxOperations = 50

func (s *sim) contractSource() (*replica.Source, error) {
	return replica.NewSource(s.m.Service, s.m.Publishes[0], profilev1.Contract)
}

// backfill loads the source into a subscriber.
func (s *sim) backfill(ctx context.Context, t *tenant, step Step) {
	s.operate(ctx, "the backfill of "+t.manifest.Service, step, func(ctx context.Context, cfg aws.Config) error {
		from, err := s.contractSource()
		if err != nil {
			return err
		}
		publisher, err := snspub.New(sns.NewFromConfig(cfg), snspub.Config{})
		if err != nil {
			return err
		}
		db := dynamodb.NewFromConfig(cfg)
		b, err := backfill.New(backfill.Config{
			Source: from, Table: dynamostore.NewSource(db, s.foreign.table), Scanner: dynamostore.NewScan(db), Publisher: publisher,
			Subscriber: t.manifest.Service, Attributes: t.manifest.Subscribes[0].Attributes,
			Canaries: dynamostore.NewCanaries(db, t.manifest.Subscribes[0].ControlTable),
			Runs:     dynamostore.NewProgress(db, s.m.Publishes[0].CheckpointTable),
			Segments: 1 + step.N%3, PageItems: 1 + step.N/3%3, Restart: step.N%11 == 0,
		})
		if err != nil {
			return err
		}
		_, err = b.Run(ctx)
		return err
	})
}

// replay publishes the last hours' changes to a subscriber once more.
func (s *sim) replay(ctx context.Context, t *tenant, step Step) {
	since := time.Now().Add(-time.Duration(1+step.N%600) * time.Minute)
	s.operate(ctx, "the replay to "+t.manifest.Service, step, func(ctx context.Context, cfg aws.Config) error {
		from, err := s.contractSource()
		if err != nil {
			return err
		}
		publisher, err := snspub.New(sns.NewFromConfig(cfg), snspub.Config{})
		if err != nil {
			return err
		}
		r, err := replay.New(replay.Config{
			Source: from, Table: s.foreign.table, Streams: dynamodbstreams.NewFromConfig(cfg), Publisher: publisher,
			Subscriber: t.manifest.Service, Since: since,
		})
		if err != nil {
			return err
		}
		_, err = r.Run(ctx)
		return err
	})
}

// redrive puts back the dead letters that a subscriber can apply now.
func (s *sim) redrive(ctx context.Context, t *tenant, step Step) {
	queue := t.manifest.Subscribes[0].Queue
	s.operate(ctx, "the redrive of "+t.manifest.Service, step, func(ctx context.Context, cfg aws.Config) error {
		dry, err := replica.NewDryRun(replica.DryRunConfig{
			Service: t.manifest.Service, Catalog: catalog, Subscriptions: t.manifest.Subscribes, Tables: t.manifest.Tables,
			Store: dynamostore.New(dynamodb.NewFromConfig(cfg), dynamostore.Config{}),
		})
		if err != nil {
			return err
		}
		r, err := redrive.New(redrive.Config{
			Client: sqs.NewFromConfig(cfg), DeadLetters: queue.DeadLetterQueue, Queue: queue.Name, Catalog: catalog,
			DryRun: dry, DropSuperseded: step.N%2 == 0,
		})
		if err != nil {
			return err
		}
		_, err = r.Run(ctx, redrive.Selection{All: true})
		return err
	})
}

// finish waits until every operation has ended.
func (s *sim) finish() error {
	for range 1000 {
		left := s.operations.running()
		if len(left) == 0 {
			return nil
		}
		time.Sleep(10 * time.Second)
	}
	return fmt.Errorf("after hours there runs still %v", s.operations.running())
}

// blackout keeps every process down for more than a day, in which the owner
// writes, and its stream forgets. Before it all changes are published. The
// subscribers are backfilled afterwards, as operators do.
func (s *sim) blackout(ctx context.Context, step Step) error {
	s.calmDown()
	if err := s.mend(ctx); err != nil {
		return err
	}
	time.Sleep(2 * time.Minute)
	if err := s.finish(); err != nil {
		return err
	}
	if err := s.history(ctx); err != nil { // which goes with the stream
		return err
	}
	err := s.rest(func() error {
		for i, kind := range []Kind{OwnWrite, []Kind{OwnDelete, OwnRace, OwnWrite}[step.N%3]} {
			write := Step{ID: 3000 + 100*i + step.ID, Kind: kind, Item: (step.Item + i) % Items, N: step.N, Skew: step.Skew}
			if err := s.take(ctx, write); err != nil {
				return err
			}
		}
		time.Sleep(25 * time.Hour)
		return s.engine.DynamoDB().TrimStream(s.foreign.table)
	})
	if err != nil {
		return err
	}
	s.weather.fine.Store(false)
	for _, t := range s.tenants {
		s.backfill(ctx, t, step)
	}
	if err := s.finish(); err != nil {
		return err
	}
	// Later writes to the same items would hide what a backfill left out.
	if err := s.settle(ctx); err != nil {
		return err
	}
	s.weather.fine.Store(false)
	return nil
}
