package dynamostore_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
)

// No message is at fault where an index is not there: it is tried again, and
// whoever reads why knows what to make. Any other wrong query stays as it is.
func TestAQueryWithoutItsIndexSaysWhatToMake(t *testing.T) {
	for behaviour, row := range map[string]struct {
		answer string // of DynamoDB; the engine's own where empty
		told   bool
	}{
		"an index that is not there":      {told: true},
		"an index that is still filled":   {answer: "Cannot read from backfilling global secondary index: by-cik", told: true},
		"a query that is wrong otherwise": {answer: "Query condition missed key schema element: cik"},
	} {
		t.Run(behaviour, func(t *testing.T) {
			inTable(t, func(t *testing.T, engine *localaws.Engine, store *dynamostore.Store) {
				if row.answer != "" {
					engine.SetFaults(func(localaws.Call) localaws.Fault {
						return localaws.Fault{Error: &wire.Error{Code: "ValidationException", Message: row.answer, Status: http.StatusBadRequest}}
					})
				}
				_, _, err := store.Find(t.Context(), replica.Find{Table: "items", Index: "by-cik", Partition: contracts.Item{"cik": contracts.String("1")}, Attributes: []string{"id"}})
				if err == nil || replica.Classify(err).Verdict != replica.Retry {
					t.Fatalf("got %v", err)
				}
				if told := strings.HasPrefix(err.Error(), "index by-cik of table items is not there, or is still being built ("); told != row.told {
					t.Errorf("got %v", err)
				}
				if api, kept := errors.AsType[smithy.APIError](err); !kept || !strings.Contains(err.Error(), api.ErrorMessage()) {
					t.Errorf("DynamoDB's answer is lost: %v", err)
				}
			})
		})
	}
}
