package replica_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// refusing is a store that fails the writes to some items: of a table, or of a
// user.
type refusing struct {
	replica.Store
	of map[string]error
}

func (f *refusing) Write(ctx context.Context, w replica.Write) (replica.WriteResult, error) {
	for _, name := range []string{w.Table, w.Key["user"].Text()} {
		if err := f.of[name]; err != nil {
			return replica.WriteResult{}, err
		}
	}
	return f.Store.Write(ctx, w)
}

var (
	full         = &replica.RejectedError{Reason: "refused by DynamoDB", Err: errors.New("item size has exceeded the maximum allowed size")}
	errThrottled = errors.New("throttled")
)

// A copy that can never be written, an item with no room left perhaps, costs no
// other its write, on whichever page of the index they are.
func TestACopyThatFailsCostsNoOtherPageItsWrites(t *testing.T) {
	inShelf(t, func(s *shelf) {
		s.watched()
		store := &refusing{Store: &single{s.store}, of: map[string]error{"bob": full}}
		_, err := must(newApplier(store)).Apply(s.t.Context(), upsert(time.Second, "name", "A"), replica.FirstPass)
		want := everybody("A")
		want["bob"] = ""
		if diff := cmp.Diff(want, s.names()); diff != "" {
			t.Error(diff)
		}
		if got := replica.Classify(err); got.Verdict != replica.Reject {
			t.Errorf("%v is classified as %+v", err, got)
		}
	})
}

// single is an index that shows one copy a page.
type single struct{ replica.Store }

func (p *single) Find(ctx context.Context, in replica.Find) ([]contracts.Item, contracts.Item, error) {
	keys, next, err := p.Store.Find(ctx, in)
	if err == nil && len(keys) > 1 {
		keys, next = keys[:1], attrs("user", keys[0]["user"].Text(), "cik", "1")
	}
	return keys, next, err
}

// A change goes to the dead-letter queue once there is nothing left to retry,
// and not before: a throttled copy would be stale for ever because of a full
// one beside it.
func TestAChangeIsNotRejectedWhileAnythingIsWorthARetry(t *testing.T) {
	for name, of := range map[string]map[string]error{
		"a full copy beside a throttled one": {"bob": full, "cyd": errThrottled},
		"a throttled copy before a full one": {"ada": errThrottled, "dan": full},
		"a full item, and a throttled copy":  {"company-sizes": full, "cyd": errThrottled},
		"a full copy, and a throttled item":  {"cyd": full, "company-sizes": errThrottled},
	} {
		t.Run(name, func(t *testing.T) {
			inShelf(t, func(s *shelf) {
				createTable(s.t, s.db, "company-sizes", false)
				s.watched()
				store := &refusing{Store: &single{s.store}, of: of}
				a := must(newApplier(store, secondItem...))
				change := upsert(time.Second, "name", "A")
				_, err := a.Apply(s.t.Context(), change, replica.FirstPass)
				if got := replica.Classify(err); got.Verdict != replica.Retry {
					t.Errorf("%v is classified as %+v", err, got)
				}
				for _, name := range []string{"ada", "cyd", "company-sizes"} {
					if errors.Is(of[name], errThrottled) {
						delete(of, name)
					}
				}
				_, err = a.Apply(s.t.Context(), change, replica.FirstPass)
				if got := replica.Classify(err); got.Verdict != replica.Reject {
					t.Errorf("once only the full one is left: %v is classified as %+v", err, got)
				}
			})
		})
	}
}

// secondItem gives the subscription another item replica, before the one that
// fan-outs copy from.
var secondItem = []string{
	"tables:\n", "tables:\n  - {name: company-sizes, partition_key: {name: cik, type: S}}\n",
	"replicas:\n", "replicas:\n      - {table: company-sizes, key: {cik: subject}, set: {sector: sector}, version_attribute: profileVersion}\n",
}

// A replica that cannot take a change keeps it from no other replica.
func TestAReplicaThatCannotTakeAChangeKeepsItFromNoOther(t *testing.T) {
	inShelf(t, func(s *shelf) {
		createTable(s.t, s.db, "company-sizes", false)
		s.watched()
		store := &refusing{Store: s.store, of: map[string]error{"company-sizes": full}}
		_, err := must(newApplier(store, secondItem...)).Apply(s.t.Context(), upsert(time.Second, "name", "A"), replica.FirstPass)
		if got := replica.Classify(err); got.Verdict != replica.Reject {
			t.Errorf("%v is classified as %+v", err, got)
		}
		if got := s.company("1")["companyName"].Text(); got != "A" {
			t.Errorf("the other item replica has %q", got)
		}
		if diff := cmp.Diff(everybody("A"), s.names()); diff != "" {
			t.Errorf("the fan-out: %s", diff)
		}
	})
}

// Fan-outs copy from their item replica, so they wait for it.
func TestNothingIsSpreadThatItsItemReplicaDoesNotHold(t *testing.T) {
	inShelf(t, func(s *shelf) {
		s.watched()
		store := &refusing{Store: s.store, of: map[string]error{"company-stats": errThrottled}}
		if _, err := must(newApplier(store)).Apply(s.t.Context(), upsert(time.Second, "name", "A"), replica.FirstPass); !errors.Is(err, errThrottled) {
			t.Errorf("error %v", err)
		}
		if diff := cmp.Diff(everybody(""), s.names()); diff != "" {
			t.Error(diff)
		}
	})
}
