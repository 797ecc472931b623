package manifest_test

import (
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

const fanOutsOf = `
service: stats
tables:
  - {name: narrow, partition_key: {name: cik, type: S}}
  - {name: broad, partition_key: {name: cik, type: S}}
  - {name: names, partition_key: {name: id, type: S}, indexes: [{name: by-cik, partition_key: {name: cik, type: S}}]}
  - {name: sectors, partition_key: {name: id, type: S}, indexes: [{name: by-cik, partition_key: {name: cik, type: S}}]}
subscribes:
  - contract: company.profile/v1
    attributes: [name, sector]
    replicas:
      - {table: narrow, key: {cik: subject}, set: {label: name}, version_attribute: v}
      - {table: broad, key: {cik: subject}, set: {label: name, s: sector}, version_attribute: v}
      - {table: names, index: by-cik, set: {label: name}, version_attribute: v}
      - {table: sectors, index: by-cik, set: {s: sector}, version_attribute: v}
`

// All fan-outs of a contract copy from one item replica: the first that has
// what every one of them needs.
func TestFanOutsCopyFromTheFirstReplicaThatHasAllTheyNeed(t *testing.T) {
	for name, c := range map[string]struct {
		edit []string
		want int
		says string
	}{
		"a later one has more":         {nil, 1, ""},
		"the first one has enough":     {[]string{"set: {s: sector}", "set: {s: name}"}, 0, ""},
		"one that may not create":      {[]string{"set: {label: name, s: sector}", "set: {label: name, s: sector}, create: false"}, -1, "broad has create: false"},
		"one that leaves empty values": {[]string{"s: sector}, version", "s: {attribute: sector, omit_empty: true}}, version"}, -1, "narrow does not keep sector as it is"},
	} {
		t.Run(name, func(t *testing.T) {
			text := fanOutsOf
			if c.edit != nil {
				text = strings.Replace(text, c.edit[0], c.edit[1], 1)
			}
			m, err := manifest.Parse("replication.yaml", []byte(text))
			if c.want < 0 {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("error %v does not say %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := m.Subscribes[0].Anchor(); got != c.want || err != nil {
				t.Errorf("replica %d, %v; want %d", got, err, c.want)
			}
		})
	}
}
