package dynamo_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/profile/internal/dynamo"
	"github.com/tributary-dev/tributary/services/profile/internal/profiletest"
)

// noon is when the tests' clock stands still.
var noon = time.Date(2024, 10, 10, 12, 0, 0, 0, time.UTC)

// rig is a repository whose clock and jitter the test holds.
type rig struct {
	*profiletest.World
	*dynamo.Repository
	now    time.Time
	before func(operation string) // runs before every write
	during func()                 // runs in every pause
	pauses []time.Duration        // the most that each pause may be
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{World: profiletest.New(t), now: noon}
	writes := 0
	r.Repository = dynamo.New(dynamo.Config{
		Client: meddled{r.Database, r}, Publication: r.Publication,
		Now:        func() time.Time { return r.now },
		NewWriteID: func() string { writes++; return fmt.Sprint("write ", writes) },
		Jitter: func(most time.Duration) time.Duration {
			r.pauses = append(r.pauses, most)
			if r.during != nil {
				r.during()
			}
			return 0
		},
	})
	return r
}

// meddled is the database with somebody at work between a read and a write.
type meddled struct {
	*dynamodb.Client
	rig *rig
}

func (m meddled) PutItem(ctx context.Context, in *dynamodb.PutItemInput, o ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	m.rig.meddle("PutItem")
	return m.Client.PutItem(ctx, in, o...)
}

func (m meddled) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, o ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	m.rig.meddle("UpdateItem")
	return m.Client.UpdateItem(ctx, in, o...)
}

func (r *rig) meddle(operation string) {
	if r.before != nil {
		r.before(operation)
	}
}

func text(s string) contracts.Value { return contracts.String(s) }

func number(n int64) contracts.Value { return contracts.Number(fmt.Sprint(n)) }

// named is a profile of that name.
func named(name string) contracts.Item { return contracts.Item{"name": text(name)} }
