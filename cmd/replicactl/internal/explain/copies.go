package explain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
	"github.com/tributary-dev/tributary/pkg/replica/streamletters"
)

// local is a copy before it is compared.
type local struct {
	view *replica.View
	key  contracts.Item
	item contracts.Item
}

// subscriber reads every local item of the subject.
func (g *gathering) subscriber(ctx context.Context, s *Subscriber, sub target.Subscribed) {
	s.Service, s.Copies, s.Letters = sub.Service(), []Copy{}, []Letter{}
	s.attributes = slices.Sorted(slices.Values(sub.Subscription.Attributes))
	for _, r := range sub.Subscription.Replicas {
		if r.Kind() == manifest.Function {
			s.Functions = append(s.Functions, r.Function)
		}
		s.secondPass = max(s.secondPass, time.Duration(r.SecondPass))
	}
	views, err := replica.Views(sub.Contract, sub.Subscription, sub.Manifest.Tables)
	if err != nil {
		s.Unread = err.Error()
		g.unread("read the copies of "+s.Service, err)
	}
	for _, v := range views {
		err := g.copies(ctx, s, sub, v)
		if err == nil {
			continue
		}
		if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
			if !slices.Contains(s.Gone, v.Table()) {
				s.Gone = append(s.Gone, v.Table())
			}
			continue
		}
		on := "table " + v.Table()
		if v.FanOut() {
			on = fmt.Sprintf("index %s of table %s", v.Index(), v.Table())
		}
		s.unread = append(s.unread, unreadView{v, fmt.Errorf("%s: %w", v.Name(), trouble.Tell(g.Clients, connect.DynamoDB, on, err))})
	}
}

// unreadView is a replica whose copies could not be read.
type unreadView struct {
	view *replica.View
	err  error
}

// accept says why replicas could not be read, now that it is known which indexes
// there are: a query of one that is not there, or not filled yet, is answered
// with a ValidationException, as any wrong query is ("Query", DynamoDB API
// reference).
func (g *gathering) accept(s *Subscriber) {
	for _, u := range s.unread {
		state := s.index(u.view)
		switch api, answered := errors.AsType[smithy.APIError](u.err); {
		case !answered || api.ErrorCode() != "ValidationException":
		case state.Missing:
			s.GoneIndexes = append(s.GoneIndexes, Index{Table: u.view.Table(), Name: u.view.Index()})
			continue
		case state.Value != nil && *state.Value != string(types.IndexStatusActive):
			s.GoneIndexes = append(s.GoneIndexes, Index{u.view.Table(), u.view.Index(), *state.Value})
			continue
		}
		if s.Unread == "" {
			s.Unread = u.err.Error()
		}
		g.unread("read the copies of "+s.Service, u.err)
	}
}

// index is the state of the index that a fan-out's copies are found by.
func (s *Subscriber) index(v *replica.View) status.Cell[string] {
	if s.Subscription != nil {
		for _, store := range s.Subscription.Stores {
			if v.FanOut() && store.Table == v.Table() && store.Index == v.Index() {
				return store.State
			}
		}
	}
	return status.Cell[string]{}
}

func (g *gathering) copies(ctx context.Context, s *Subscriber, sub target.Subscribed, v *replica.View) error {
	if !v.FanOut() {
		key, err := v.Key(g.Subject)
		if err != nil {
			return err
		}
		item, err := g.store.Read(ctx, v.Table(), key)
		if err != nil {
			return err
		}
		s.Copies = append(s.Copies, Copy{found: local{v, key, item}})
		return nil
	}
	partition, err := v.Partition(g.Subject)
	if err != nil {
		return err
	}
	find := replica.Find{Table: v.Table(), Index: v.Index(), Partition: partition}
	table, ok := sub.Manifest.Table(v.Table())
	if !ok {
		return errors.New("the manifest does not declare the table")
	}
	for _, k := range table.KeyAttributes() {
		find.Attributes = append(find.Attributes, k.Name)
	}
	for left := g.MaxCopies; ; {
		listed, next, err := g.store.Find(ctx, find)
		if err != nil {
			return err
		}
		more := len(listed) > left
		listed = listed[:min(len(listed), left)]
		left -= len(listed)
		keys := make([]contracts.Item, len(listed))
		for i, item := range listed {
			keys[i] = v.LocalKey(item)
		}
		items, err := g.store.BatchRead(ctx, v.Table(), keys)
		if err != nil {
			return err
		}
		for i, item := range items {
			// The index may list what was deleted or has moved to another subject.
			if at, listed := v.Subject(item); item != nil && listed && at == g.Subject {
				s.Copies = append(s.Copies, Copy{found: local{v, keys[i], item}})
			}
		}
		switch {
		case more:
			s.LookedAt = append(s.LookedAt, LookedAt{Replica: v.Name(), Copies: g.MaxCopies})
			return nil
		case next == nil:
			return nil
		}
		find.Start = next
	}
}

// compare says of each copy how it differs from what the source asks for, now
// that both were read.
func (g *gathering) compare(s *Subscriber, sub target.Subscribed) {
	now := g.Now()
	snap := g.facts.Source.snapshot
	for i := range s.Copies {
		c := &s.Copies[i]
		v, item := c.found.view, c.found.item
		c.Replica, c.Key, c.Fields = v.Name(), texts(c.found.key), map[string]string{}
		c.stored, c.remapped = v.Stored(item, now), v.Copied(item) && v.Remapped(item)
		if c.stored != 0 {
			c.Version = c.stored.String()
		}
		for _, name := range v.Attributes() {
			if value, has := item[name]; has {
				c.Fields[name] = valueText(value)
			}
		}
		switch g.facts.Source.State {
		case Unreadable:
			c.Drift = "unknown"
			continue
		case Unversioned:
			c.Drift = "unknown until the source is stamped"
			continue
		}
		c.drift = v.Compare(snap, item, now)
		c.Drift = c.drift.String()
	}
	if s.Subscription == nil || s.Subscription.Settings.Value == nil {
		return
	}
	var policy struct {
		Changed []string `json:"changed"`
	}
	filter := s.Subscription.Settings.Value.Filter
	if filter != "" && json.Unmarshal([]byte(filter), &policy) == nil && policy.Changed != nil {
		s.lets = slices.Sorted(slices.Values(policy.Changed))
	}
}

// letters returns the letters about the subject in a dead-letter queue: each
// is received once, and visible again when all were seen. unread says that there
// are others.
func (g *gathering) letters(ctx context.Context, queue string) (found []Letter, unread bool) {
	found = []Letter{}
	note := func(err error) {
		if err != nil && ctx.Err() == nil {
			g.unread("read the dead letters in "+queue, trouble.Tell(g.Clients, connect.SQS, "queue "+queue, err))
		}
	}
	box, err := sqssub.OpenDeadLetterBox(ctx, g.Clients.SQS, queue, sqssub.BoxConfig{
		Visibility: 30 * time.Second, Wait: time.Second, MaxHeld: g.MaxLetters,
	})
	if err != nil {
		note(err)
		return found, true
	}
	defer func() { note(box.Close()) }()
	for read := 0; read < g.MaxLetters; {
		messages, err := box.Take(ctx)
		if err != nil {
			note(err)
			return found, true
		}
		if len(messages) == 0 {
			break
		}
		read += len(messages)
		for _, msg := range messages {
			l := redrive.Read(msg, g.Set.Catalog())
			if letter, about := g.letter(queue, &l); about {
				found = append(found, letter)
			}
		}
	}
	if left := box.Left(); left > 0 {
		note(fmt.Errorf("%d more were not looked at, or are held by another tool", left))
		return found, true
	}
	return found, false
}

// letter returns what is told of a letter, if it is about the subject: a
// change's event says so, a record's attributes do.
func (g *gathering) letter(queue string, l *redrive.Letter) (Letter, bool) {
	attribute := func(name string) string {
		if a := l.Attributes[name]; a.StringValue != nil {
			return *a.StringValue
		}
		return ""
	}
	event := l.Contract == g.Contract && l.Subject == g.Subject
	record := l.Unknown != nil && attribute("contract") == g.Contract && attribute("subject") == g.Subject
	if !event && !record {
		return Letter{}, false
	}
	letter := Letter{Queue: queue, ID: l.ID, Reason: l.Reason, Detail: l.Detail, version: l.Version}
	if record {
		letter.version, letter.made = g.recorded(l.Body)
	}
	if letter.version != 0 {
		letter.Version = letter.version.String()
	}
	if event {
		published := l.Published.UTC()
		letter.Published = &published
	}
	return letter, true
}

// recorded returns the version that a stream record's item has, or had when it
// was removed, and when the record was made; zero where the letter does not say.
func (g *gathering) recorded(body []byte) (version contracts.Version, made time.Time) {
	content, err := streamletters.Decode(body)
	if err != nil {
		return 0, time.Time{}
	}
	for _, r := range content.Records {
		if len(r.Images) > 0 { // the new one is the last
			version = contracts.VersionOf(r.Images[len(r.Images)-1][g.published.Publication.Bookkeeping().Version], g.Now())
		}
		made = r.Created
	}
	return version, made
}
