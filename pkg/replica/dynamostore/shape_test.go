package dynamostore_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// Writes that differ in the least have statements of their own, in whatever
// order a store meets them.
func TestStatementsAreToldApart(t *testing.T) {
	differ := map[string]func(w *replica.Write){
		"nothing":                       func(*replica.Write) {},
		"another version attribute":     func(w *replica.Write) { w.VersionAttribute, w.Set["v2"] = "v2", w.Version.Value() },
		"another mapping attribute":     func(w *replica.Write) { w.MappingAttribute = "m2" },
		"removing":                      func(w *replica.Write) { w.Remove = []string{"a"} },
		"removing two":                  func(w *replica.Write) { w.Remove = []string{"a", "b"} },
		"removing one whose name is so": func(w *replica.Write) { w.Remove = []string{"ab"} },
		"setting what others remove":    func(w *replica.Write) { w.Set["a"] = contracts.Bool(true) },
		"where an attribute is":         func(w *replica.Write) { w.Where = contracts.Item{"a": contracts.String("x")} },
		"where an attribute is missing": func(w *replica.Write) { w.Where = contracts.Item{"a": {}} },
		"where another is missing":      func(w *replica.Write) { w.Where = contracts.Item{"b": {}} },
	}
	inTables(t, localaws.Config{}, []string{"together", "apart"}, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		n := 0
		for first := range differ {
			for second := range differ {
				n++
				store := dynamostore.New(db, dynamostore.Config{})
				for _, how := range []string{first, second} {
					var together []replica.Write
					for i := range 4 {
						w := write(fmt.Sprint(n, " ", how, " ", i), 5, nil)
						w.Table = "apart"
						old := write(w.Key["id"].Text(), contracts.Version(4+i%2), nil)
						old.Table = "apart"
						for _, name := range []string{"a", "b", "ab"}[i%3:] {
							old.Set[name] = contracts.String("x")
						}
						old.Set["m2"] = contracts.String([]string{"map", "other"}[i/2])
						old.Set["v2"] = contracts.Version(4 + i/2).Value()
						differ[how](&w)
						writeOne(t, store, old)
						old.Table = "together"
						writeOne(t, store, old)
						writeOne(t, store, w)
						w.Table = "together"
						together = append(together, w)
					}
					if _, errs := store.WriteEach(t.Context(), together); errs != nil {
						t.Fatal(errs)
					}
				}
			}
		}
		if diff := cmp.Diff(everything(t, db, "apart"), everything(t, db, "together")); diff != "" {
			t.Errorf("(-alone +together)\n%s", diff)
		}
	})
}

func writeOne(t *testing.T, store *dynamostore.Store, w replica.Write) {
	t.Helper()
	if _, err := store.Write(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

// A name that is none is refused alone.
func TestAnEmptyNameCostsItsNeighboursNothing(t *testing.T) {
	inTable(t, func(t *testing.T, _ *localaws.Engine, store *dynamostore.Store) {
		due := writes(3, 1)
		due[1].Set[""] = contracts.Bool(true)
		results, errs := store.WriteEach(t.Context(), due)
		for i := range due {
			if refused := errs[i] != nil; refused != (i == 1) || results[i].Written == refused {
				t.Errorf("write %d: %+v, %v", i, results[i], errs[i])
			}
		}
	})
}

// cutting is a transport that leaves the last responses of a batch out.
type cutting struct{ next http.RoundTripper }

func (c cutting) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := c.next.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), "BatchExecuteStatement") {
		return response, err
	}
	defer response.Body.Close()
	var answer struct{ Responses []json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	answer.Responses = answer.Responses[:len(answer.Responses)/2]
	body, err := json.Marshal(answer)
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response.Header.Del("X-Amz-Crc32")
	return response, err
}

// Statements that the answer leaves out are settled all the same.
func TestAnAnswerThatIsTooShortIsNoSuccess(t *testing.T) {
	inTables(t, localaws.Config{}, []string{"items"}, func(t *testing.T, engine *localaws.Engine, _ *dynamodb.Client) {
		cfg := localawstest.Config(engine)
		cfg.HTTPClient = &http.Client{Transport: cutting{engine.Transport()}}
		store := dynamostore.New(dynamodb.NewFromConfig(cfg), dynamostore.Config{})
		for version := contracts.Version(1); version <= 2; version++ {
			results, errs := store.WriteEach(t.Context(), writes(25, version))
			for i, r := range results {
				if errs != nil || !r.Written && r.Found["v"].Text() != version.Value().Text() {
					t.Errorf("write %d of version %d: %+v, %v", i, version, r, errs)
				}
			}
		}
	})
}

// A role that may insert and not update is not asked for updates over and over.
func TestARoleThatMayNotUpdateIsNotAskedTwice(t *testing.T) {
	inLoad(t, localaws.Config{}, func(t *testing.T, l *load) {
		l.write(items(0, 250, never), at(1), always)
		l.engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "BatchExecuteStatement" && bytes.Contains(c.Body, []byte("UPDATE ")) {
				return localaws.Fault{Error: wire.Errorf("AccessDeniedException", "not authorized to perform: dynamodb:PartiQLUpdate")}
			}
			return localaws.Fault{}
		})
		l.write(items(0, 5, never), at(2), always)
		if statements, updates := l.write(items(0, 25, never), at(3), always); statements != 1 || updates != 25 {
			t.Errorf("%d requests of statements, %d updates, want the inserts that come first and an update for each", statements, updates)
		}
	})
}

// Items that had to exist and did not say nothing about those that may be
// created: these are inserted together.
func TestItemsThatAreMissedDoNotKeepOthersFromBeingInserted(t *testing.T) {
	inTables(t, localaws.Config{}, []string{"items"}, func(t *testing.T, engine *localaws.Engine, db *dynamodb.Client) {
		store := dynamostore.New(db, dynamostore.Config{})
		store.WriteEach(t.Context(), writes(25, 1))
		engine.ResetRequests()
		const rounds = 40
		for round := range rounds {
			due := writes(25, contracts.Version(2+round))
			for i := range 12 {
				due[i].Key = contracts.Item{"id": contracts.String(fmt.Sprint("new ", round, " ", i))}
				due[i].MustExist = i >= 4
			}
			if _, errs := store.WriteEach(t.Context(), due); errs != nil {
				t.Fatal(errs)
			}
		}
		if updates := engine.Requests().Of(localaws.DynamoDB, "UpdateItem"); updates != 8*rounds {
			t.Errorf("%d updates, want %d for the items that had to exist", updates, 8*rounds)
		}
	})
}
