package streamletters_test

import (
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/internal/accounttest"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/streamletters"
)

// Of a table that contracts share, whose a letter is can be told by attributes of
// any type: by the signature of a stamp, which is a set, and by collections that
// match asks for.
func TestALetterIsOfTheContractsByAttributesOfAnyType(t *testing.T) {
	key := func(set contracts.Item) contracts.Item {
		item := contracts.Item{"cik": contracts.String("1"), "version": contracts.VersionAt(time.Now()).Value(), "stampedVersion": contracts.VersionAt(time.Now()).Value()}
		for name, v := range set {
			item[name] = v
		}
		return item
	}
	tags := contracts.Item{"tags": contracts.List(contracts.String("x"))}
	signed := contracts.Item{"stampedVersionFor": contracts.StringSet("company.profile/v1")}
	for name, c := range map[string]struct {
		match string
		image contracts.Item
		ours  bool
	}{
		"signed, and no longer matching": {"{kind: {equals: company}}", key(signed), true},
		"neither":                        {"{kind: {equals: company}}", key(nil), false},
		"a list that must be there is":   {"{tags: {exists: true}}", key(tags), true},
		"a list that must not be is":     {"{tags: {exists: false}}", key(tags), false},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(r *rig) {
				m := must(manifest.Parse("replication.yaml", []byte(accounttest.Owner+"    match: "+c.match+"\n")))
				r.source = must(replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract))
				r.bury("1", c.image) // the item is gone by now
				if c.ours {
					r.mend(1, 0, 0)
				} else {
					r.mend(0, 1, 0)
				}
				if stamped := r.read("1") != nil; stamped != c.ours {
					r.Errorf("stamped: %v", stamped)
				}
				if _, err := streamletters.Decode([]byte(`{"dynamodb":{"Keys":{"cik":{"L":[]}}}}`)); err == nil {
					r.Error("a key that is a list was taken")
				}
			})
		})
	}
}
