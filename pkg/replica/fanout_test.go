package replica_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
)

var users = []string{"ada", "bob", "cyd", "dan"}

// watched puts the company on everybody's watchlist, with no copy yet.
func (s *shelf) watched() {
	s.t.Helper()
	for _, u := range users {
		s.put("watchlists", attrs("user", u, "cik", "1", "note", u))
	}
	s.put("watchlists", attrs("user", "ada", "cik", "2"))
}

// names are the copies' names by user.
func (s *shelf) names() map[string]string {
	s.t.Helper()
	out := make(map[string]string)
	for _, u := range users {
		if item := s.watch(u, "1"); item != nil {
			out[u] = item["companyName"].Text()
		}
	}
	return out
}

func everybody(name string) map[string]string {
	out := make(map[string]string)
	for _, u := range users {
		out[u] = name
	}
	return out
}

const atomically = "set: {companyName: name}\n        version_attribute: profileVersion\n        on_delete: clear"

// both runs a test for copies written one by one and in one transaction.
func both(t *testing.T, f func(s *shelf, a *replica.Applier)) {
	t.Helper()
	for name, edits := range map[string][]string{"each by itself": nil, "in one transaction": {atomically, atomically + "\n        atomic: true"}} {
		t.Run(name, func(t *testing.T) {
			inShelf(t, func(s *shelf) { f(s, s.applier(edits...)) })
		})
	}
}

func TestFanOutReachesEveryCopyOfTheSubjectAlone(t *testing.T) {
	both(t, func(s *shelf, a *replica.Applier) {
		s.watched()
		result := s.apply(a, upsert(time.Second, "name", "A", "sector", "X"))
		if diff := cmp.Diff(everybody("A"), s.names()); diff != "" {
			s.t.Error(diff)
		}
		if diff := cmp.Diff(map[replica.Outcome]int{replica.Applied: 4}, result.Copies); diff != "" {
			s.t.Error(diff)
		}
		if _, ok := s.watch("ada", "2")["companyName"]; ok {
			s.t.Error("another subject's entry was written")
		}
		if s.watch("bob", "1")["note"].Text() != "bob" {
			s.t.Error("the entry's own attribute is gone")
		}
		s.apply(a, deletion(2*time.Second))
		if diff := cmp.Diff(everybody(""), s.names()); diff != "" {
			s.t.Error(diff)
		}
	})
}

// A crash between the item replica and its copies is healed by the redelivery,
// which is a duplicate by then.
func TestADuplicateRepeatsTheFanOutFromTheReplicasState(t *testing.T) {
	both(t, func(s *shelf, a *replica.Applier) {
		change := upsert(time.Second, "name", "A", "sector", "X")
		s.apply(a, change) // nothing is watched yet: as if it had died here
		s.watched()
		if got := s.apply(a, change); got.Outcome != replica.Duplicate || got.Again == 0 {
			s.t.Errorf("redelivery: %+v", got)
		}
		if diff := cmp.Diff(everybody("A"), s.names()); diff != "" {
			s.t.Error(diff)
		}
	})
}

func TestAStaleChangeTouchesNoCopy(t *testing.T) {
	both(t, func(s *shelf, a *replica.Applier) {
		s.apply(a, upsert(time.Minute, "name", "new"))
		s.watched()
		s.apply(a, upsert(time.Second, "name", "old"))
		if diff := cmp.Diff(everybody(""), s.names()); diff != "" {
			s.t.Error(diff)
		}
	})
}

// A copy that is already newer keeps what it has, and costs its neighbours
// nothing, in a transaction either.
func TestACopyThatIsNewerIsLeftAlone(t *testing.T) {
	both(t, func(s *shelf, a *replica.Applier) {
		s.watched()
		s.put("watchlists", contracts.Item{
			"user": contracts.String("cyd"), "cik": contracts.String("1"), "companyName": contracts.String("newer"),
			"profileVersion": upsert(time.Hour).Version.Value(),
		})
		result := s.apply(a, upsert(time.Second, "name", "A"))
		want := everybody("A")
		want["cyd"] = "newer"
		if diff := cmp.Diff(want, s.names()); diff != "" {
			s.t.Error(diff)
		}
		if diff := cmp.Diff(map[replica.Outcome]int{replica.Applied: 3, replica.Stale: 1}, result.Copies); diff != "" {
			s.t.Error(diff)
		}
	})
}

// vanishing is a store in which entries vanish, or move to another subject,
// between the index's answer and the write.
type vanishing struct {
	replica.Store
	afterFind func()
}

func (v *vanishing) Find(ctx context.Context, in replica.Find) ([]contracts.Item, contracts.Item, error) {
	keys, next, err := v.Store.Find(ctx, in)
	if v.afterFind != nil {
		v.afterFind()
	}
	return keys, next, err
}

func TestACopyDeletedMeanwhileIsNotResurrected(t *testing.T) {
	both(t, func(s *shelf, _ *replica.Applier) {
		s.watched()
		store := &vanishing{Store: s.store}
		store.afterFind = func() {
			s.remove("watchlists", attrs("user", "bob", "cik", "1"))
			store.afterFind = nil
		}
		for _, edits := range [][]string{nil, {atomically, atomically + "\n        atomic: true"}} {
			if _, err := must(newApplier(store, edits...)).Apply(s.t.Context(), upsert(time.Second, "name", "A"), replica.FirstPass); err != nil {
				s.t.Fatal(err)
			}
		}
		want := everybody("A")
		delete(want, "bob")
		if diff := cmp.Diff(want, s.names()); diff != "" {
			s.t.Error(diff)
		}
	})
}

// missesFirst is an index that does not show an entry until later.
type missesFirst struct {
	replica.Store
	user string
	seen bool
}

func (m *missesFirst) Find(ctx context.Context, in replica.Find) ([]contracts.Item, contracts.Item, error) {
	keys, next, err := m.Store.Find(ctx, in)
	if m.seen {
		return keys, next, err
	}
	var shown []contracts.Item
	for _, k := range keys {
		if k["user"].Text() != m.user {
			shown = append(shown, k)
		}
	}
	return shown, next, err
}

func TestTheSecondPassReachesWhatTheIndexDidNotShow(t *testing.T) {
	inShelf(t, func(s *shelf) {
		s.watched()
		index := &missesFirst{Store: s.store, user: "dan"}
		a := must(newApplier(index))
		change := upsert(time.Second, "name", "A")
		first := s.apply(a, change)
		if s.names()["dan"] != "" || first.Again != 10*time.Second {
			t.Fatalf("first pass: dan has %q, again after %s", s.names()["dan"], first.Again)
		}
		index.seen = true
		second, err := a.Apply(s.t.Context(), change, replica.SecondPass)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(everybody("A"), s.names()); diff != "" {
			t.Error(diff)
		}
		if second.Again != 0 {
			t.Errorf("a third pass is asked for after %s", second.Again)
		}
	})
}

// Once everything is in place, a second pass, or a redelivery, costs a read and
// a query, however many copies there are.
func TestASecondPassOverCurrentCopiesWritesNothing(t *testing.T) {
	both(t, func(s *shelf, a *replica.Applier) {
		s.watched()
		change := upsert(time.Second, "name", "A")
		s.apply(a, change)
		before := s.engine.Requests()
		result, err := a.Apply(s.t.Context(), change, replica.SecondPass)
		if err != nil {
			s.t.Fatal(err)
		}
		want := localaws.Requests{{Service: localaws.DynamoDB, Name: "GetItem"}: 1, {Service: localaws.DynamoDB, Name: "Query"}: 1}
		if diff := cmp.Diff(want, s.engine.Requests().Since(before)); diff != "" {
			s.t.Errorf("requests (-want +got)\n%s", diff)
		}
		if diff := cmp.Diff(map[replica.Outcome]int{replica.Duplicate: 4}, result.Copies); diff != "" {
			s.t.Error(diff)
		}
	})
}

func TestFanOutOverManyPages(t *testing.T) {
	both(t, func(s *shelf, a *replica.Applier) {
		const n = 230
		for i := range n {
			s.put("watchlists", attrs("user", fmt.Sprintf("u%03d", i), "cik", "1"))
		}
		small := &paged{Store: s.store}
		if _, err := must(newApplier(small)).Apply(s.t.Context(), upsert(time.Second, "name", "A"), replica.FirstPass); err != nil {
			s.t.Fatal(err)
		}
		s.apply(a, upsert(2*time.Second, "name", "B"))
		for i := range n {
			if got := s.watch(fmt.Sprintf("u%03d", i), "1")["companyName"].Text(); got != "B" {
				s.t.Fatalf("entry %d has %q", i, got)
			}
		}
		if small.pages < 3 {
			s.t.Errorf("%d pages: the test does not page", small.pages)
		}
	})
}

// paged cuts pages down, as a megabyte of copies would.
type paged struct {
	replica.Store
	pages int
}

func (p *paged) Find(ctx context.Context, in replica.Find) ([]contracts.Item, contracts.Item, error) {
	keys, next, err := p.Store.Find(ctx, in)
	p.pages++
	if err == nil && len(keys) > 100 {
		keys, next = keys[:100], attrs("user", keys[99]["user"].Text(), "cik", "1")
	}
	return keys, next, err
}

func TestOneCopyThatFailsCostsNoOtherItsWrite(t *testing.T) {
	inShelf(t, func(s *shelf) {
		s.watched()
		a := must(newApplier(&failing{Store: s.store, user: "bob"}))
		_, err := a.Apply(s.t.Context(), upsert(time.Second, "name", "A"), replica.FirstPass)
		if err == nil || !strings.Contains(err.Error(), "write watchlists 1/bob: ") {
			t.Errorf("error %v does not name the copy", err)
		}
		want := everybody("A")
		want["bob"] = ""
		if diff := cmp.Diff(want, s.names()); diff != "" {
			t.Error(diff)
		}
	})
}

type failing struct {
	replica.Store
	user string
}

func (f *failing) Write(ctx context.Context, w replica.Write) (replica.WriteResult, error) {
	if w.Key["user"].Text() == f.user {
		return replica.WriteResult{}, errors.New("throttled")
	}
	return f.Store.Write(ctx, w)
}

func TestAddCopyTakesNameAndVersionFromTheReplica(t *testing.T) {
	inShelf(t, func(s *shelf) {
		a := s.applier()
		add := func(user, cik string) {
			t.Helper()
			if err := a.AddCopy(s.t.Context(), "watchlists", cik, attrs("user", user, "cik", cik, "note", "mine")); err != nil {
				t.Fatal(err)
			}
		}
		s.apply(a, upsert(time.Second, "name", "A"))
		add("ada", "1")
		add("ada", "2") // no profile yet
		item := s.watch("ada", "1")
		if item["companyName"].Text() != "A" || !item["profileVersion"].Equal(upsert(time.Second).Version.Value()) || item["note"].Text() != "mine" {
			t.Errorf("new entry: %v", item)
		}
		if _, ok := s.watch("ada", "2")["profileVersion"]; ok {
			t.Error("an entry without a profile has a version")
		}
		s.apply(a, deletion(2*time.Second))
		add("bob", "1")
		if got := s.watch("bob", "1"); len(copied(got)) > 0 || !got["profileVersion"].Equal(deletion(2*time.Second).Version.Value()) {
			t.Errorf("entry of a deleted company: %v", got)
		}
		if got := s.apply(a, upsert(time.Second, "name", "ghost")); got.Outcome != replica.Stale || s.watch("bob", "1")["companyName"].Text() != "" {
			t.Error("a late update reached the entry of a deleted company")
		}
	})
}

// racing is a store in which a change arrives between AddCopy's read of the
// replica and its write.
type racing struct {
	replica.Store
	meanwhile func()
}

func (r *racing) Read(ctx context.Context, table string, key contracts.Item) (contracts.Item, error) {
	item, err := r.Store.Read(ctx, table, key)
	if f := r.meanwhile; f != nil {
		r.meanwhile = nil
		f()
	}
	return item, err
}

func TestNoChangeFallsBetweenAddCopysReadAndWrite(t *testing.T) {
	for name, before := range map[string]bool{"the first change": false, "a later change": true} {
		t.Run(name, func(t *testing.T) {
			inShelf(t, func(s *shelf) {
				if before {
					s.apply(s.applier(), upsert(time.Second, "name", "old"))
				}
				store := &racing{Store: s.store, meanwhile: func() { s.apply(s.applier(), upsert(time.Minute, "name", "new")) }}
				err := must(newApplier(store)).AddCopy(s.t.Context(), "watchlists", "1", attrs("user", "ada", "cik", "1"))
				if err != nil {
					t.Fatal(err)
				}
				if got := s.watch("ada", "1")["companyName"].Text(); got != "new" {
					t.Errorf("the entry has %q; its change was already spread, no other will come", got)
				}
			})
		})
	}
}

// queue is a Delayer that keeps what it is sent.
type queue struct {
	sent  []*message.Message
	delay time.Duration
	err   error
}

func (q *queue) SendDelayed(_ context.Context, _ string, msg *message.Message, delay time.Duration) error {
	if q.err != nil {
		return q.err
	}
	q.sent, q.delay = append(q.sent, msg), delay
	return nil
}

// An entry whose subject is no part of its key can move to another subject
// between the index's answer and the write; it must not get the old one's name.
func TestACopyMovedToAnotherSubjectMeanwhileIsNotMixedUp(t *testing.T) {
	for name, atomic := range map[string]string{"each by itself": "", "in one transaction": "\n        atomic: true"} {
		t.Run(name, func(t *testing.T) {
			inShelf(t, func(s *shelf) {
				s.createSeats()
				s.put("seats", attrs("seat", "7", "employer", "1"))
				store := &vanishing{Store: s.store}
				store.afterFind = func() { s.put("seats", attrs("seat", "7", "employer", "2")) }
				a := must(newApplier(store,
					"  - name: watchlists\n    partition_key: {name: user, type: S}\n    sort_key: {name: cik, type: S}\n", "  - name: seats\n    partition_key: {name: seat, type: S}\n",
					"- name: by-cik\n        partition_key: {name: cik, type: S}\n        sort_key: {name: user, type: S}\n        projection: keys_only\n        include: [profileVersion, profileMapping]", "- name: by-employer\n        partition_key: {name: employer, type: S}",
					"table: watchlists", "table: seats", "index: by-cik", "index: by-employer",
					atomically, atomically+atomic))
				result := s.apply(a, upsert(time.Second, "name", "A"))
				item, err := s.store.Read(s.t.Context(), "seats", attrs("seat", "7"))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(attrs("seat", "7", "employer", "2"), item); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if diff := cmp.Diff(map[replica.Outcome]int{replica.Skipped: 1}, result.Copies); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
