package replicatest

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// sim is one simulation, inside a synctest bubble.
type sim struct {
	engine  *localaws.Engine
	weather *weather
	cfg     aws.Config // the processes', but for the transport
	owner   Owner
	m       *manifest.Manifest // the owner's
	tenants []*tenant

	patient aws.Config       // for calls that must succeed in the end
	db      *dynamodb.Client // as the streams and queues: the simulation's own hand
	streams *dynamodbstreams.Client
	queues  *sqs.Client
	foreign foreign

	relays     [2]*post
	intoRelays interlude
	operations operations
	calm       bool           // nothing has gone wrong for a while that could explain a dead letter without a reason
	corpses    sync.WaitGroup // processes, also dead ones

	mu       sync.Mutex
	failures []string
}

// tenant is a subscriber in a simulation.
type tenant struct {
	Subscriber
	manifest  *manifest.Manifest
	items     LocalItems
	consumers [2]*post
	own       map[string]contracts.Item // what is the service's own of an item, by place
}

// maxFailures bounds what a broken run says.
const maxFailures = 12

func (s *sim) fail(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.failures) < maxFailures {
		s.failures = append(s.failures, fmt.Sprintf(format, args...))
	}
}

// Services are who takes part in a simulation.
type Services struct {
	// Owner is the library's own where it is left out.
	Owner Owner
	// Subscribers are those of Subscribers() where there are none.
	Subscribers []Subscriber
}

// Check runs a plan and fails the test with a Report where it breaks a promise,
// for which it runs it up to so many times more to shorten it. It reports
// whether every promise was kept.
func Check(t *testing.T, plan Plan, services Services, shrink int) bool {
	t.Helper()
	run := func(p Plan) []string { return Run(t, p, services) }
	failures := run(plan)
	if len(failures) == 0 {
		return true
	}
	shortest, failures := Shrink(plan, failures, shrink, run)
	t.Error(Report(plan, shortest, failures))
	return false
}

// Run runs a plan in virtual time and returns which promises were broken, in
// words. It must be called outside of any synctest bubble; several may run at
// once.
func Run(t *testing.T, plan Plan, services Services) []string {
	t.Helper()
	var failures []string
	synctest.Test(t, func(t *testing.T) {
		s, err := newSim(t.Context(), plan.Seed, services)
		if err != nil {
			failures = []string{fmt.Sprintf("set the simulation up: %v", err)}
			return
		}
		defer s.engine.Close()
		s.play(t.Context(), plan)
		failures = s.failures
	})
	return failures
}

func newSim(ctx context.Context, seed uint64, services Services) (*sim, error) {
	w := newWeather(seed)
	w.fine.Store(true)
	s := &sim{weather: w, owner: services.Owner.withDefaults()}
	if len(services.Subscribers) == 0 {
		services.Subscribers = Subscribers()
	}
	var err error
	if s.m, err = parse(s.owner.Manifest); err != nil {
		return nil, err
	}
	if len(s.m.Publishes) != 1 || s.m.Publishes[0].Contract != profilev1.Contract.ID() {
		return nil, fmt.Errorf("manifest of %s: want one publication, of %s", s.m.Service, profilev1.Contract.ID())
	}
	if _, err := s.m.Publishes[0].KeyOf(subjectOf(0)); err != nil {
		return nil, err
	}
	for _, of := range services.Subscribers {
		t := &tenant{Subscriber: of.withDefaults(), own: make(map[string]contracts.Item)}
		if t.manifest, err = parse(of.Manifest); err != nil {
			return nil, err
		}
		if len(t.manifest.Subscribes) != 1 || t.manifest.Subscribes[0].Contract != profilev1.Contract.ID() {
			return nil, fmt.Errorf("manifest of %s: want one subscription, to %s", t.manifest.Service, profilev1.Contract.ID())
		}
		s.tenants = append(s.tenants, t)
	}
	s.engine = localaws.New(localaws.Config{
		Seed: seed + 1, Shuffle: true, StreamShards: 1 + int(w.roll("shards", 0)%2),
		StatementsReturnNoItems: w.roll("statements return no items", 0)%2 == 0,
		DisturbSNS:              w.sns, DisturbSQS: w.sqs, PublishFault: w.publish, SQSEntryFault: w.entry, Logger: quiet,
	})
	if err := s.open(ctx); err != nil {
		s.engine.Close()
		return nil, err
	}
	return s, nil
}

func parse(text string) (*manifest.Manifest, error) {
	return manifest.Parse(manifest.FileName, []byte(text))
}

// open creates what the manifests declare, and the posts.
func (s *sim) open(ctx context.Context) error {
	s.cfg = localawstest.Config(s.engine)
	s.patient = s.cfg.Copy()
	s.patient.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.RateLimiter = 40, ratelimit.None })
	}
	s.db, s.streams, s.queues = dynamodb.NewFromConfig(s.patient), dynamodbstreams.NewFromConfig(s.patient), sqs.NewFromConfig(s.patient)
	s.foreign = foreign{newSourceTable(s.db, s.m), s.db}
	account := accounttest.New(s.patient)
	account.Streams = true
	manifests := []*manifest.Manifest{s.m}
	for _, t := range s.tenants {
		manifests = append(manifests, t.manifest)
	}
	if err := account.Create(ctx, manifests...); err != nil {
		return err
	}
	s.intoRelays.table = s.foreign.table
	for i := range s.relays {
		s.relays[i] = &post{name: "relay " + strconv.Itoa(i), s: s, by: &s.intoRelays, run: func(ctx context.Context, cfg aws.Config) error {
			return s.owner.Relay(ctx, cfg, s.m)
		}}
	}
	for _, t := range s.tenants {
		var err error
		if t.items, err = t.Open(s.patient, t.manifest); err != nil {
			return err
		}
		for i := range t.consumers {
			t.consumers[i] = &post{name: fmt.Sprint(t.manifest.Service, " consumer ", i), s: s, run: func(ctx context.Context, cfg aws.Config) error {
				return t.Consume(ctx, cfg, t.manifest)
			}}
		}
	}
	return nil
}

// posts are the relays and the consumers, each first one first.
func (s *sim) posts() []*post {
	posts := []*post{s.relays[0], s.relays[1]}
	for _, t := range s.tenants {
		posts = append(posts, t.consumers[0], t.consumers[1])
	}
	return posts
}

// each does something to several posts at once and waits for it.
func each(posts []*post, do func(*post)) {
	var group sync.WaitGroup
	for _, p := range posts {
		group.Go(func() { do(p) })
	}
	group.Wait()
}

// rest does something while no process runs.
func (s *sim) rest(meanwhile func() error) error {
	var taken []*post
	for _, p := range s.posts() {
		if p.taken() {
			taken = append(taken, p)
		}
	}
	each(taken, (*post).vacate)
	defer each(taken, (*post).start)
	s.operations.rest(true)
	defer s.operations.rest(false)
	return meanwhile()
}

// asleep is what takes so long.
func asleep(d time.Duration) func() error {
	return func() error {
		time.Sleep(d)
		return nil
	}
}

// play plays the plan and compares in the end.
func (s *sim) play(ctx context.Context, plan Plan) {
	ctx, cancel := context.WithCancel(ctx)
	defer s.corpses.Wait()
	defer s.operations.done.Wait()
	defer cancel()
	defer func() { each(s.posts(), (*post).vacate) }()
	for i, p := range s.posts() {
		if i%2 == 0 {
			p.start()
		}
	}
	s.engine.SetFaults(s.weather.fault)
	s.weather.fine.Store(false)
	for _, step := range plan.Steps {
		if err := s.take(ctx, step); err != nil {
			s.fail("step %v: %v", step, err)
		}
		time.Sleep(step.Then)
	}
	for _, end := range []func() error{
		func() error { return s.settle(ctx) },
		func() error { return s.try(ctx, int(plan.Seed%1_000_000)) },
		func() error { return s.quieten(ctx) },
		func() error { return s.compare(ctx, all) },
		func() error { return s.history(ctx) },
	} {
		if err := end(); err != nil {
			s.fail("at the end: %v", err)
		}
	}
}
