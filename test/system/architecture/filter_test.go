package architecture

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// Lambda calls the relay with what its filters let through. Terraform's tests
// hold the file against what module relay renders; here it is held against what
// the relay would do: a record that it would stamp, publish or refuse must not be
// left out, however its item came about.
func TestLambdaIsToldOfEveryChange(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(modules, "relay", "testdata", "filters.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rendered map[string][]map[string]any
	if err := json.Unmarshal(text, &rendered); err != nil {
		t.Fatal(err)
	}
	if len(rendered) < 3 {
		t.Fatalf("only %d manifests have their filters in filters.json", len(rendered))
	}
	for file, filters := range rendered {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			m, err := manifest.Load(filepath.Join(modules, "relay", file))
			if err != nil {
				t.Fatal(err)
			}
			p := m.Publishes[0]
			source, err := replica.NewSource(m.Service, p, profilev1.Contract)
			if err != nil {
				t.Fatal(err)
			}
			done := map[replica.Action]int{}
			rapid.Check(t, func(t *rapid.T) {
				rec := anyRecord(t, m.Tables[slices.IndexFunc(m.Tables, func(table manifest.Table) bool { return table.Name == p.Table })], p)
				decision := source.Decide(&rec)
				done[decision.Action]++
				if decision.Action != replica.Ignore && !slices.ContainsFunc(filters, func(f map[string]any) bool { return lets(f, asEvent(&rec)) }) {
					t.Errorf("the relay would %s it, and Lambda leaves it out: keys %v\nold %v\nnew %v", decision.Action, rec.Keys, rec.Old, rec.New)
				}
			})
			if done[replica.Stamp] == 0 || done[replica.Publish] == 0 || done[replica.Ignore] == 0 {
				t.Errorf("the records were of too few kinds: %v", done)
			}
		})
	}
}

// anyRecord draws a record of a table that a publication's items are in, among
// others: with and without what its key and its matches ask for, written by who
// knows of versions and who does not, stamped for this contract or another.
func anyRecord(t *rapid.T, table manifest.Table, p manifest.Publication) replica.Record {
	created := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	keys := contracts.Item{}
	fits := rapid.IntRange(0, 9).Draw(t, "fits the key") > 0
	for _, k := range []manifest.KeyAttribute{table.PartitionKey, table.SortKey} {
		if k.IsZero() {
			continue
		}
		texts := []string{"7", "19", "320193", "ORG-{x}-7", "ORG-", "USER-7", "PROFILE", "NOTE", "profile/a", "profile/about", "profile/b"}
		value := contracts.String
		if k.Type == "N" {
			texts, value = texts[:3], contracts.Number
		}
		if fits {
			texts = slices.DeleteFunc(texts, func(text string) bool { _, ok := p.Key[k.Name].Match(text); return !ok })
		}
		keys[k.Name] = value(rapid.SampledFrom(texts).Draw(t, k.Name))
	}
	// A key never changes: where it does not match, nobody has stamped its item for
	// this contract.
	signable := true
	for name, m := range p.Match {
		if v, isKey := keys[name]; isKey && !strings.HasPrefix(v.Text(), m.Prefix) {
			signable = false
		}
	}
	books := p.Bookkeeping()
	image := func(label string) contracts.Item {
		item := maps.Clone(keys)
		for _, name := range slices.Sorted(maps.Keys(p.Match)) {
			if _, isKey := keys[name]; isKey {
				continue
			}
			if v := rapid.SampledFrom([]contracts.Value{{}, contracts.String("org"), contracts.String("1st"), contracts.Number("1"), contracts.Number("2"), contracts.Bool(true), contracts.String("")}).Draw(t, label+" "+name); !v.IsZero() {
				item[name] = v
			}
		}
		if name := rapid.SampledFrom([]string{"", "Apple", "Apple Inc."}).Draw(t, label+" name"); name != "" {
			item["name"] = contracts.String(name)
		}
		version := func(label string) contracts.Version {
			return contracts.VersionAt(created.Add(time.Duration(rapid.IntRange(-2, 2).Draw(t, label)) * time.Second))
		}
		if rapid.Bool().Draw(t, label+" has a version") {
			item[books.Version] = version(label + " version").Value()
		}
		switch rapid.SampledFrom([]string{"", "just now", "once"}).Draw(t, label+" was stamped") {
		case "just now":
			item[books.Version] = version(label + " version").Value()
			item[books.Stamped] = item[books.Version]
		case "once":
			item[books.Stamped] = version(label + " stamp").Value()
		}
		contractIDs := []string{"", "person.contact/v1", p.Contract}
		if !signable {
			contractIDs = contractIDs[:2]
		}
		if by := rapid.SampledFrom(contractIDs).Draw(t, label+" stamped for"); by != "" {
			item[books.Stamped+"For"] = contracts.StringSet(by)
		}
		if rapid.Bool().Draw(t, label+" is a tombstone") {
			item[books.Deleted] = contracts.Bool(true)
		}
		return item
	}
	rec := replica.Record{EventName: rapid.SampledFrom([]replica.EventName{replica.Insert, replica.Modify, replica.Remove}).Draw(t, "event"), Keys: keys, Created: created}
	if rec.EventName != replica.Insert {
		rec.Old = image("old")
	}
	if rec.EventName != replica.Remove {
		rec.New = image("new")
	} else {
		rec.ByTTL = rapid.Bool().Draw(t, "by TTL")
	}
	return rec
}

// asEvent returns a record as Lambda's filters see it (Lambda, "Using event
// filtering with a DynamoDB event source"). Of the values only texts and numbers
// are told apart, the only ones that a filter asks for.
func asEvent(rec *replica.Record) map[string]any {
	wire := func(item contracts.Item) map[string]any {
		out := map[string]any{}
		for name, v := range item {
			switch v.Kind() {
			case contracts.KindString:
				out[name] = map[string]any{"S": v.Text()}
			case contracts.KindNumber:
				out[name] = map[string]any{"N": v.Text()}
			default:
				out[name] = map[string]any{"other": "value"}
			}
		}
		return out
	}
	change := map[string]any{"Keys": wire(rec.Keys)}
	if rec.Old != nil {
		change["OldImage"] = wire(rec.Old)
	}
	if rec.New != nil {
		change["NewImage"] = wire(rec.New)
	}
	return map[string]any{"eventName": string(rec.EventName), "dynamodb": change}
}

// lets reports whether a pattern lets an event through: every key of the pattern
// is there and fits, of a list one condition does (Lambda, "Control which events
// Lambda sends to your function").
func lets(pattern, event any) bool {
	switch want := pattern.(type) {
	case map[string]any:
		have, ok := event.(map[string]any)
		if !ok {
			return false
		}
		for name, below := range want {
			if there, ok := have[name]; !ok || !lets(below, there) {
				return false
			}
		}
		return true
	case []any:
		text, isLeaf := event.(string)
		return isLeaf && slices.ContainsFunc(want, func(condition any) bool {
			switch c := condition.(type) {
			case string:
				return text == c
			case map[string]any:
				prefix, hasPrefix := c["prefix"].(string)
				return hasPrefix && strings.HasPrefix(text, prefix) || c["exists"] == true
			default:
				return false
			}
		})
	default:
		return false
	}
}
