package manifest

import "fmt"

// Advise returns every problem of a completed manifest that a service starts
// with all the same, joined, or nil: combinations that are unsafe in the way
// they are mostly used, which Validate does not refuse.
func (m *Manifest) Advise() error {
	c := &checker{m: m}
	for i, s := range m.Subscribes {
		for j, r := range s.Replicas {
			t, known := m.Table(r.Table)
			if !known || t.TTLAttribute == "" || r.OnDelete != Clear || !r.Creates() {
				continue
			}
			c.add(ruleExpiringVersion, within(within(index("subscribes", i), index("replicas", j)), "on_delete"),
				fmt.Sprintf("TTL removes items of %s by %s, and with them the version that keeps a late older change from coming back", t.Name, t.TTLAttribute),
				"write create: false, so that only the service makes items, or use a table without ttl_attribute")
		}
	}
	return join(c.problems)
}
