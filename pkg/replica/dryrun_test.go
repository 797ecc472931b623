package replica_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// What a dry store says of a write is what the database then says.
func TestADryStoreAnswersAsTheDatabaseThenDoes(t *testing.T) {
	inShelf(t, func(s *shelf) {
		rng := rand.New(rand.NewPCG(3, 1))
		pick := func(values ...contracts.Value) contracts.Value { return values[rng.IntN(len(values))] }
		versions := []contracts.Value{{}, contracts.Number("0"), contracts.Number("5"), contracts.Number("6"), contracts.Number("7"),
			contracts.String("6"), contracts.Number("9223372036854775807")}
		mappings := []contracts.Value{{}, contracts.String("a"), contracts.String("b")}
		dry, written := replica.DryStore{Store: s.store}, 0
		for range 3000 {
			key := contracts.Item{"cik": contracts.String("1")}
			if _, err := s.db.DeleteItem(s.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("company-stats"), Key: dynamostore.ToAttributes(key)}); err != nil {
				s.t.Fatal(err)
			}
			if rng.IntN(4) > 0 {
				item := contracts.Item{"cik": contracts.String("1")}
				for name, v := range map[string]contracts.Value{"v": pick(versions...), "m": pick(mappings...), "w": pick(mappings...)} {
					if !v.IsZero() {
						item[name] = v
					}
				}
				if _, err := s.db.PutItem(s.t.Context(), &dynamodb.PutItemInput{TableName: aws.String("company-stats"), Item: dynamostore.ToAttributes(item)}); err != nil {
					s.t.Fatal(err)
				}
			}
			w := replica.Write{Table: "company-stats", Key: key, Set: contracts.Item{"x": contracts.String("y")},
				Version: contracts.Version(5 + rng.IntN(3)), VersionAttribute: "v", Mapping: "a", MappingAttribute: "m", MustExist: rng.IntN(2) == 0}
			if rng.IntN(3) == 0 {
				w.Where = contracts.Item{"w": contracts.String("a")}
			}
			if rng.IntN(3) == 0 {
				w.Replaces = &replica.Stored{Version: pick(versions...), Mapping: pick(mappings...)}
			}
			said, err := dry.Write(s.t.Context(), w)
			if err != nil {
				s.t.Fatal(err)
			}
			found := must(s.store.Read(s.t.Context(), w.Table, key))
			did, err := s.store.Write(s.t.Context(), w)
			if err != nil {
				s.t.Fatal(err)
			}
			// A version that is none of ours is replaced in the next attempt, by
			// either.
			if v := found["v"]; w.Replaces == nil && v.Kind() == contracts.KindNumber && v.Text() == "0" {
				continue
			}
			if diff := cmp.Diff(did, said); diff != "" {
				s.t.Fatalf("%+v on %v (-is +was said):\n%s", w, found, diff)
			}
			if did.Written {
				written++
			}
		}
		if written < 300 {
			s.t.Errorf("only %d of the writes took place", written)
		}
	})
}

func (s *shelf) dryRun(edits ...string) *replica.DryRun {
	s.t.Helper()
	m := must(parseStats(edits...))
	return must(replica.NewDryRun(replica.DryRunConfig{Service: m.Service, Catalog: catalog, Subscriptions: m.Subscribes, Tables: m.Tables, Store: s.store}))
}

// A dry run is the consumer's own code on the tables as they are, and changes
// nothing in them.
func TestADryRunSaysWhatTheConsumerWouldDo(t *testing.T) {
	profile := func(subject string, version time.Duration) string {
		c := &contracts.Change{Contract: catalog.All()[0], Operation: contracts.Upsert, Source: "/services/profile", Subject: subject,
			Version: contracts.VersionAt(time.Now().Add(version)), Origin: contracts.Live, Published: time.Now(), Changed: []string{"name"},
			Attributes: contracts.Item{"name": contracts.String("n"), "sector": contracts.String(""), "subIndustry": contracts.String("o"),
				"headquarters": contracts.String("h"), "tickers": contracts.List(contracts.String("t"))}}
		return string(must(contracts.Encode(c)))
	}
	function := []string{"      - table: watchlists\n        index: by-cik\n        set: {companyName: name}\n        version_attribute: profileVersion\n        on_delete: clear\n", "      - function: score\n"}
	for name, c := range map[string]struct {
		edits    []string
		body     func() string
		rejected string
		stale    bool
		want     bool // superseded
	}{
		"a change that applies":                 {nil, func() string { return profile("1", 0) }, "", false, false},
		"one that every replica has outgrown":   {nil, func() string { return profile("1", 0) }, "", true, true},
		"with a function nothing is superseded": {function, func() string { return profile("1", 0) }, "", true, false},
		"a version that lies in the future":     {nil, func() string { return profile("1", 48*time.Hour) }, "version lies in the future", false, false},
		"no event":                              {nil, func() string { return "{" }, "malformed event", false, false},
		"an unknown contract":                   {nil, func() string { return strings.Replace(profile("1", 0), "changed.v1", "changed.v7", 1) }, "unknown contract", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			inShelf(t, func(s *shelf) {
				if c.stale {
					later := must(contracts.Decode([]byte(profile("1", time.Hour)), catalog))
					if _, err := s.applier().Apply(s.t.Context(), later, replica.FirstPass); err != nil {
						s.t.Fatal(err)
					}
				}
				dry, before := s.dryRun(c.edits...), s.company("1")
				s.engine.ResetRequests()
				trial, err := dry.Try(s.t.Context(), []byte(c.body()), nil)
				if err != nil {
					s.t.Fatal(err)
				}
				switch {
				case c.rejected == "" && trial.Rejected != nil, c.rejected != "" && (trial.Rejected == nil || trial.Rejected.Reason != c.rejected):
					s.t.Errorf("rejected: %v, want %q", trial.Rejected, c.rejected)
				case trial.Superseded != c.want:
					s.t.Errorf("superseded: %v, want %v", trial.Superseded, c.want)
				case len(trial.Functions) > 0 != (len(c.edits) > 0 && c.edits[0] == function[0]):
					s.t.Errorf("functions %v", trial.Functions)
				}
				requests := s.engine.Requests()
				if n := requests.Total(localaws.DynamoDB) - requests.Of(localaws.DynamoDB, "GetItem") - requests.Of(localaws.DynamoDB, "Query"); n != 0 {
					s.t.Errorf("%d requests that are no reads: %v", n, requests)
				}
				if diff := cmp.Diff(before, s.company("1")); diff != "" {
					s.t.Errorf("the dry run changed the replica:\n%s", diff)
				}
			})
		})
	}
}

// What DynamoDB would never store is refused before it is put back.
func TestADryStoreRefusesWhatAnIndexCannotHold(t *testing.T) {
	inShelf(t, func(s *shelf) {
		dry := replica.DryStore{Store: s.store, Tables: []manifest.Table{{Name: "company-stats", Indexes: []manifest.Index{{
			Name: "by-sector", PartitionKey: manifest.KeyAttribute{Name: "sector", Type: "S"}, SortKey: manifest.KeyAttribute{Name: "founded", Type: "N"}}}}}}
		for name, c := range map[string]struct {
			set     contracts.Item
			refused bool
		}{
			"an empty key":          {contracts.Item{"sector": contracts.String("")}, true},
			"a key of another type": {contracts.Item{"founded": contracts.String("1984")}, true},
			"a key":                 {contracts.Item{"sector": contracts.String("Energy"), "founded": contracts.Number("1984")}, false},
			"no key":                {contracts.Item{"name": contracts.String("")}, false},
		} {
			w := replica.Write{Table: "company-stats", Key: contracts.Item{"cik": contracts.String("1")}, Set: c.set,
				Version: 1, VersionAttribute: "v", Mapping: "a", MappingAttribute: "m"}
			_, err := dry.Write(s.t.Context(), w)
			if refused := replica.Classify(err).Verdict == replica.Reject && err != nil; refused != c.refused {
				s.t.Errorf("%s: %v", name, err)
			}
		}
	})
}
