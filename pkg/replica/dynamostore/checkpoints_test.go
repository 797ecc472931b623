package dynamostore_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

// withPlaces runs a test with an empty checkpoint table.
func withPlaces(t *testing.T, test func(t *testing.T, engine *localaws.Engine, db *dynamodb.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		db := dynamodb.NewFromConfig(localawstest.Config(engine))
		_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String("places"), BillingMode: types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		})
		if err != nil {
			t.Fatal(err)
		}
		test(t, engine, db)
	})
}

// ahead is the order of places: a finished shard before all, then the sequence
// number as a number.
func ahead(a, b dynamostream.Checkpoint) bool {
	if a.Finished != b.Finished {
		return a.Finished
	}
	x, y := strings.TrimLeft(a.Sequence, "0"), strings.TrimLeft(b.Sequence, "0")
	return len(x) > len(y) || len(x) == len(y) && x > y
}

// Whatever two pollers save, in whatever order, what is kept is the place
// furthest ahead; a finished one is final.
func TestCheckpointsOnlyMoveForward(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		shard := 0
		// A bubble has no Deadline for rapid to ask for.
		rapid.Check(struct{ rapid.TB }{t}, func(rt *rapid.T) {
			shard++
			id := fmt.Sprint("shard ", shard)
			pollers := []*dynamostore.Checkpoints{
				dynamostore.NewCheckpoints(db, "places", "relay"), dynamostore.NewCheckpoints(db, "places", "relay"),
			}
			var want dynamostream.Checkpoint
			for range rapid.IntRange(1, 8).Draw(rt, "saves") {
				digits := rapid.SampledFrom([]int{1, 3, 21, 40}).Draw(rt, "digits")
				place := dynamostream.Checkpoint{
					Sequence: fmt.Sprintf("%0*d", digits, rapid.IntRange(0, 2000).Draw(rt, "sequence")),
					Finished: rapid.IntRange(0, 5).Draw(rt, "finished") == 0,
				}
				if rapid.IntRange(0, 4).Draw(rt, "empty") == 0 {
					place.Sequence = ""
				}
				at := pollers[rapid.IntRange(0, 1).Draw(rt, "poller")]
				if err := at.Save(t.Context(), "stream", id, place); err != nil {
					rt.Fatal(err)
				}
				if !want.Finished && !ahead(want, place) {
					want = place
				}
				got, err := pollers[0].Load(t.Context(), "stream", id)
				if err != nil {
					rt.Fatal(err)
				}
				if got != want {
					rt.Fatalf("kept %v, want %v", got, want)
				}
			}
		})
	})
}

// Saves that race end at the place furthest ahead, too.
func TestRacingCheckpointsEndAtTheFurthest(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		places := dynamostore.NewCheckpoints(db, "places", "relay")
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				if err := places.Save(t.Context(), "stream", "shard", dynamostream.Checkpoint{Sequence: fmt.Sprintf("%021d", i*7%40)}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		got, err := places.Load(t.Context(), "stream", "shard")
		if err != nil || got.Sequence != fmt.Sprintf("%021d", 39) {
			t.Errorf("kept %v, %v", got, err)
		}
	})
}

func TestCheckpointsOfPollersStreamsAndShardsAreApart(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		where := [][3]string{{"a", "stream", "shard"}, {"b", "stream", "shard"}, {"a", "other", "shard"}, {"a", "stream", "other"}}
		for i, w := range where {
			place := dynamostream.Checkpoint{Sequence: fmt.Sprintf("%021d", i)}
			if err := dynamostore.NewCheckpoints(db, "places", w[0]).Save(t.Context(), w[1], w[2], place); err != nil {
				t.Fatal(err)
			}
		}
		for i, w := range where {
			got, err := dynamostore.NewCheckpoints(db, "places", w[0]).Load(t.Context(), w[1], w[2])
			if err != nil || got.Sequence != fmt.Sprintf("%021d", i) {
				t.Errorf("%v: kept %v, %v", w, got, err)
			}
		}
		none, err := dynamostore.NewCheckpoints(db, "places", "c").Load(t.Context(), "stream", "shard")
		if err != nil || none != (dynamostream.Checkpoint{}) {
			t.Errorf("a place nobody kept: %v, %v", none, err)
		}
	})
}

// A save whose answer is lost is repeated by the SDK and is no error; TTL
// cleans up a week after the last change.
func TestACheckpointSurvivesALostAnswerAndExpires(t *testing.T) {
	withPlaces(t, func(t *testing.T, engine *localaws.Engine, db *dynamodb.Client) {
		_, err := db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName:               aws.String("places"),
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(true)},
		})
		if err != nil {
			t.Fatal(err)
		}
		engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Operation == "UpdateItem" && c.Attempt == 1 {
				return localaws.Fault{Drop: localaws.DropResponse}
			}
			return localaws.Fault{}
		})
		places := dynamostore.NewCheckpoints(db, "places", "relay")
		want := dynamostream.Checkpoint{Sequence: "7", Finished: true}
		if err := places.Save(t.Context(), "stream", "shard", want); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			days int
			want dynamostream.Checkpoint
		}{{6, want}, {2, dynamostream.Checkpoint{}}} {
			time.Sleep(time.Duration(c.days) * 24 * time.Hour) // virtual
			engine.DynamoDB().SweepTTL(t.Context())
			got, err := places.Load(t.Context(), "stream", "shard")
			if err != nil || got != c.want {
				t.Errorf("kept %v, %v, want %v", got, err, c.want)
			}
		}
	})
}

func TestAMissingTableIsNamed(t *testing.T) {
	withPlaces(t, func(t *testing.T, _ *localaws.Engine, db *dynamodb.Client) {
		places := dynamostore.NewCheckpoints(db, "elsewhere", "relay")
		_, load := places.Load(t.Context(), "stream", "shard")
		save := places.Save(t.Context(), "stream", "shard", dynamostream.Checkpoint{Sequence: "1"})
		for _, err := range []error{load, save} {
			if err == nil || !strings.Contains(err.Error(), "no table elsewhere") || !strings.Contains(err.Error(), "bootstrap") {
				t.Errorf("got %v", err)
			}
		}
	})
}
