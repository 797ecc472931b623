package dynamostore_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// engines are localaws as it answers by default, like AWS's documentation and
// DynamoDB Local, and as AWS itself was once seen to answer.
var engines = []localaws.Config{{}, {StatementsReturnNoItems: true}}

// inTables runs a test with empty tables on localaws, in virtual time.
func inTables(t *testing.T, cfg localaws.Config, tables []string, test func(t *testing.T, engine *localaws.Engine, db *dynamodb.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(cfg)
		defer engine.Close()
		db := dynamodb.NewFromConfig(localawstest.Config(engine))
		for _, table := range tables {
			createTable(t, db, table)
		}
		test(t, engine, db)
	})
}

// randomWrite is a write to an item of a small table that may be missing,
// older, newer or of the same version, under this mapping or another.
func randomWrite(rng *rand.Rand, table string, item int) replica.Write {
	w := write(fmt.Sprint("item ", item), contracts.Version(1+rng.IntN(9)), nil)
	w.Table = table
	for i := range rng.IntN(4) {
		w.Set[fmt.Sprint("attribute ", i)] = someValue(rng)
	}
	if rng.IntN(3) == 0 {
		w.Remove = append(w.Remove, "attribute 8", "attribute.9")
	}
	if rng.IntN(4) == 0 {
		w.Mapping = "other"
		w.Set["m"] = contracts.String("other")
	}
	w.MustExist = rng.IntN(4) == 0
	switch rng.IntN(6) {
	case 0:
		w.Where = contracts.Item{"attribute 0": someValue(rng)}
	case 1:
		w.Where = contracts.Item{"attribute 0": {}}
	case 2:
		w.Set["poison"] = contracts.Number("123456789012345678901234567890123456789") // 39 digits
	case 3:
		w.Set["#name"] = contracts.String("of a kind that no statement can say")
	}
	return w
}

func someValue(rng *rand.Rand) contracts.Value {
	return []contracts.Value{
		contracts.String(""), contracts.String("text 'quoted' \"twice\""), contracts.Number("12.50"), contracts.Bool(true),
		contracts.Null(), contracts.Binary([]byte{0, 255}), contracts.StringSet("a", "b"), contracts.NumberSet("1", "2.5"),
		contracts.List(contracts.Map(map[string]contracts.Value{"x": contracts.Number("1E3")})),
	}[rng.IntN(9)]
}

// Making writes together comes to the same as making each alone: the same
// results, errors and items, whatever the writes met, and whether or not the
// service shows the item that a statement's condition met.
func TestWritesMadeTogetherComeToTheSame(t *testing.T) {
	for _, cfg := range engines {
		inTables(t, cfg, []string{"together", "apart"}, func(t *testing.T, engine *localaws.Engine, db *dynamodb.Client) {
			rng := rand.New(rand.NewPCG(3, 5))
			store := dynamostore.New(db, dynamostore.Config{})
			var met [4]int
			for range 250 {
				var together, apart []replica.Write
				for _, item := range rng.Perm(120)[:rng.IntN(31)] {
					w := randomWrite(rng, "together", item)
					together = append(together, w)
					w.Table = "apart"
					apart = append(apart, w)
				}
				results, errs := store.WriteEach(t.Context(), together)
				for i, w := range apart {
					want, wantErr := store.Write(t.Context(), w)
					var err error
					if errs != nil {
						err = errs[i]
					}
					if replica.Classify(err) != replica.Classify(wantErr) || (err == nil) != (wantErr == nil) {
						t.Fatalf("%v: error %v, alone %v", w, err, wantErr)
					}
					if diff := cmp.Diff(want, results[i]); diff != "" {
						t.Fatalf("%v: (-alone +together)\n%s", w, diff)
					}
					switch {
					case err != nil:
						met[3]++
					case results[i].Written:
						met[0]++
					case results[i].Found != nil:
						met[1]++
					default:
						met[2]++
					}
				}
			}
			for i, what := range []string{"written", "met an item", "met none", "refused"} {
				if met[i] < 50 {
					t.Errorf("only %d writes were %s: the test shows little", met[i], what)
				}
			}
			if diff := cmp.Diff(everything(t, db, "apart"), everything(t, db, "together")); diff != "" {
				t.Errorf("the tables differ: (-alone +together)\n%s", diff)
			}
		})
	}
}

func everything(t *testing.T, db *dynamodb.Client, table string) map[string]contracts.Item {
	t.Helper()
	out, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String(table), ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	items := map[string]contracts.Item{}
	for _, raw := range out.Items {
		item, err := dynamostore.FromAttributes(raw)
		if err != nil {
			t.Fatal(err)
		}
		items[item["id"].Text()] = item
	}
	return items
}

func createTable(t *testing.T, db *dynamodb.Client, name string) {
	t.Helper()
	_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(name), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		t.Fatal(err)
	}
}
