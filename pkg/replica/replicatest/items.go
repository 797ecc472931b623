package replicatest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// LocalItems is what a subscriber's service writes by itself into the tables that
// carry copies. An error fails the simulation.
type LocalItems interface {
	// Write writes attributes of the service's own into the item into which the
	// subject's copy is merged; something else for every n.
	Write(ctx context.Context, subject string, n int) error
	// Watch adds a user's item that a fan-out copies the subject to, or writes
	// it once more.
	Watch(ctx context.Context, user, subject string) error
	// Unwatch removes it, if it is there.
	Unwatch(ctx context.Context, user, subject string) error
}

// merged is a LocalItems made from the manifest alone, with one attribute of its own.
type merged struct {
	db       *dynamodb.Client
	manifest *manifest.Manifest
	applier  *replica.Applier
}

func openMerged(cfg aws.Config, m *manifest.Manifest) (LocalItems, error) {
	applier, err := newApplier(cfg, m)
	if err != nil {
		return nil, err
	}
	return merged{dynamodb.NewFromConfig(cfg), m, applier}, nil
}

// ownAttribute is the service's own, in the items that carry copies.
const ownAttribute = "note"

func (i merged) Write(ctx context.Context, subject string, n int) error {
	for _, r := range i.manifest.Subscribes[0].Replicas {
		if !carriesOwn(r) {
			continue
		}
		key, err := itemKey(r, subject)
		if err != nil {
			return err
		}
		_, err = i.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(r.Table), Key: dynamostore.ToAttributes(key), UpdateExpression: aws.String("SET #n = :v"),
			ExpressionAttributeNames:  map[string]string{"#n": ownAttribute},
			ExpressionAttributeValues: map[string]types.AttributeValue{":v": dynamostore.ToAttribute(contracts.String(fmt.Sprint("note ", n)))},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (i merged) Watch(ctx context.Context, user, subject string) error {
	for _, r := range i.manifest.Subscribes[0].Replicas {
		if r.Kind() != manifest.FanOut {
			continue
		}
		item := copyKey(i.manifest, r, subject, user)
		item[ownAttribute] = contracts.String("since " + time.Now().Format(time.TimeOnly))
		for { // as a service's caller does
			err := i.applier.AddCopy(ctx, r.Table, subject, item)
			if err == nil {
				break
			}
			select {
			case <-ctx.Done():
				return errors.Join(err, context.Cause(ctx))
			case <-time.After(time.Second):
			}
		}
	}
	return nil
}

func (i merged) Unwatch(ctx context.Context, user, subject string) error {
	for _, r := range i.manifest.Subscribes[0].Replicas {
		if r.Kind() != manifest.FanOut {
			continue
		}
		key := copyKey(i.manifest, r, subject, user)
		if _, err := i.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(r.Table), Key: dynamostore.ToAttributes(key)}); err != nil {
			return err
		}
	}
	return nil
}

// carriesOwn reports whether an item replica's items are the service's own.
func carriesOwn(r manifest.Replica) bool {
	return r.Kind() == manifest.Item && r.OnDelete == manifest.Clear
}

// itemKey is the key of an item replica's local item.
func itemKey(r manifest.Replica, subject string) (contracts.Item, error) {
	texts, err := r.KeyFor(subject)
	if err != nil {
		return nil, err
	}
	return stringItem(texts), nil
}

// copyKey is the key of a user's item in a fan-out's table.
func copyKey(m *manifest.Manifest, r manifest.Replica, subject, user string) contracts.Item {
	key := contracts.Item{}
	table, _ := m.Table(r.Table)
	for _, k := range table.KeyAttributes() {
		key[k.Name] = contracts.String(user)
		if _, ofSubject := r.Key[k.Name]; ofSubject {
			key[k.Name] = contracts.String(subject)
		}
	}
	return key
}

// place names a local item.
func place(table string, key contracts.Item) string {
	text := table
	for _, name := range sortedNames(key) {
		text += "/" + key[name].Text()
	}
	return text
}

// ownOf is what is the service's own of a local item: all but the copy.
func ownOf(r manifest.Replica, item contracts.Item) contracts.Item {
	if item == nil {
		return nil
	}
	own := maps.Clone(item)
	for name := range r.Set {
		delete(own, name)
	}
	for _, name := range r.Bookkeeping().Names() {
		delete(own, name)
	}
	return own
}

// note takes down what is the service's own of a local item, which nothing but
// the service may change from now on.
func (t *tenant) note(ctx context.Context, db *dynamodb.Client, r manifest.Replica, key contracts.Item) error {
	item, err := dynamostore.New(db, dynamostore.Config{}).Read(ctx, r.Table, key)
	if err != nil {
		return err
	}
	t.own[place(r.Table, key)] = ownOf(r, item)
	return nil
}

// serviceWrite has the service write beside a copy.
func (s *sim) serviceWrite(ctx context.Context, t *tenant, subject string, step Step) error {
	if err := t.items.Write(ctx, subject, step.ID); err != nil {
		return err
	}
	for _, r := range t.manifest.Subscribes[0].Replicas {
		if !carriesOwn(r) {
			continue
		}
		key, err := itemKey(r, subject)
		if err != nil {
			return err
		}
		if err := t.note(ctx, s.db, r, key); err != nil {
			return err
		}
	}
	return nil
}

// users have local items of the fan-outs.
var users = []string{"ada", "bob"}

// watch has the service add a local item to its fan-outs, or remove it.
func (s *sim) watch(ctx context.Context, t *tenant, subject string, step Step) error {
	act, user := t.items.Watch, users[step.N/3%2]
	if step.Kind == Unwatch {
		act = t.items.Unwatch
	}
	if err := act(ctx, user, subject); err != nil {
		return err
	}
	for _, r := range t.manifest.Subscribes[0].Replicas {
		if r.Kind() != manifest.FanOut {
			continue
		}
		key := copyKey(t.manifest, r, subject, user)
		if err := t.note(ctx, s.db, r, key); err != nil {
			return err
		}
		if at := place(r.Table, key); (t.own[at] == nil) != (step.Kind == Unwatch) {
			s.fail("after %s its service has %v at %s", step.Kind, t.own[at], at)
		}
	}
	return nil
}
