package reconcile_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/pkg/replica/reconcile"
)

const sharedOwner = `
service: crm
tables:
  - name: app
    partition_key: {name: pk, type: S}
    sort_key: {name: sk, type: S}
    stream: true
    ttl_attribute: expiresAt
publishes:
  - contract: company.profile/v1
    table: app
    key: {pk: "ORG#{org}", sk: PROFILE}
    match: {kind: {equals: company}}
`

const sharedSubscriber = `
service: billing
tables:
  - name: ledger
    partition_key: {name: account, type: "N"}
subscribes:
  - contract: company.profile/v1
    attributes: [name]
    replicas:
      - table: ledger
        key: {account: subject}
        set: {payer: name}
        version_attribute: profileVersion
        on_delete: clear
        create: false
      - function: notify
`

// Both tables hold items of other kinds, the local key is a number, no change
// creates a local item, and a function keeps what only it knows.
func TestItemsOfOtherKindsAreNotCompared(t *testing.T) {
	inRig(t, func(r *rig) {
		owner := must(manifest.Parse("replication.yaml", []byte(sharedOwner)))
		billing := must(manifest.Parse("replication.yaml", []byte(sharedSubscriber)))
		r.Table(owner.Tables[0])
		r.Table(billing.Tables[0])
		source := must(replica.NewSource(owner.Service, owner.Publishes[0], profilev1.Contract))
		view := must(replica.Views(profilev1.Contract, billing.Subscribes[0], billing.Tables))[0]
		version := contracts.VersionAt(time.Now())
		item := func(pk, sk, kind string) {
			it := company("The Name")
			it["pk"], it["sk"], it["kind"], it["version"] = text(pk), text(sk), text(kind), version.Value()
			r.Put("app", it)
		}
		local := func(account, payer string) {
			r.Put("ledger", contracts.Item{"account": contracts.Number(account), "payer": text(payer), "balance": contracts.Number("1"),
				"profileVersion": version.Value(), "profileMapping": text(view.Fingerprint())})
		}
		item("ORG#1", "PROFILE", "company")
		item("ORG#2", "PROFILE", "company")
		item("ORG#3", "PROFILE", "company")
		item("ORG#4", "PROFILE", "person") // the key fits, the item does not match
		item("ORG#5", "INVOICE", "company")
		item("USER#6", "PROFILE", "company")
		item("ORG#1200", "PROFILE", "company")
		item("ORG#x", "PROFILE", "company") // no account can have this subject
		local("1", "The Name")
		local("2", "Another Name")
		local("4", "The Name")
		local("5", "The Name")
		local("1.2E3", "The Name")
		r.Put("ledger", contracts.Item{"account": contracts.Number("7"), "balance": contracts.Number("1")}) // no company's

		into := &findings{}
		side := reconcile.Side{Scanner: dynamostore.NewScan(r.DB), Reader: r.store}
		result, err := must(reconcile.New(reconcile.Config{
			Source: source, Subscriber: billing.Service, Subscription: billing.Subscribes[0], Tables: billing.Tables, Owner: side, Local: side, Found: into.add,
		})).Run(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		want := map[string]int{"different ledger 2": 1, "extra ledger 4": 1, "extra ledger 5": 1, "unpublishable ledger x": 1}
		if diff := cmp.Diff(want, into.counted()); diff != "" {
			r.Errorf("found (-want +got)\n%s", diff)
		}
		if diff := cmp.Diff([]string{"notify"}, result.Functions); diff != "" {
			r.Errorf("not compared (-want +got)\n%s", diff)
		}
		if result.Scanned != 8+6 || result.Drifted() != 4 || result.Total(reconcile.Extra) != 2 {
			r.Errorf("counted %+v", result)
		}
	})
}
