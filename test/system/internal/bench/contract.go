package bench

import (
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// What the runs create and use. The subscriber keeps three of the seven
// attributes; the others travel all the same, as they do for every subscriber.
const (
	sourceTable  = "companies"
	replicaTable = "company-copies"
	topicName    = "company-profile-v1"
	queueName    = "stats-company-profile-v1"
	keyAttribute = "cik"

	attributeName         = "companyName"
	attributeSector       = "sector"
	attributeHeadquarters = "headquarters"
	attributeVersion      = "profileVersion"
	attributeMapping      = "profileMapping"
)

const ownerManifest = `
service: profile
publishes:
  - contract: company.profile/v1
    topic: ` + topicName + `
    table: ` + sourceTable + `
    key: {cik: "{cik}"}
    version_attribute: version
`

const subscriberManifest = `
service: stats
tables:
  - name: ` + replicaTable + `
    partition_key: {name: cik, type: S}
subscribes:
  - contract: company.profile/v1
    topic: ` + topicName + `
    attributes: [name, sector, headquarters]
    queue:
      name: ` + queueName + `
      dead_letter_queue: ` + queueName + `-dlq
      visibility_timeout: 30s
      handler_timeout: 20s
      max_receive_count: 10
    replicas:
      - table: ` + replicaTable + `
        key: {cik: subject}
        set: {companyName: name, sector: sector, headquarters: headquarters}
        version_attribute: profileVersion
        on_delete: clear
`

// newSource is the owner's side as its manifest declares it.
func newSource() (*replica.Source, error) {
	m, err := manifest.Parse(manifest.FileName, []byte(ownerManifest))
	if err != nil {
		return nil, err
	}
	return replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract)
}

// newApplier is the subscriber's side as its manifest declares it.
func newApplier(store replica.Store, metrics *replica.Metrics) (*replica.Applier, error) {
	m, err := manifest.Parse(manifest.FileName, []byte(subscriberManifest))
	if err != nil {
		return nil, err
	}
	return replica.NewApplier(replica.ApplierConfig{
		Contract: profilev1.Contract, Subscription: m.Subscribes[0], Tables: m.Tables, Store: store, Metrics: metrics,
	})
}

// copied are the attributes that the replica keeps of a state, nil being a
// deleted one's.
func copied(state contracts.Item) contracts.Item {
	out := contracts.Item{}
	for local, from := range map[string]string{attributeName: "name", attributeSector: "sector", attributeHeadquarters: "headquarters"} {
		if v, ok := state[from]; ok {
			out[local] = v
		}
	}
	return out
}
