package manifest_test

import (
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// numbered makes the local key of singleTable's replica a number that is part of
// the subject.
var numbered = []string{"        subject: \"{org}/{number}\"\n        key", "        subject: \"ORG-{number}\"\n        key"}

func TestLocalKeysLeadBackToTheirSubjects(t *testing.T) {
	for name, c := range map[string]struct {
		keyed   []string // old, new pairs for singleTable's replica
		subject string   // pattern
	}{
		"the whole subject":           {[]string{"subject: \"{org}/{number}\"\n        key: {id: \"{number}\"}", "key: {id: subject}"}, `[1-9][0-9]{0,8}`},
		"a part of it as a number":    {[]string{numbered[0], numbered[1]}, `ORG-[1-9][0-9]{0,8}`},
		"parts of it within literals": {[]string{`        key: {id: "{number}"}`, `        key: {id: "{org}|{number}#"}`, "{name: id, type: \"N\"}", "{name: id, type: S}"}, `[a-z]{1,4}/[0-9a-z]{1,4}`},
		"the subject and a part of it": {[]string{`        key: {id: "{number}"}`, `        key: {id: subject, part: "P-{org}"}`,
			"{name: id, type: \"N\"}", "{name: id, type: S}\n    sort_key: {name: part, type: S}"}, `[a-z]{1,4}/[0-9a-z]{1,4}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustParse(t, strings.NewReplacer(c.keyed...).Replace(singleTable)).Subscribes[0].Replicas[0]
			rapid.Check(t, func(t *rapid.T) {
				subject := rapid.StringMatching(c.subject).Draw(t, "subject")
				key, err := r.KeyFor(subject)
				if err != nil {
					t.Fatal(err)
				}
				if back, ok := r.SubjectOf(key); !ok || back != subject {
					t.Fatalf("%q has the key %v, which leads back to %q, %v", subject, key, back, ok)
				}
			})
		})
	}
}

func TestKeysOfOtherItemsAreNobodys(t *testing.T) {
	edit := strings.NewReplacer(`        key: {id: "{number}"}`, `        key: {id: "ORG#{org}", kind: "MEMBER#{number}"}`,
		"{name: id, type: \"N\"}", "{name: id, type: S}\n    sort_key: {name: kind, type: S}")
	r := mustParse(t, edit.Replace(singleTable)).Subscribes[0].Replicas[0]
	for behaviour, key := range map[string]map[string]string{
		"another kind":                   {"id": "ORG#acme", "kind": "INVOICE#7"},
		"another prefix":                 {"id": "USER#acme", "kind": "MEMBER#7"},
		"half a key":                     {"id": "ORG#acme"},
		"a part that is empty":           {"id": "ORG#", "kind": "MEMBER#7"},
		"a part that cannot be rendered": {"id": "ORG#ac/me", "kind": "MEMBER#7"},
	} {
		if subject, ok := r.SubjectOf(key); ok {
			t.Errorf("%s: %v was taken for %q's", behaviour, key, subject)
		}
	}
	if _, ok := (manifest.Replica{Function: "notify"}).SubjectOf(map[string]string{"id": "1"}); ok {
		t.Error("a function replica has local items")
	}
}

func TestAnyTextOfANumberLeadsToItsSubject(t *testing.T) {
	r := mustParse(t, strings.NewReplacer(numbered...).Replace(singleTable)).Subscribes[0].Replicas[0]
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1_000_000).Draw(t, "n")
		for _, text := range []string{strconv.Itoa(n), strconv.Itoa(n) + ".0", strconv.Itoa(n*10) + "E-1"} {
			if subject, ok := r.SubjectOf(map[string]string{"id": text}); !ok || subject != "ORG-"+strconv.Itoa(n) {
				t.Fatalf("%s leads to %q, %v", text, subject, ok)
			}
		}
	})
}
