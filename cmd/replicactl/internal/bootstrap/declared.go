package bootstrap

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Retention of messages: a dead-letter queue's counts from the first enqueue,
// so it has to be the longer one (SQS, "Dead-letter queues"); 14 days is the
// most there is.
const (
	retention           = 4 * 24 * time.Hour
	deadLetterRetention = 14 * 24 * time.Hour
)

// declarations are what manifests say together, in the order in which it can
// be made.
type declarations struct {
	tables        []tableSpec
	topics        []topicSpec
	queues        []queueSpec
	subscriptions []subscriptionSpec
}

type tableSpec struct {
	service string
	manifest.Table
}

type topicSpec struct{ service, name, contract, table string }

type queueSpec struct {
	service   string
	name      string
	retention time.Duration
	// visibility is 0 where the manifest says nothing.
	visibility time.Duration
	// deadLetters and maxReceives are empty for a dead-letter queue.
	deadLetters string
	maxReceives int
	// topic may send; empty where none may.
	topic string
}

type subscriptionSpec struct {
	service     string
	contract    string
	topic       string
	queue       string
	deadLetters string
	filter      string
	replicas    []manifest.Replica
}

// name is what the subscription's step is called.
func (s subscriptionSpec) name() string { return s.topic + " -> " + s.queue }

// declared collects what the manifests say and refuses what two of them say
// differently.
func declared(manifests []*manifest.Manifest) (declarations, error) {
	var d declarations
	owners := claims{}
	for _, m := range manifests {
		owners.take("service", m.Service, m.Service)
		for _, t := range m.Tables {
			owners.take("table", t.Name, m.Service)
			d.tables = append(d.tables, tableSpec{m.Service, t})
		}
		for _, p := range m.Publishes {
			d.publication(owners, m, p)
		}
		for _, s := range m.Subscribes {
			d.subscription(owners, m, s)
		}
	}
	return d, owners.twice()
}

func (d *declarations) publication(owners claims, m *manifest.Manifest, p manifest.Publication) {
	d.bookkeeping(owners, m, p.CheckpointTableSpec())
	owners.take("topic", p.Topic, m.Service)
	d.topics = append(d.topics, topicSpec{m.Service, p.Topic, p.Contract, p.Table})
	owners.take("queue", p.DeadLetterQueue, m.Service)
	d.queues = append(d.queues, queueSpec{service: m.Service, name: p.DeadLetterQueue, retention: deadLetterRetention})
}

// bookkeeping adds a table that the library needs, unless the service declares
// it or needs it twice.
func (d *declarations) bookkeeping(owners claims, m *manifest.Manifest, t manifest.Table) {
	if slices.ContainsFunc(d.tables, func(has tableSpec) bool { return has.service == m.Service && has.Name == t.Name }) {
		return
	}
	owners.take("table", t.Name, m.Service)
	d.tables = append(d.tables, tableSpec{m.Service, t})
}

func (d *declarations) subscription(owners claims, m *manifest.Manifest, s manifest.Subscription) {
	d.bookkeeping(owners, m, s.ControlTableSpec())
	owners.take("queue", s.Queue.DeadLetterQueue, m.Service)
	owners.take("queue", s.Queue.Name, m.Service)
	// SNS itself writes to the dead-letter queue what it could not deliver, so
	// that queue needs to let the topic in too (SNS, "Dead-letter queues").
	d.queues = append(d.queues,
		queueSpec{service: m.Service, name: s.Queue.DeadLetterQueue, retention: deadLetterRetention, topic: s.Topic},
		queueSpec{service: m.Service, name: s.Queue.Name, retention: retention, visibility: s.Queue.VisibilityTimeout.Std(),
			deadLetters: s.Queue.DeadLetterQueue, maxReceives: s.Queue.MaxReceiveCount, topic: s.Topic})
	d.subscriptions = append(d.subscriptions, subscriptionSpec{service: m.Service, contract: s.Contract, topic: s.Topic, queue: s.Queue.Name,
		deadLetters: s.Queue.DeadLetterQueue, filter: s.FilterPolicy(m.Service), replicas: s.Replicas})
}

// claims holds the services that declare a thing, by what it is.
type claims map[[2]string][]string

func (c claims) take(what, name, service string) {
	key := [2]string{what, name}
	c[key] = append(c[key], service)
}

func (c claims) twice() error {
	var errs []error
	for key, services := range c {
		if len(services) > 1 {
			errs = append(errs, fmt.Errorf("the %s %s is declared by more than one manifest, of %v; each has one owner, so name one of them otherwise or give each manifest once", key[0], key[1], services))
		}
	}
	slices.SortFunc(errs, func(a, b error) int {
		if a.Error() < b.Error() {
			return -1
		}
		return 1
	})
	return errors.Join(errs...)
}
