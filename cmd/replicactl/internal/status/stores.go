package status

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// declaredStores are what a subscription's consumer reads and writes, a table
// before its indexes.
func declaredStores(s manifest.Subscription) []Store {
	stores := []Store{}
	add := func(table, index string) {
		same := func(o Store) bool { return o.Table == table && o.Index == index }
		if table != "" && !slices.ContainsFunc(stores, same) {
			stores = append(stores, Store{Table: table, Index: index})
		}
	}
	for _, r := range s.Replicas {
		add(r.Table, "")
		if r.Index != "" {
			add(r.Table, r.Index)
		}
	}
	add(s.ControlTable, "")
	return stores
}

// stores fills in whether the subscriber's tables and indexes exist: without one
// of them its consumer can apply nothing, though its queue may be empty.
func (l *look) stores(ctx context.Context, s *Subscription) {
	tables := make(map[string]*types.TableDescription)
	for i := range s.Stores {
		store := &s.Stores[i]
		if store.Index != "" {
			store.State = indexState(tables[store.Table], store.Index)
			continue
		}
		out, err := l.Clients.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &store.Table})
		if _, missing := errors.AsType[*types.ResourceNotFoundException](err); missing {
			store.State = Cell[string]{Missing: true}
			continue
		}
		if err != nil {
			store.State = failed[string](l, connect.DynamoDB, "table "+store.Table, err)
			continue
		}
		tables[store.Table], store.State = out.Table, known(string(out.Table.TableStatus))
	}
}

func indexState(table *types.TableDescription, index string) Cell[string] {
	if table == nil {
		return unknown[string]("see its table")
	}
	for _, i := range table.GlobalSecondaryIndexes {
		if aws.ToString(i.IndexName) == index {
			return known(string(i.IndexStatus))
		}
	}
	return Cell[string]{Missing: true}
}
