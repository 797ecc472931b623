// Package target finds what an operator names (a contract, a subscriber) in the
// manifests that were read.
//
// It promises that a name that is not there gives an error that lists what is.
// It calls nothing. A Set is immutable and safe for concurrent use.
package target

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Set is what a project's manifests declare together.
type Set struct {
	manifests []*manifest.Manifest
	contracts *contracts.Catalog
}

// New returns the set of these manifests, with every contract of the workspace.
func New(manifests []*manifest.Manifest) *Set {
	return &Set{manifests: manifests, contracts: catalog.All()}
}

// Manifests returns the manifests in the order they were read.
func (s *Set) Manifests() []*manifest.Manifest { return slices.Clone(s.manifests) }

// Catalog returns the contracts that are known.
func (s *Set) Catalog() *contracts.Catalog { return s.contracts }

// Published is a contract where its owner keeps it.
type Published struct {
	Manifest    *manifest.Manifest
	Publication manifest.Publication
	Contract    *contracts.Contract
}

// Service returns the owner's name.
func (p Published) Service() string { return p.Manifest.Service }

// Source returns the contract's items in the owner's table.
func (p Published) Source() (*replica.Source, error) {
	return replica.NewSource(p.Manifest.Service, p.Publication, p.Contract)
}

// Subscribed is a contract where a subscriber keeps its copies.
type Subscribed struct {
	Manifest     *manifest.Manifest
	Subscription manifest.Subscription
	Contract     *contracts.Contract
}

// Service returns the subscriber's name, which is also its audience.
func (s Subscribed) Service() string { return s.Manifest.Service }

// Publication returns where a contract is published.
func (s *Set) Publication(contract string) (Published, error) {
	for _, m := range s.manifests {
		if p, ok := m.Publication(contract); ok {
			known, err := s.contract(contract)
			return Published{m, p, known}, err
		}
	}
	return Published{}, s.noContract(contract)
}

// Subscription returns a service's subscription to a contract.
func (s *Set) Subscription(contract, subscriber string) (Subscribed, error) {
	for _, m := range s.manifests {
		if m.Service != subscriber {
			continue
		}
		if sub, ok := m.Subscription(contract); ok {
			known, err := s.contract(contract)
			return Subscribed{m, sub, known}, err
		}
	}
	return Subscribed{}, s.NoSubscriber(contract, subscriber)
}

// Unknown is a name that the manifests do not have.
type Unknown struct{ text string }

func (e *Unknown) Error() string { return e.text }

func unknown(format string, args ...any) error { return &Unknown{fmt.Sprintf(format, args...)} }

// NoSubscriber says that a service does not subscribe to a contract, or that
// nobody does; an empty name stands for any. It lists who does.
func (s *Set) NoSubscriber(contract, subscriber string) error {
	named := "subscriber " + subscriber
	switch {
	case contract == "":
		return unknown("%s: no manifest declares it; %s", named, among("subscribers are", s.Subscribers("")))
	case !slices.Contains(s.Contracts(), contract) && len(s.Subscribers(contract)) == 0:
		return s.noContract(contract)
	case subscriber == "":
		named = "a subscriber"
	}
	return unknown("%s of %s: no manifest declares it; %s", named, contract, among("its subscribers are", s.Subscribers(contract)))
}

// Declares says whether a manifest publishes or subscribes to a contract.
func (s *Set) Declares(contract string) error {
	if slices.Contains(s.Contracts(), contract) || len(s.Subscribers(contract)) > 0 {
		return nil
	}
	return s.noContract(contract)
}

func (s *Set) noContract(contract string) error {
	return unknown("contract %s: no manifest publishes it; %s", contract, among("published are", s.Contracts()))
}

// Subscriptions returns every subscription to a contract.
func (s *Set) Subscriptions(contract string) ([]Subscribed, error) {
	known, err := s.contract(contract)
	if err != nil {
		return nil, err
	}
	var all []Subscribed
	for _, m := range s.manifests {
		if sub, ok := m.Subscription(contract); ok {
			all = append(all, Subscribed{m, sub, known})
		}
	}
	return all, nil
}

func (s *Set) contract(id string) (*contracts.Contract, error) {
	if known, ok := s.contracts.ByID(id); ok {
		return known, nil
	}
	var ids []string
	for _, c := range s.contracts.All() {
		ids = append(ids, c.ID())
	}
	return nil, fmt.Errorf("contract %s: this replicactl was built without it; %s", id, among("it knows", ids))
}

// Contracts returns the published contracts, sorted.
func (s *Set) Contracts() []string {
	return s.names(func(m *manifest.Manifest, add func(string)) {
		for _, p := range m.Publishes {
			add(p.Contract)
		}
	})
}

// Subscribers returns the services that subscribe to a contract, or to any where
// it is empty, sorted.
func (s *Set) Subscribers(contract string) []string {
	return s.names(func(m *manifest.Manifest, add func(string)) {
		for _, sub := range m.Subscribes {
			if contract == "" || sub.Contract == contract {
				add(m.Service)
			}
		}
	})
}

// Tables returns the declared tables, sorted.
func (s *Set) Tables() []string {
	return s.names(func(m *manifest.Manifest, add func(string)) {
		for _, t := range m.Tables {
			add(t.Name)
		}
	})
}

// Topics returns the topics, of owners and subscribers, sorted.
func (s *Set) Topics() []string {
	return s.names(func(m *manifest.Manifest, add func(string)) {
		for _, p := range m.Publishes {
			add(p.Topic)
		}
		for _, sub := range m.Subscribes {
			add(sub.Topic)
		}
	})
}

func (s *Set) names(each func(*manifest.Manifest, func(string))) []string {
	var all []string
	for _, m := range s.manifests {
		each(m, func(name string) { all = append(all, name) })
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func among(what string, names []string) string {
	if len(names) == 0 {
		return "there is none in the manifests that were read; name more with --manifest"
	}
	return what + " " + strings.Join(names, ", ")
}
