package dynamostore_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	ddb "github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

func writes(n int, version contracts.Version) []replica.Write {
	all := make([]replica.Write, n)
	for i := range all {
		all[i] = write(fmt.Sprint("item ", i), version, nil)
	}
	return all
}

// about says that a statement is about one of the items.
func about(s ddb.Statement, items ...string) bool {
	return slices.ContainsFunc(s.Parameters, func(p attr.Value) bool {
		return slices.ContainsFunc(items, func(item string) bool { return p.Equal(attr.String(item)) })
	})
}

// throughABatcher makes writes that wait together through a Batcher.
func throughABatcher(t *testing.T, store *dynamostore.Store, due []replica.Write) ([]replica.WriteResult, []error) {
	t.Helper()
	b, err := replica.NewBatcher(store, replica.BatcherConfig{})
	if err != nil {
		t.Fatal(err)
	}
	results, errs := make([]replica.WriteResult, len(due)), make([]error, len(due))
	var all sync.WaitGroup
	for i := range due {
		all.Go(func() { results[i], errs[i] = b.Write(t.Context(), due[i]) })
	}
	all.Wait()
	return results, errs
}

var passingCodes = []string{"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "InternalServerError", "TransactionConflict"}

// A throttled statement, which the SDK takes for a success, is tried again
// after a pause, and with it nothing else.
func TestThrottledStatementsAreTriedAgainAlone(t *testing.T) {
	for _, code := range passingCodes {
		inTable(t, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
			store.WriteEach(t.Context(), writes(25, 1))
			engine.ResetRequests()
			var sizes []int
			engine.SetFaults(func(c localaws.Call) localaws.Fault {
				sizes = append(sizes, strings.Count(string(c.Body), "UPDATE "))
				attempt := len(sizes)
				return localaws.Fault{Statement: func(s ddb.Statement) ddb.StatementFault {
					if attempt <= 3 && about(s, "item 3", "item 17") {
						return ddb.StatementFault{Error: wire.Errorf(code, "too much")}
					}
					return ddb.StatementFault{}
				}}
			})
			began := time.Now()
			results, errs := throughABatcher(t, store, writes(25, 2))
			for i, r := range results {
				if !r.Written || errs[i] != nil {
					t.Errorf("%s: write %d: %+v, %v", code, i, r, errs[i])
				}
			}
			if got := fmt.Sprint(sizes); got != "[25 2 2 2]" {
				t.Errorf("%s: requests of %s statements", code, got)
			}
			if took := time.Since(began); took < 80*time.Millisecond || took > 200*time.Millisecond {
				t.Errorf("%s: the pauses took %v together", code, took)
			}
		})
	}
}

// What stays throttled is given back, to be retried; its neighbours are
// written.
func TestWhatStaysThrottledIsGivenBack(t *testing.T) {
	inTable(t, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		store.WriteEach(t.Context(), writes(25, 1))
		engine.SetFaults(func(localaws.Call) localaws.Fault {
			return localaws.Fault{Statement: func(s ddb.Statement) ddb.StatementFault {
				if about(s, "item 3", "item 4") {
					return ddb.StatementFault{Error: localaws.ThrottledStatement()}
				}
				return ddb.StatementFault{}
			}}
		})
		results, errs := throughABatcher(t, store, writes(25, 2))
		for i := range results {
			throttled := i == 3 || i == 4
			if results[i].Written == throttled || (errs[i] != nil) != throttled {
				t.Errorf("write %d: %+v, %v", i, results[i], errs[i])
			}
			if replica.Classify(errs[i]).Verdict != replica.Retry {
				t.Errorf("write %d: %v is not retried", i, errs[i])
			}
		}
	})
}

// A table that is throttled keeps no other's writes waiting, neither where its
// statements are refused nor where an UpdateItem is.
func TestAThrottledTableSlowsNoOther(t *testing.T) {
	inTables(t, localaws.Config{Latency: 10 * time.Millisecond}, []string{"items", "throttled"}, func(t *testing.T, engine *localaws.Engine, db *dynamodb.Client) {
		b, err := replica.NewBatcher(dynamostore.New(db, dynamostore.Config{}), replica.BatcherConfig{})
		if err != nil {
			t.Fatal(err)
		}
		engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "UpdateItem" && bytes.Contains(c.Body, []byte(`"throttled"`)) {
				return localaws.Fault{Error: localaws.Throttled(localaws.DynamoDB)}
			}
			return localaws.Fault{Statement: func(s ddb.Statement) ddb.StatementFault {
				if strings.Contains(s.Text, `"throttled"`) {
					return ddb.StatementFault{Error: localaws.ThrottledStatement()}
				}
				return ddb.StatementFault{}
			}}
		})
		var all sync.WaitGroup
		for i := range 400 {
			all.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond) // virtual
				w, began := write(fmt.Sprint("item ", i), 1, nil), time.Now()
				if i%4 == 0 {
					w.Table = "throttled"
				}
				if i%8 == 0 {
					w.Set["#name"] = contracts.String("that only an UpdateItem can say")
				}
				_, err := b.Write(t.Context(), w)
				took := time.Since(began)
				if throttled := w.Table == "throttled"; (err != nil) != throttled || throttled != (took > time.Second) {
					t.Errorf("%s %d: %v after %v", w.Table, i, err, took)
				}
				if w.Table == "items" && took > 60*time.Millisecond {
					t.Errorf("%d took %v", i, took)
				}
			})
		}
		all.Wait()
	})
}

// An effect whose answer says that nobody knows, or whose answer is lost, shows
// the write itself as the item that was met; nothing is written twice.
func TestALostAnswerShowsTheWritesThemselves(t *testing.T) {
	faults := map[string]func(c localaws.Call) localaws.Fault{
		"a lost answer": func(c localaws.Call) localaws.Fault {
			if c.Sequence == 1 {
				return localaws.Fault{Drop: localaws.DropResponse}
			}
			return localaws.Fault{}
		},
		"an internal error": func(c localaws.Call) localaws.Fault {
			return localaws.Fault{Statement: func(ddb.Statement) ddb.StatementFault {
				if c.Sequence == 1 {
					return ddb.StatementFault{Error: wire.Errorf("InternalServerError", "Internal server error"), Applied: true}
				}
				return ddb.StatementFault{}
			}}
		},
	}
	for name, fault := range faults {
		for _, cfg := range engines {
			inLoad(t, cfg, func(t *testing.T, l *load) {
				for version := contracts.Version(1); version <= 2; version++ { // created, then updated
					l.engine.ResetRequests()
					l.engine.SetFaults(fault)
					results, errs := throughABatcher(t, l.store, writes(25, version))
					for i, r := range results {
						if errs[i] != nil || !r.Written && r.Found["v"].Text() != version.Value().Text() {
							t.Errorf("%s: write %d of version %d: %+v, %v", name, i, version, r, errs[i])
						}
					}
				}
			})
		}
	}
}

// What would have a whole request refused is kept out of it; what slips through
// costs its neighbours nothing but requests.
func TestPoisonCostsItsNeighboursNothing(t *testing.T) {
	for name, slips := range map[string]bool{"known beforehand": false, "refused by the service": true} {
		inTable(t, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
			store.WriteEach(t.Context(), writes(25, 1))
			due := writes(25, 2)
			for i, v := range []contracts.Value{
				contracts.Number("123456789012345678901234567890123456789"), contracts.StringSet(), contracts.StringSet("a", "a"),
				contracts.NumberSet("1", "1.0"), contracts.List(contracts.Number("none")), contracts.String(strings.Repeat("x", 401<<10)),
			} {
				due[4*i].Set["poison"] = v
			}
			if slips {
				due = writes(25, 2)
				due[4].Set["poison"] = contracts.String("the service knows why")
				engine.SetFaults(func(c localaws.Call) localaws.Fault {
					if strings.Contains(string(c.Body), "poison") {
						return localaws.Fault{Error: wire.Errorf("ValidationException", "One or more parameter values were invalid")}
					}
					return localaws.Fault{}
				})
			}
			engine.ResetRequests()
			results, errs := store.WriteEach(t.Context(), due)
			for i := range due {
				_, poisoned := due[i].Set["poison"]
				if results[i].Written == poisoned {
					t.Errorf("%s: write %d: %+v", name, i, results[i])
				}
				if rejected := replica.Classify(errs[i]).Verdict == replica.Reject; rejected != poisoned {
					t.Errorf("%s: write %d: %v", name, i, errs[i])
				}
			}
			if updates := engine.Requests().Of(localaws.DynamoDB, "UpdateItem"); !slips && updates != 6 {
				t.Errorf("%s: %d updates, want those of the poisoned alone", name, updates)
			}
		})
	}
}

// Where the whole service is out of order, a request of statements costs one
// try more, not one for each of its writes.
func TestAnOutageIsNotMetWithMoreRequests(t *testing.T) {
	inTable(t, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		store.WriteEach(t.Context(), writes(25, 1))
		engine.SetFaults(func(localaws.Call) localaws.Fault {
			return localaws.Fault{Error: localaws.Unavailable(localaws.DynamoDB)}
		})
		engine.ResetRequests()
		_, errs := store.WriteEach(t.Context(), writes(25, 2))
		for i := range 25 {
			if errs == nil || errs[i] == nil || replica.Classify(errs[i]).Verdict != replica.Retry {
				t.Fatalf("write %d: %v", i, errs)
			}
		}
		if updates := engine.Requests().Of(localaws.DynamoDB, "UpdateItem"); updates > 3 {
			t.Errorf("%d updates, want one and the SDK's attempts at it", updates)
		}
		engine.SetFaults(nil)
		engine.ResetRequests()
		if _, errs := store.WriteEach(t.Context(), writes(25, 2)); errs != nil || engine.Requests().Total() != 1 {
			t.Errorf("afterwards: %v, %d requests", errs, engine.Requests().Total())
		}
	})
}

// An outage that is over between the last attempt at statements and the update
// that looks whether the service is there costs half a minute of updates.
func TestAnOutageThatPassesIsNoRefusal(t *testing.T) {
	inLoad(t, localaws.Config{}, func(t *testing.T, l *load) {
		l.write(items(0, 25, never), at(1), always)
		l.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "BatchExecuteStatement" {
				return localaws.Fault{Error: localaws.Unavailable(localaws.DynamoDB)}
			}
			return localaws.Fault{}
		})
		l.write(items(0, 25, never), at(2), always)
		l.engine.SetFaults(nil)
		if statements, updates := l.write(items(0, 25, never), at(3), always); statements != 0 || updates != 25 {
			t.Errorf("at once: %d requests of statements, %d updates", statements, updates)
		}
		time.Sleep(31 * time.Second) // virtual
		if statements, updates := l.write(items(0, 25, never), at(4), always); statements != 1 || updates != 0 {
			t.Errorf("half a minute later: %d requests of statements, %d updates", statements, updates)
		}
	})
}
