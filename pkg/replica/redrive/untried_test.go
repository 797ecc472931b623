package redrive_test

import (
	"context"
	"testing"

	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
)

// halfThere is a store in which the table of one item is missing.
type halfThere struct {
	replica.Store
	without string // the item's cik
}

func (h halfThere) Read(ctx context.Context, table string, key contracts.Item) (contracts.Item, error) {
	if key["cik"].Text() == h.without {
		return nil, &dbtypes.ResourceNotFoundException{}
	}
	return h.Store.Read(ctx, table, key)
}

// A letter that cannot be tried, and could not be by waiting either, keeps the
// others from nothing: it stays, for a reason.
func TestALetterThatCannotBeTriedStaysAndTheOthersGo(t *testing.T) {
	inRig(t, func(r *rig) {
		for n := range 3 {
			r.send(r.dead, body(r.company(n)))
		}
		without := halfThere{r.store, r.company(1).Subject}
		dry := must(replica.NewDryRun(replica.DryRunConfig{Service: "stats", Catalog: r.catalog,
			Subscriptions: r.manifest.Subscribes, Tables: r.manifest.Tables, Store: without}))
		result, err := r.redrive(func(c *redrive.Config) { c.DryRun = dry }).Run(r.Context(), redrive.Selection{All: true})
		if err != nil || result.Sent != 2 || result.Refused != 1 {
			t.Errorf("%+v, %v, want 2 sent and 1 refused", result, err)
		}
		for _, tally := range result.Tallies {
			if tally.Action == redrive.Refuse && (tally.Reason != "not tried" || tally.Advice == "" || tally.Detail == "") {
				t.Errorf("refused as %+v", tally)
			}
		}
		r.wantDepths("2+0", "1+0")
	})
}
