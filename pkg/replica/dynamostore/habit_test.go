package dynamostore_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	ddb "github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// load writes batches of 25 to a table and counts what they cost.
type load struct {
	t      *testing.T
	engine *localaws.Engine
	store  *dynamostore.Store
	logged bytes.Buffer

	mustExist bool // of the writes
}

func inLoad(t *testing.T, cfg localaws.Config, test func(t *testing.T, l *load)) {
	t.Helper()
	inTables(t, cfg, []string{"items"}, func(t *testing.T, engine *localaws.Engine, db *dynamodb.Client) {
		l := &load{t: t, engine: engine}
		l.store = dynamostore.New(db, dynamostore.Config{Logger: slog.New(slog.NewTextHandler(&l.logged, nil))})
		test(t, l)
	})
}

// write writes items, each to a version, and returns the requests it took by
// operation. Every write must have the outcome that written says.
func (l *load) write(items []int, version func(i int) contracts.Version, written func(i int) bool) (statements, updates int64) {
	l.t.Helper()
	l.engine.ResetRequests()
	for part := range slices.Chunk(items, 25) {
		writes := make([]replica.Write, len(part))
		for j, i := range part {
			writes[j] = write(fmt.Sprint("item ", i), version(i), nil)
			writes[j].MustExist = l.mustExist
		}
		results, errs := l.store.WriteEach(l.t.Context(), writes)
		if errs != nil {
			l.t.Fatal(errs)
		}
		for j, i := range part {
			if results[j].Written != written(i) {
				l.t.Fatalf("item %d at version %d: %+v", i, version(i), results[j])
			}
		}
	}
	requests := l.engine.Requests()
	return requests.Of(localaws.DynamoDB, "BatchExecuteStatement"), requests.Of(localaws.DynamoDB, "UpdateItem")
}

// items returns n numbers from the first on, without those that leave out says.
func items(first, n int, leaveOut func(i int) bool) []int {
	var all []int
	for i := first; i < first+n; i++ {
		if !leaveOut(i) {
			all = append(all, i)
		}
	}
	return all
}

func always(int) bool { return true }
func never(int) bool  { return false }
func at(v contracts.Version) func(int) contracts.Version {
	return func(int) contracts.Version { return v }
}

// The requests that writes take, whatever they meet. On an engine that does not
// show the items that conditions met, statements that fail say little, and
// their writes are settled one by one.
func TestRequestsPerWrite(t *testing.T) {
	all := items(0, 1000, never)
	tenth := func(i int) bool { return i%10 == 9 }
	for _, cfg := range engines {
		shown := !cfg.StatementsReturnNoItems
		inLoad(t, cfg, func(t *testing.T, l *load) {
			run := func(what string, which []int, version contracts.Version, written func(int) bool, most float64) {
				t.Helper()
				statements, updates := l.write(which, at(version), written)
				if got := float64(statements+updates) / float64(len(which)); got > most {
					t.Errorf("%s, items shown %v: %.3f requests a write (%d statements, %d updates), want at most %.3f", what, shown, got, statements, updates, most)
				}
			}
			run("a first backfill", items(0, 1000, tenth), 1, always, 0.045)
			run("newer versions", items(0, 1000, tenth), 2, always, 0.045)
			run("a tenth missing", all, 3, always, 0.09)
			run("a second backfill", items(1000, 1000, never), 3, always, 0.045)
			if shown {
				run("all stale", all, 2, never, 0.045)
				run("all duplicates", all, 3, never, 0.041)
				run("newer versions again", all, 4, always, 0.041)
				return
			}
			run("all stale", all, 2, never, 1.06) // until statements are seen to be of no use
			if statements, _ := l.write(all[:250], at(2), never); statements != 0 {
				t.Errorf("%d requests of statements, though all fail", statements)
			}
			run("newer versions again", all, 4, always, 0.1)
			stale := func(i int) bool { return i%10 < 3 }
			versions := func(i int) contracts.Version {
				if stale(i) {
					return 3
				}
				return 5
			}
			statements, updates := l.write(all, versions, func(i int) bool { return !stale(i) })
			if statements > 50 || updates < 300 {
				t.Errorf("three in ten stale: %d requests of statements and %d updates: an INSERT tells nothing there", statements, updates)
			}
		})
	}
}

// A table whose statements were of no use, since the items that had to exist
// did not, is written by statements again once they say what was met, be it
// that all is stale.
func TestStatementsThatWereOfNoUseAreTriedAgain(t *testing.T) {
	for _, cfg := range engines {
		inLoad(t, cfg, func(t *testing.T, l *load) {
			l.write(items(0, 250, never), at(5), always)
			l.engine.SetFaults(func(localaws.Call) localaws.Fault { // as a race with a writer that creates items
				return localaws.Fault{Statement: func(ddb.Statement) ddb.StatementFault {
					return ddb.StatementFault{Error: wire.Errorf("ConditionalCheckFailed", "The conditional request failed")}
				}}
			})
			l.write(items(0, 3, never), at(4), never)
			l.engine.SetFaults(nil)
			l.write(items(0, 25, never), at(4), never)
			l.mustExist = true
			l.write(items(1000, 250, never), at(5), never)
			if statements, updates := l.write(items(1000, 250, never), at(5), never); statements != 0 || updates != 250 {
				t.Errorf("%d requests of statements and %d updates, though none says anything", statements, updates)
			}
			l.mustExist = false
			l.write(items(0, 100, never), at(3), never)
			statements, updates := l.write(items(0, 250, never), at(3), never)
			if cfg.StatementsReturnNoItems {
				if updates != 250 {
					t.Errorf("%d updates of stale items that no statement shows", updates)
				}
				return
			}
			if statements != 10 || updates != 0 {
				t.Errorf("%d requests of statements and %d updates of stale items", statements, updates)
			}
		})
	}
}

// Without permission every write is made all the same, the operator is told
// what is missing, and the service is asked again ten minutes later.
func TestWithoutPermissionWritesAreMadeOneByOne(t *testing.T) {
	denied := map[string]func(c localaws.Call) localaws.Fault{
		"the call": func(c localaws.Call) localaws.Fault {
			if c.Operation == "BatchExecuteStatement" {
				return localaws.Fault{Error: wire.Errorf("AccessDeniedException", "User is not authorized to perform: dynamodb:PartiQLUpdate")}
			}
			return localaws.Fault{}
		},
		"each statement": func(localaws.Call) localaws.Fault {
			return localaws.Fault{Statement: func(ddb.Statement) ddb.StatementFault {
				return ddb.StatementFault{Error: wire.Errorf("AccessDenied", "User is not authorized to perform: dynamodb:PartiQLUpdate")}
			}}
		},
		"an engine without statements": func(c localaws.Call) localaws.Fault {
			if c.Operation == "BatchExecuteStatement" {
				return localaws.Fault{Error: wire.Errorf("UnknownOperationException", "BatchExecuteStatement is not supported")}
			}
			return localaws.Fault{}
		},
		"an engine that fails at statements": func(c localaws.Call) localaws.Fault {
			if c.Operation == "BatchExecuteStatement" {
				return localaws.Fault{Error: localaws.Unavailable(localaws.DynamoDB)}
			}
			return localaws.Fault{}
		},
	}
	for name, faults := range denied {
		inLoad(t, localaws.Config{}, func(t *testing.T, l *load) {
			l.write(items(0, 25, never), at(1), always)
			l.engine.SetFaults(faults)
			if statements, updates := l.write(items(0, 250, never), at(2), always); statements > 6 || updates != 250 {
				t.Errorf("%s: %d requests of statements, %d updates", name, statements, updates)
			}
			if text := l.logged.String(); strings.Count(text, "dynamodb:PartiQLUpdate") == 0 || strings.Count(text, "level=WARN") > 2 {
				t.Errorf("%s: logged %q", name, text)
			}
			l.engine.SetFaults(nil)
			if statements, _ := l.write(items(0, 250, never), at(3), always); statements != 0 {
				t.Errorf("%s: asked again at once", name)
			}
			time.Sleep(11 * time.Minute) // virtual
			if statements, updates := l.write(items(0, 250, never), at(4), always); statements != 10 || updates != 0 {
				t.Errorf("%s: permitted again, %d requests of statements and %d updates", name, statements, updates)
			}
		})
	}
}

// A role that may update and not insert loses the batches of new items only.
func TestARoleThatMayNotInsertStillUpdatesTogether(t *testing.T) {
	inLoad(t, localaws.Config{}, func(t *testing.T, l *load) {
		l.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "BatchExecuteStatement" && bytes.Contains(c.Body, []byte("INSERT INTO")) {
				return localaws.Fault{Error: wire.Errorf("AccessDeniedException", "not authorized to perform: dynamodb:PartiQLInsert")}
			}
			return localaws.Fault{}
		})
		if _, updates := l.write(items(0, 100, never), at(1), always); updates != 100 {
			t.Errorf("%d updates of new items", updates)
		}
		for range 2 { // the second time it is used to items that are there
			l.write(items(0, 100, never), at(contracts.Version(time.Now().UnixMicro())), always)
			time.Sleep(time.Second) // virtual
		}
		if statements, updates := l.write(items(0, 100, never), at(contracts.Version(time.Now().UnixMicro())), always); statements != 4 || updates != 0 {
			t.Errorf("%d requests of statements, %d updates", statements, updates)
		}
	})
}
