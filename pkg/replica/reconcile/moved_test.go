package reconcile_test

import (
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
)

const seatsSubscriber = `
service: seats
tables:
  - name: employers
    partition_key: {name: cik, type: S}
  - name: seats
    partition_key: {name: id, type: S}
    indexes:
      - name: by-cik
        partition_key: {name: cik, type: S}
subscribes:
  - contract: company.profile/v1
    attributes: [name]
    replicas:
      - table: employers
        key: {cik: subject}
        set: {employer: name}
        version_attribute: profileVersion
        on_delete: clear
      - table: seats
        index: by-cik
        set: {employer: name}
        version_attribute: profileVersion
        on_delete: clear
`

// A copy that moves to another subject while its difference is held is not
// compared with the one it has left.
func TestACopyThatMovesToAnotherSubjectIsNoDrift(t *testing.T) {
	inRig(t, func(r *rig) {
		seats := must(manifest.Parse("replication.yaml", []byte(seatsSubscriber)))
		for _, table := range seats.Tables {
			r.Table(table)
		}
		mapping := must(replica.Views(profilev1.Contract, seats.Subscribes[0], seats.Tables))[0].Fingerprint()
		versions := map[string]contracts.Version{}
		copied := func(cik, name string) contracts.Item {
			return contracts.Item{"cik": text(cik), "employer": text(name), "profileVersion": versions[cik].Value(), "profileMapping": text(mapping)}
		}
		for cik, name := range map[string]string{"7": "Seven", "8": "Eight"} {
			versions[cik] = r.own(cik, company(name))
			r.Put("employers", copied(cik, name))
			time.Sleep(time.Second)
		}
		for id, cik := range map[string]string{"up": "7", "down": "8"} {
			seat := copied(cik, "old")
			seat["id"] = text(id)
			seat["profileVersion"] = (versions[cik] - 1_000_000_000).Value()
			r.Put("seats", seat)
		}
		into := &findings{}
		cfg := r.config(false, into)
		cfg.Subscriber, cfg.Subscription, cfg.Tables = seats.Service, seats.Subscribes[0], seats.Tables
		moved := time.AfterFunc(10*time.Second, func() {
			for id, to := range map[string][2]string{"up": {"8", "Eight"}, "down": {"7", "Seven"}} {
				seat := copied(to[0], to[1])
				seat["id"] = text(id)
				r.Put("seats", seat)
			}
		})
		defer moved.Stop()
		result, err := must(reconcile.New(cfg)).Run(r.Context())
		if err != nil || result.Drifted() != 0 || result.InFlight != 2 {
			t.Errorf("result %+v, %v; found %v", result, err, into.counted())
		}
	})
}
