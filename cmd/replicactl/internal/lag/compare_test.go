package lag

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

const subscriber = `service: stats
tables:
  - {name: company-stats, partition_key: {name: cik, type: S}}
subscribes:
  - contract: company.profile/v1
    attributes: [name]
    replicas:
      - {table: company-stats, key: {cik: subject}, set: {companyName: name}, version_attribute: profileVersion}
`

// However much has changed, no more copies are read than are allowed, a hundred
// in a request, and what was left out is said.
func TestCopiesAreReadUpToABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		db := dynamodb.NewFromConfig(localawstest.Config(engine))
		_, err := db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
			TableName: aws.String("company-stats"), BillingMode: types.BillingModePayPerRequest,
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("cik"), KeyType: types.KeyTypeHash}},
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("cik"), AttributeType: types.ScalarAttributeTypeS}},
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // until it is there
		m, err := manifest.Parse("stats.yaml", []byte(subscriber))
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		h := &History{now: time.Now, complete: true, reached: begin, maxCopies: 250}
		for i := range 400 {
			made := begin.Add(time.Duration(i-400) * time.Minute)
			h.changes = append(h.changes, announced{fmt.Sprint(i), contracts.VersionAt(made), made, []string{"name"}})
		}
		store := dynamostore.New(db, dynamostore.Config{})
		behind := func() Age {
			t.Helper()
			engine.ResetRequests()
			age, err := h.Behind(t.Context(), store, m.Subscribes[0], Waiting{})
			if err != nil {
				t.Fatal(err)
			}
			made := 0
			for _, n := range engine.Requests() {
				made += int(n)
			}
			if made != 3 {
				t.Errorf("%v requests, want 3", engine.Requests())
			}
			return age
		}
		for i := range 251 {
			if i == 240 {
				continue
			}
			_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("company-stats"), Item: dynamostore.ToAttributes(contracts.Item{
				"cik": contracts.String(fmt.Sprint(i)), "profileVersion": h.changes[i].version.Value()})})
			if err != nil {
				t.Fatal(err)
			}
		}
		if age := behind(); age.Kind != Exact || age.Subject != "240" || age.Seconds != 160*60 {
			t.Errorf("one that was compared is not applied: %+v", age)
		}
		h.changes[240].changed = []string{"sector"}
		if age := behind(); age.Kind != LessThan || age.Seconds != 149*60 || !strings.Contains(age.Note, "first 250 items") {
			t.Errorf("all that were compared are applied: %+v", age)
		}
		// A stamp above a copy that was ahead: no later than others, and above them.
		h.changes[240].changed = []string{"name"}
		h.changes = append(h.changes[:250:250], announced{"7", contracts.VersionAt(begin.Add(2 * time.Hour)), begin.Add(-5 * time.Hour), []string{"name"}})
		if age := behind(); age.Kind != Exact || age.Subject != "7" || age.Seconds != 5*60*60 {
			t.Errorf("the oldest has the highest version: %+v", age)
		}
	})
}

// Of several replicas the one that is the furthest behind counts, whichever comes
// first.
func TestTheReplicaThatIsTheFurthestBehindCounts(t *testing.T) {
	now := time.Now()
	of := func(ago time.Duration, counted int, complete bool) comparison {
		c := comparison{counted: counted, complete: complete, reached: now.Add(-ago)}
		if ago > 0 {
			c.oldest = &announced{made: now.Add(-ago)}
		}
		return c
	}
	far, near, level := of(3*time.Hour, 1, false), of(time.Hour, 7, true), of(0, 0, true)
	for _, order := range [][]comparison{{far, near, level}, {level, near, far}, {near, far, level}} {
		all := comparison{complete: true, reached: now}
		for _, one := range order {
			all.merge(one)
		}
		if all.oldest != far.oldest || all.counted != 7 || all.complete || !all.reached.Equal(far.reached) {
			t.Errorf("got %+v", all)
		}
	}
}

// Where the stream was not read whole, or more waits than it tells of, the age
// says which of that it is, and claims nothing of letters older than the stream.
func TestAnAgeSaysWhatMakesItABound(t *testing.T) {
	late := &announced{subject: "1", made: time.Now().Add(-time.Hour)}
	for behaviour, row := range map[string]struct {
		c       comparison
		waiting Waiting
		kind    Kind // empty for unknown
		said    string
	}{
		"read in part, letters":             {comparison{}, Waiting{Letters: 2}, "", "what the dead-letter queue holds, if anything, may be older"},
		"read in part, letters not known":   {comparison{}, Waiting{Letters: -1}, "", "what the dead-letter queue holds, if anything, may be older"},
		"read in part, messages":            {comparison{}, Waiting{Queued: 2}, LessThan, "the first 5 stream records were read"},
		"more waits":                        {comparison{oldest: late, counted: 1, complete: true}, Waiting{Queued: 2, Published: true}, AtLeast, "more waits than the changes"},
		"how much waits is not known":       {comparison{oldest: late, counted: 1, complete: true}, Waiting{Queued: -1, Published: true}, AtLeast, "how much waits is not known"},
		"as much waits, the relay does too": {comparison{oldest: late, counted: 1, complete: true}, Waiting{Queued: 1}, AtLeast, "the relay is not known to be done"},
	} {
		t.Run(behaviour, func(t *testing.T) {
			h := &History{now: time.Now, complete: row.c.complete, trimmed: true, read: 5, maxCopies: MaxCopies}
			row.c.reached = time.Now().Add(-2 * time.Hour)
			age, err := h.judge(row.c, row.waiting)
			said := age.Note
			if err != nil {
				said = err.Error()
			}
			if age.Kind != row.kind || (err != nil) != (row.kind == "") || !strings.Contains(said, row.said) {
				t.Errorf("got %+v, %v", age, err)
			}
		})
	}
}

// What waits although every item replica has every change is nothing only where
// it can be nothing.
func TestWhatWaitsBesideEveryChangeIsNotCalledNothing(t *testing.T) {
	for behaviour, row := range map[string]struct {
		trimmed, elsewhere bool
		waiting            Waiting
		counted            int
		said               string // of the age's note or the reason; none for an age of none alone
		unknown            bool
	}{
		"nothing waits":                                  {true, true, Waiting{}, 0, "", false},
		"what was sent a moment ago waits":               {true, false, Waiting{Queued: 3}, 3, "", false},
		"it waits, and there are fan-outs":               {true, true, Waiting{Queued: 3}, 3, "3 messages wait or are in flight, which may not be in fan-out copies", false},
		"more waits":                                     {true, false, Waiting{Queued: 4}, 3, "is older, was sent again", true},
		"more waits, of a young stream":                  {false, false, Waiting{Queued: 4}, 3, "was sent again", false},
		"more waits, and there are fan-outs":             {false, true, Waiting{Queued: 4}, 3, "is not yet in fan-out copies or functions, was sent again", true},
		"a dead letter may be a fan-out's":               {false, true, Waiting{Letters: 1}, 9, "is not yet in fan-out copies or functions, was sent again", true},
		"how much waits is not known":                    {false, true, Waiting{Queued: -1}, 9, "is not yet in fan-out copies or functions, was sent again", true},
		"how much waits is not known, of a young stream": {false, false, Waiting{Queued: -1}, 9, "was sent again", false},
	} {
		t.Run(behaviour, func(t *testing.T) {
			h := &History{now: time.Now, complete: true, reached: time.Now(), trimmed: row.trimmed}
			age, err := h.judge(comparison{complete: true, reached: h.reached, counted: row.counted, elsewhere: row.elsewhere}, row.waiting)
			said := age.Note
			if row.unknown {
				if err == nil {
					t.Fatalf("the age is %+v", age)
				}
				said = err.Error()
			} else if err != nil || age.Kind != None {
				t.Fatalf("the age is %+v, %v", age, err)
			}
			if row.said == "" && said != "" || !strings.Contains(said, row.said) {
				t.Errorf("said %q", said)
			}
		})
	}
}
