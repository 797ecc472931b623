package dynamostore_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// withNumbered runs a test on a table whose items 0 to items-1 have a name, and
// padding to the given size.
func withNumbered(t *testing.T, items, bytes int, test func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		db := dynamodb.NewFromConfig(localawstest.Config(engine))
		must(db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String("numbered"), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("n"), AttributeType: types.ScalarAttributeTypeN}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("n"), KeyType: types.KeyTypeHash}},
		}))
		for i := range items {
			item := contracts.Item{"n": contracts.Number(fmt.Sprint(i)), "name": contracts.String(fmt.Sprint("item ", i))}
			if bytes > 0 {
				item["padding"] = contracts.String(strings.Repeat("x", bytes))
			}
			must(db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("numbered"), Item: dynamostore.ToAttributes(item)}))
		}
		test(t, engine, dynamostore.New(db, dynamostore.Config{}))
	})
}

func numbers(all ...string) []contracts.Item {
	keys := make([]contracts.Item, len(all))
	for i, n := range all {
		keys[i] = contracts.Item{"n": contracts.Number(n)}
	}
	return keys
}

func names(items []contracts.Item) []string {
	all := make([]string, len(items))
	for i, item := range items {
		all[i] = item["name"].Text()
	}
	return all
}

func TestBatchReadReturnsItemsInTheOrderOfTheirKeys(t *testing.T) {
	withNumbered(t, 5, 0, func(t *testing.T, _ *localaws.Engine, store *dynamostore.Store) {
		// In any form of the number, more than once, and with some that are not there.
		items, err := store.BatchRead(t.Context(), "numbered", numbers("3", "9", "1", "3.0", "0", "3", "20e-1"))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"item 3", "", "item 1", "item 3", "item 0", "item 3", "item 2"}, names(items)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if items[1] != nil {
			t.Errorf("an item that is not there is %v", items[1])
		}
		if none, err := store.BatchRead(t.Context(), "numbered", nil); err != nil || len(none) != 0 {
			t.Errorf("of no keys it returns %v, %v", none, err)
		}
	})
}

func TestBatchReadReturnsTheAttributesAskedFor(t *testing.T) {
	withNumbered(t, 2, 10, func(t *testing.T, _ *localaws.Engine, store *dynamostore.Store) {
		items, err := store.BatchRead(t.Context(), "numbered", numbers("1", "0"), "name", "n", "absent")
		want := []contracts.Item{
			{"n": contracts.Number("1"), "name": contracts.String("item 1")},
			{"n": contracts.Number("0"), "name": contracts.String("item 0")},
		}
		if diff := cmp.Diff(want, items); err != nil || diff != "" {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	})
}

func TestBatchReadTakesAHundredKeysARequest(t *testing.T) {
	withNumbered(t, 250, 0, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		var all []string
		for i := range 250 {
			all = append(all, fmt.Sprint(i))
		}
		before := engine.Requests()
		items, err := store.BatchRead(t.Context(), "numbered", numbers(all...))
		if err != nil || items[249]["name"].Text() != "item 249" {
			t.Fatalf("%v, %v", items[249], err)
		}
		if spent := engine.Requests().Since(before).Of(localaws.DynamoDB, "BatchGetItem"); spent != 3 {
			t.Errorf("%d requests", spent)
		}
	})
}

// An answer holds 16 MB, and leaves the rest unprocessed.
func TestBatchReadReadsMoreThanAnAnswerHolds(t *testing.T) {
	withNumbered(t, 60, 390<<10, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		var all, want []string
		for i := range 60 {
			all, want = append(all, fmt.Sprint(i)), append(want, fmt.Sprint("item ", i))
		}
		began, before := time.Now(), engine.Requests()
		items, err := store.BatchRead(t.Context(), "numbered", numbers(all...))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, names(items)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if spent := engine.Requests().Since(before).Of(localaws.DynamoDB, "BatchGetItem"); spent < 2 {
			t.Errorf("%d requests for 23 MB: nothing was left unprocessed, so this shows nothing", spent)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("it paused %v though every answer brought something", took)
		}
	})
}

func TestBatchReadWaitsWhileTheTableIsThrottled(t *testing.T) {
	withNumbered(t, 3, 0, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		throttled := time.Now().Add(2 * time.Minute)
		engine.SetFaults(func(localaws.Call) localaws.Fault {
			if time.Now().Before(throttled) {
				return localaws.Fault{Error: localaws.Throttled(localaws.DynamoDB)}
			}
			return localaws.Fault{}
		})
		items, err := store.BatchRead(t.Context(), "numbered", numbers("0", "2"))
		if diff := cmp.Diff([]string{"item 0", "item 2"}, names(items)); err != nil || diff != "" {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	})
}

func TestBatchReadGivesUpATableThatNeverAnswers(t *testing.T) {
	withNumbered(t, 1, 0, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
		var calls atomic.Int64
		engine.SetFaults(func(localaws.Call) localaws.Fault {
			calls.Add(1)
			return localaws.Fault{Error: localaws.Throttled(localaws.DynamoDB)}
		})
		began := time.Now()
		_, err := store.BatchRead(t.Context(), "numbered", numbers("0"))
		if err == nil || !strings.Contains(err.Error(), "read 1 items of numbered") || !strings.Contains(err.Error(), "ProvisionedThroughputExceeded") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took < 3*time.Minute || took > 15*time.Minute {
			t.Errorf("it gave up after %v and %d calls", took, calls.Load())
		}
		engine.SetFaults(nil)
		before := engine.Requests()
		if _, err := store.BatchRead(t.Context(), "absent", numbers("0")); err == nil {
			t.Error("a table that does not exist was read")
		}
		if spent := engine.Requests().Since(before).Of(localaws.DynamoDB, "BatchGetItem"); spent != 1 {
			t.Errorf("%d requests for a table that does not exist", spent)
		}
	})
}
