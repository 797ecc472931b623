package dynamostore

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/internal/retry"
)

// MaxReadKeys is the most keys of one request (BatchGetItem, DynamoDB API
// reference).
const MaxReadKeys = 100

// A table that answers nothing at all for this many requests in a row, some six
// minutes with the pauses, is given up.
const readAttempts = 16

var readBackoff = retry.Backoff{Base: 100 * time.Millisecond, Max: 30 * time.Second}

// BatchRead reads items consistently by BatchGetItem, MaxReadKeys a request, and
// returns them in the order of the keys, nil where there is none. Keys may
// repeat. What a request leaves unprocessed (an answer holds at most 16 MB) is
// asked for again at once if the request returned something, and after a
// pause if the table is throttled or cannot be reached. With attributes, nothing but those and the
// key is returned, which costs AWS the same and memory less.
//
// All items are in memory at the same time: callers read as many as they can
// hold. It needs the right to dynamodb:BatchGetItem.
func (s *Store) BatchRead(ctx context.Context, table string, keys []contracts.Item, attributes ...string) ([]contracts.Item, error) {
	items := make([]contracts.Item, len(keys))
	places := make(map[string][]int, len(keys)) // a request must not name a key twice
	var distinct []map[string]types.AttributeValue
	for i, key := range keys {
		id := identity(key, key)
		if places[id] == nil {
			distinct = append(distinct, ToAttributes(key))
		}
		places[id] = append(places[id], i)
	}
	read := batchRead{client: s.client, table: table}
	if len(attributes) > 0 && len(keys) > 0 {
		read.project(keys[0], attributes)
	}
	for chunk := range slices.Chunk(distinct, MaxReadKeys) {
		err := read.all(ctx, chunk, func(raw map[string]types.AttributeValue) error {
			item, err := FromAttributes(raw)
			if err != nil {
				return err
			}
			for _, at := range places[identity(item, keys[0])] {
				items[at] = item
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read %d items of %s: %w", len(keys), table, err)
		}
	}
	return items, nil
}

// identity is the same text for every text of a key's values: DynamoDB returns
// numbers in its own form. names are the key's attributes.
func identity(item, names contracts.Item) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(names)) {
		v := item[name]
		text := v.Text()
		switch v.Kind() {
		case contracts.KindNumber:
			if number, err := contracts.NormalizeNumber(text); err == nil {
				text = number
			}
		case contracts.KindBinary:
			text = string(v.Bytes())
		}
		fmt.Fprintf(&b, "%d:%d:%s", v.Kind(), len(text), text)
	}
	return b.String()
}

// batchRead reads items of one table.
type batchRead struct {
	client     *dynamodb.Client
	table      string
	projection *string
	names      map[string]string
}

func (r *batchRead) project(key contracts.Item, attributes []string) {
	e := newExpression()
	for name := range key {
		e.name(name)
	}
	for _, name := range attributes {
		e.name(name)
	}
	r.projection, r.names = aws.String(strings.Join(slices.Sorted(maps.Keys(e.names)), ", ")), e.names
}

// all reads the items with these keys, at most MaxReadKeys, in as many requests
// as it takes.
func (r *batchRead) all(ctx context.Context, keys []map[string]types.AttributeValue, visit func(map[string]types.AttributeValue) error) error {
	for idle := 0; len(keys) > 0; {
		out, err := r.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{r.table: {
			Keys: keys, ConsistentRead: aws.Bool(true), ProjectionExpression: r.projection, ExpressionAttributeNames: r.names,
		}}})
		answered := 0
		switch {
		case err == nil:
			left := out.UnprocessedKeys[r.table].Keys
			answered = len(keys) - len(left)
			keys = left
			for _, item := range out.Responses[r.table] {
				if err := visit(item); err != nil {
					return err
				}
			}
		case !retry.Worthwhile(err), retry.Denied(err):
			return err
		}
		if answered > 0 {
			idle = 0
			continue
		}
		if idle++; idle == readAttempts {
			if err == nil {
				err = fmt.Errorf("the table is throttled: %d keys were not read at %d attempts; try again later, or give it more read capacity", len(keys), readAttempts)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(readBackoff.Pause(idle, rand.Float64)):
		}
	}
	return nil
}
