package dynamostore_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

func inTable(t *testing.T, f func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store)) {
	t.Helper()
	inTables(t, localaws.Config{}, []string{"items"}, func(t *testing.T, engine *localaws.Engine, db *dynamodb.Client) {
		f(t, engine, dynamostore.New(db, dynamostore.Config{}))
	})
}

func write(id string, version contracts.Version, set contracts.Item) replica.Write {
	w := replica.Write{
		Table: "items", Key: contracts.Item{"id": contracts.String(id)}, Set: contracts.Item{"v": version.Value(), "m": contracts.String("map")},
		Version: version, VersionAttribute: "v", Mapping: "map", MappingAttribute: "m",
	}
	for name, v := range set {
		w.Set[name] = v
	}
	return w
}

// A change that meets a transaction is written once that is over, not given
// back to its queue.
func TestAWriteWaitsForATransactionOnItsItem(t *testing.T) {
	inTable(t, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		busy := 3
		engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "UpdateItem" && busy > 0 {
				busy--
				return localaws.Fault{Error: wire.Errorf("TransactionConflictException", "Transaction is ongoing for the item")}
			}
			return localaws.Fault{}
		})
		result, err := store.Write(t.Context(), write("1", 5, nil))
		if err != nil || !result.Written {
			t.Errorf("result %+v, error %v", result, err)
		}
	})
}

func TestAnItemThatStaysBusyIsGivenBackNotRejected(t *testing.T) {
	inTable(t, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		engine.SetFaults(func(localaws.Call) localaws.Fault {
			return localaws.Fault{Error: wire.Errorf("TransactionConflictException", "Transaction is ongoing for the item")}
		})
		_, err := store.Write(t.Context(), write("1", 5, nil))
		if err == nil || replica.Classify(err).Verdict != replica.Retry {
			t.Errorf("error %v", err)
		}
	})
}

// The answer to a write is lost and the SDK makes it again: the second attempt
// meets the first one's version, which the caller takes for a duplicate.
func TestALostAnswerShowsTheWriteItself(t *testing.T) {
	inTable(t, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		lost := true
		engine.SetFaults(func(localaws.Call) localaws.Fault {
			if lost {
				lost = false
				return localaws.Fault{Drop: localaws.DropResponse}
			}
			return localaws.Fault{}
		})
		result, err := store.Write(t.Context(), write("1", 5, nil))
		if err != nil || result.Written || result.Found["v"].Text() != "5" {
			t.Errorf("result %+v, error %v", result, err)
		}
	})
}

// Names that DynamoDB reserves, or that would mean something in an expression,
// mean nothing in a manifest.
func TestAnyAttributeNameIsWrittenAsItIs(t *testing.T) {
	inTable(t, func(t *testing.T, _ *localaws.Engine, store *dynamostore.Store) {
		set := contracts.Item{}
		for _, name := range []string{"name", "order", "a.b", "a[0]", ":x", "#y", "SET", "size", "with space", "ü"} {
			set[name] = contracts.String(name)
		}
		w := write("1", 5, set)
		w.Remove = []string{"status", "c.d", "values"}
		if result, err := store.Write(t.Context(), w); err != nil || !result.Written {
			t.Fatalf("result %+v, error %v", result, err)
		}
		got, err := store.Read(t.Context(), "items", w.Key)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range set {
			if !got[name].Equal(v) {
				t.Errorf("%s is %v", name, got[name])
			}
		}
	})
}

func TestWriteAllWritesAllOrNothingAndSaysWhichFailed(t *testing.T) {
	inTable(t, func(t *testing.T, _ *localaws.Engine, store *dynamostore.Store) {
		if _, err := store.Write(t.Context(), write("2", 9, nil)); err != nil {
			t.Fatal(err)
		}
		results, err := store.WriteAll(t.Context(), []replica.Write{write("1", 5, nil), write("2", 5, nil), write("3", 5, nil)})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []bool{true, false, true} {
			if results[i].Written != want {
				t.Errorf("write %d: %+v", i+1, results[i])
			}
		}
		if results[1].Found["v"].Text() != "9" {
			t.Errorf("found %v", results[1].Found)
		}
		for _, id := range []string{"1", "3"} {
			if item, err := store.Read(t.Context(), "items", contracts.Item{"id": contracts.String(id)}); err != nil || item != nil {
				t.Errorf("item %s was written: %v %v", id, item, err)
			}
		}
	})
}

func TestWhatDynamoDBCanNeverStoreIsRejected(t *testing.T) {
	inTable(t, func(t *testing.T, _ *localaws.Engine, store *dynamostore.Store) {
		for name, v := range map[string]contracts.Value{
			"a number of 39 digits": contracts.Number("123456789012345678901234567890123456789"),
			"an empty set":          contracts.StringSet(),
			"a set with duplicates": contracts.StringSet("a", "a"),
			"an item over 400 KB":   contracts.String(string(make([]byte, 401<<10))),
		} {
			w := write("1", 5, contracts.Item{"x": v})
			_, err := store.Write(t.Context(), w)
			if replica.Classify(err).Verdict != replica.Reject {
				t.Errorf("%s: one write: %v", name, err)
			}
			if _, err := store.WriteAll(t.Context(), []replica.Write{w}); replica.Classify(err).Verdict != replica.Reject {
				t.Errorf("%s: a transaction: %v", name, err)
			}
		}
	})
}

// A table with another key than the manifest says refuses every message alike,
// until it is mended: no message is at fault.
func TestATableOfAnotherShapeRejectsNoMessage(t *testing.T) {
	inTable(t, func(t *testing.T, _ *localaws.Engine, store *dynamostore.Store) {
		for name, key := range map[string]contracts.Item{
			"another name": {"cik": contracts.String("1")},
			"another type": {"id": contracts.Number("1")},
			"a sort key":   {"id": contracts.String("1"), "date": contracts.String("1")},
		} {
			w := write("1", 5, nil)
			w.Key = key
			if _, err := store.Write(t.Context(), w); err == nil || replica.Classify(err).Verdict != replica.Retry {
				t.Errorf("%s: one write: %v", name, err)
			}
			if _, err := store.WriteAll(t.Context(), []replica.Write{w}); err == nil || replica.Classify(err).Verdict != replica.Retry {
				t.Errorf("%s: a transaction: %v", name, err)
			}
			check := replica.Check{Table: "items", Key: key, Attribute: "v"}
			if _, err := store.PutChecked(t.Context(), replica.Put{Table: "items", Item: contracts.Item{"cik": contracts.String("2")}}, check); err == nil || replica.Classify(err).Verdict != replica.Retry {
				t.Errorf("%s: an addition: %v", name, err)
			}
		}
	})
}

func TestValuesSurviveTheSDKsTypes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		item := contracts.Item{"x": value(3).Draw(t, "value")}
		back, err := dynamostore.FromAttributes(dynamostore.ToAttributes(item))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(item, back); diff != "" {
			t.Error(diff)
		}
	})
}

// Empty is a value, whatever slice it is: the SDK would send nil as none.
func TestEmptyBinaryIsWritten(t *testing.T) {
	inTable(t, func(t *testing.T, _ *localaws.Engine, store *dynamostore.Store) {
		set := contracts.Item{"one": contracts.Binary(nil), "set": contracts.BinarySet(nil, []byte{1})}
		together := []replica.Write{write("1", 5, set), write("2", 5, set)}
		if results, errs := store.WriteEach(t.Context(), together); errs != nil || !results[0].Written || !results[1].Written {
			t.Errorf("together: %+v, %v", results, errs)
		}
		if result, err := store.Write(t.Context(), write("3", 5, set)); err != nil || !result.Written {
			t.Errorf("alone: %+v, %v", result, err)
		}
		for _, id := range []string{"1", "2", "3"} {
			got, err := store.Read(t.Context(), "items", contracts.Item{"id": contracts.String(id)})
			if err != nil || !got["one"].Equal(set["one"]) || !got["set"].Equal(set["set"]) {
				t.Errorf("item %s: %v, %v", id, got, err)
			}
		}
	})
}

func value(depth int) *rapid.Generator[contracts.Value] {
	return rapid.Custom(func(t *rapid.T) contracts.Value {
		most := 9
		if depth == 0 {
			most = 7
		}
		text := rapid.String()
		number := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint(rapid.Int64().Draw(t, "number")) })
		switch rapid.IntRange(0, most).Draw(t, "kind") {
		case 0:
			return contracts.String(text.Draw(t, "text"))
		case 1:
			return contracts.Number(number.Draw(t, "number"))
		case 2:
			return contracts.Binary(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		case 3:
			return contracts.Bool(rapid.Bool().Draw(t, "bool"))
		case 4:
			return contracts.Null()
		case 5:
			return contracts.StringSet(rapid.SliceOfNDistinct(text, 1, 4, rapid.ID).Draw(t, "set")...)
		case 6:
			return contracts.NumberSet(rapid.SliceOfNDistinct(number, 1, 4, rapid.ID).Draw(t, "set")...)
		case 7:
			return contracts.BinarySet([]byte{1}, []byte{2, 3})
		case 8:
			return contracts.List(rapid.SliceOfN(value(depth-1), 0, 3).Draw(t, "list")...)
		default:
			return contracts.Map(rapid.MapOfN(text, value(depth-1), 0, 3).Draw(t, "map"))
		}
	})
}

// A condition that did not hold and an outage are different things.
func TestAnOutageIsNoFailedCondition(t *testing.T) {
	inTable(t, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		engine.SetFaults(func(localaws.Call) localaws.Fault {
			return localaws.Fault{Error: localaws.Unavailable(localaws.DynamoDB)}
		})
		put := replica.Put{Table: "items", Item: contracts.Item{"id": contracts.String("1")}}
		check := replica.Check{Table: "items", Key: contracts.Item{"id": contracts.String("2")}, Attribute: "v"}
		if done, err := store.PutChecked(t.Context(), put, check); err == nil || done {
			t.Errorf("PutChecked: %v, %v", done, err)
		}
		if _, err := store.WriteAll(t.Context(), []replica.Write{write("1", 5, nil)}); err == nil || errors.Is(err, replica.ErrContended) {
			t.Errorf("WriteAll: %v", err)
		}
	})
}
