package replica_test

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// recorder is a BatchStore that makes every write, and keeps what it made.
type recorder struct {
	replica.Store
	mu   sync.Mutex
	made []replica.Write
}

func (r *recorder) WriteEach(_ context.Context, writes []replica.Write) ([]replica.WriteResult, []error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made = append(r.made, writes...)
	results := make([]replica.WriteResult, len(writes))
	for i := range results {
		results[i].Written = true
	}
	return results, nil
}

// Two writes are to one item exactly where DynamoDB says so, and only then does
// the later one supersede the other.
func TestKeysAreOneItemWhereTheyAreToDynamoDB(t *testing.T) {
	key := func(pairs ...any) contracts.Item {
		item := contracts.Item{}
		for i := 0; i < len(pairs); i += 2 {
			item[pairs[i].(string)] = pairs[i+1].(contracts.Value)
		}
		return item
	}
	s, n, b := contracts.String, contracts.Number, func(text string) contracts.Value { return contracts.Binary([]byte(text)) }
	between := string(rune(contracts.KindString)) + ":"
	for name, c := range map[string]struct {
		one, other contracts.Item
		same       bool
	}{
		"a number's texts":                   {key("id", n("1")), key("id", n("10.0e-1")), true},
		"zeros":                              {key("id", n("0")), key("id", n("-0.0")), true},
		"numbers of another sign":            {key("id", n("1")), key("id", n("-1")), false},
		"strings like numbers":               {key("id", s("1")), key("id", s("1.0")), false},
		"a number and a string":              {key("id", n("1")), key("id", s("1")), false},
		"a string and its bytes":             {key("id", s("a")), key("id", b("a")), false},
		"equal bytes":                        {key("id", b("a\x00")), key("id", b("a\x00")), true},
		"numbers beneath other partitions":   {key("id", s("a"), "at", n("1")), key("id", s("b"), "at", n("1")), false},
		"a sort key's texts":                 {key("id", s("a"), "at", n("1")), key("id", s("a"), "at", n("1.0")), true},
		"parts that are alike when together": {key("id", s("ab"), "at", s("c")), key("id", s("a"), "at", s("bc")), false},
		"parts that look like their limits":  {key("at", s("a"+between+"b"), "id", s("c")), key("at", s("a"), "id", s("b"+between+"c")), false},
		"parts that look like their lengths": {key("id", s("a"), "at", s("1:b")), key("id", s("a1:"), "at", s("b")), false},
	} {
		if made := makeBoth(t, c.one, c.other); (made == 1) != c.same {
			t.Errorf("%s: %d writes", name, made)
		}
	}
}

// makeBoth has a batcher write to two keys at once, and counts the writes made.
func makeBoth(t *testing.T, keys ...contracts.Item) (made int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		to := &recorder{}
		batcher, err := replica.NewBatcher(to, replica.BatcherConfig{})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i, key := range keys {
			w := cabinetWrite("1", contracts.Version(1+i))
			w.Key = key
			all.Go(func() {
				if _, err := batcher.Write(t.Context(), w); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		made = len(to.made)
	})
	return made
}

// What superseded a write shows the conditions of both, which it has met.
func TestASupersededWriteIsShownTheWholeItem(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, _ *cabinet, b *replica.Batcher) {
		var all sync.WaitGroup
		for v := contracts.Version(1); v <= 2; v++ {
			w := cabinetWrite("1", v)
			w.Where = contracts.Item{"owner": contracts.String("me")}
			all.Go(func() {
				result, err := b.Write(t.Context(), w)
				if err != nil || v == 1 && (result.Found["owner"].Text() != "me" || result.Found["n"].Text() != "1" || versionIn(result.Found) != 2) {
					t.Errorf("version %d: %+v, %v", v, result, err)
				}
			})
		}
		all.Wait()
	})
}

// Copies of a change that can never be written are refused together.
func TestCopiesOfPoisonCostOneWrite(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		c.fails = func(int, replica.Write) error { return &replica.RejectedError{Reason: "poison"} }
		var all sync.WaitGroup
		for range 5 {
			all.Go(func() {
				if _, err := b.Write(t.Context(), cabinetWrite("1", 7)); replica.Classify(err).Verdict != replica.Reject {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if c.writes != 1 {
			t.Errorf("%d writes", c.writes)
		}
	})
}

// A batcher forgets items that nothing is to be written to, and after a batch
// waits for company as before.
func TestABatcherAtRestIsAsNew(t *testing.T) {
	withCabinet(t, replica.BatcherConfig{}, func(t *testing.T, c *cabinet, b *replica.Batcher) {
		for round := range 3 {
			var all sync.WaitGroup
			for i := range 10 {
				all.Go(func() {
					time.Sleep(time.Duration(i) * 500 * time.Microsecond) // virtual
					if _, err := b.Write(t.Context(), cabinetWrite(fmt.Sprint(100*round+i), 1)); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			synctest.Wait() // until the batch's goroutine has ended, too
			if c.batches != round+1 {
				t.Errorf("round %d: %d batches", round, c.batches)
			}
			if kept := reflect.ValueOf(b).Elem().FieldByName("lanes").Len(); kept != 0 {
				t.Errorf("round %d: %d items are kept", round, kept)
			}
		}
	})
}
