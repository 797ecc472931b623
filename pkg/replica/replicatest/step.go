package replicatest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostore"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// take takes one step.
func (s *sim) take(ctx context.Context, step Step) error {
	cik := strconv.Itoa(step.Item)
	t := s.tenants[step.Item%len(s.tenants)]
	name := contracts.String(fmt.Sprint("name ", step.ID))
	switch step.Kind {
	case OwnWrite, OwnDelete, OwnRace:
		return s.own(ctx, cik, step)
	case ForeignWrite:
		attribute := []string{"name", "sector", "headquarters"}[step.N%3]
		return s.writer.change(ctx, cik, "SET #n = :v", attribute, name)
	case ForeignPut, ForeignOld:
		item := keyOf(cik)
		maps.Copy(item, shared(step))
		if step.Kind == ForeignOld {
			age := time.Duration(1+step.N%6000) * time.Minute
			if step.N%3 == 0 { // of a copy made just now
				age = time.Duration(step.N%200_000) * time.Millisecond
			}
			item["version"] = contracts.VersionAt(time.Now().Add(-age)).Value()
		}
		return s.writer.put(ctx, item)
	case ForeignRevive:
		item, err := s.writer.read(ctx, cik)
		if err != nil || !item["deleted"].Bool() {
			return err
		}
		delete(item, "deleted")
		delete(item, "expiresAt")
		maps.Copy(item, shared(step))
		return s.writer.put(ctx, item)
	case ForeignDelete:
		return s.writer.remove(ctx, cik)
	case Expiry:
		item, err := s.writer.read(ctx, cik)
		if err != nil || item["deleted"].Bool() {
			return err
		}
		expired := contracts.Number(strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10))
		if err := s.writer.change(ctx, cik, "SET #n = :v", "expiresAt", expired); err != nil {
			return err
		}
		_, err = s.engine.DynamoDB().SweepTTL(ctx)
		return err
	case Unpublishable:
		return s.writer.change(ctx, cik, "SET #n = :v", "sector", contracts.Number("7"))
	case ServiceWrite:
		return s.serviceWrite(ctx, t, cik, step)
	case Watch, Unwatch:
		return s.watch(ctx, t, strconv.Itoa(step.N%Items), step)
	case Peace:
		if err := s.settle(ctx); err != nil {
			return err
		}
		s.rest(31 * 24 * time.Hour)
		if _, err := s.engine.DynamoDB().SweepTTL(ctx); err != nil {
			return err
		}
		s.weather.fine.Store(false)
		return nil
	case SplitShards:
		return s.engine.DynamoDB().SplitShards(companies)
	case RotateShards:
		return s.engine.DynamoDB().RotateShards(companies)
	case IndexLag:
		return s.lag(t, time.Duration(step.N%8000)*time.Millisecond)
	case Outage:
		s.rest(time.Duration(1+step.N%150) * time.Minute)
		return nil
	case Pause:
		return nil // it is what comes after every step
	default:
		return s.process(t, step)
	}
}

// process takes the steps that concern processes.
func (s *sim) process(t *tenant, step Step) error {
	posts := s.relays
	if step.Kind == KillConsumer || step.Kind == RollConsumer || step.Kind == PairConsumer {
		posts = t.consumers
	}
	switch step.Kind {
	case KillRelay, KillConsumer:
		posts[step.N/2%2].kill(step.N/4%25, step.N%2 == 0)
	case RollRelay, RollConsumer:
		each(posts[:1], (*post).vacate)
		posts[0].start()
	case PairRelay, PairConsumer:
		if posts[1].taken() {
			posts[1].vacate()
		} else {
			posts[1].start()
		}
	default:
		return fmt.Errorf("no such kind")
	}
	return nil
}

// shared is a whole shared state, named after its step.
func shared(step Step) contracts.Item {
	return contracts.Item{
		"name":   contracts.String(fmt.Sprint("name ", step.ID)),
		"sector": contracts.String(fmt.Sprint("sector ", step.N%3)),
	}
}

// own writes as the owner's repository does.
func (s *sim) own(ctx context.Context, cik string, step Step) error {
	switch step.Kind {
	case OwnDelete:
		return s.writer.own(ctx, cik, step.Skew, nil)
	case OwnWrite:
		set := shared(step)
		switch step.N / 3 % 4 {
		case 0:
			set["headquarters"] = contracts.String(fmt.Sprint("town ", step.ID))
		case 1:
			if item, err := s.writer.read(ctx, cik); err == nil && item["name"].Kind() == contracts.KindString && !item["deleted"].Bool() {
				delete(set, "name") // the sector alone
			}
		}
		return s.writer.own(ctx, cik, step.Skew, set)
	}
	var both sync.WaitGroup
	var errs [2]error
	for i, skew := range []time.Duration{step.Skew, -step.Skew} {
		set := shared(Step{ID: 1000*(i+1) + step.ID, N: step.N + i})
		if step.N%5 == 0 && i == 0 {
			set = nil
		}
		both.Go(func() { errs[i] = s.writer.own(ctx, cik, skew, set) })
	}
	both.Wait()
	return errors.Join(errs[:]...)
}

// ownAttribute is the service's own, in the items that carry copies.
const ownAttribute = "note"

// serviceWrite writes the service's own attribute beside a copy.
func (s *sim) serviceWrite(ctx context.Context, t *tenant, cik string, step Step) error {
	for _, r := range t.manifest.Subscribes[0].Replicas {
		if r.Kind() != manifest.Item || r.OnDelete != manifest.Clear {
			continue
		}
		key, err := itemKey(r, cik)
		if err != nil {
			return err
		}
		note := fmt.Sprint("note ", step.ID)
		_, err = s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: aws.String(r.Table), Key: dynamostore.ToAttributes(key), UpdateExpression: aws.String("SET #n = :v"),
			ExpressionAttributeNames:  map[string]string{"#n": ownAttribute},
			ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberS{Value: note}},
		})
		if err != nil {
			return err
		}
		t.own[place(r.Table, key)] = note
	}
	return nil
}

// watch adds a local item to each of the tenant's fan-outs, or removes it.
func (s *sim) watch(ctx context.Context, t *tenant, cik string, step Step) error {
	for _, r := range t.manifest.Subscribes[0].Replicas {
		if r.Kind() != manifest.FanOut {
			continue
		}
		key := copyKey(t.manifest, r, cik, []string{"ada", "bob"}[step.N/3%2])
		at := place(r.Table, key)
		if step.Kind == Unwatch {
			_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String(r.Table), Key: dynamostore.ToAttributes(key)})
			if err != nil {
				return err
			}
			delete(t.own, at)
			continue
		}
		note := fmt.Sprint("note ", step.ID)
		key[ownAttribute] = contracts.String(note)
		for { // as a service's caller does
			err := t.hand.AddCopy(ctx, r.Table, cik, key)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				return err
			}
			time.Sleep(time.Second)
		}
		t.own[at] = note
	}
	return nil
}

// lag lets the tenant's indexes lag, by less than a second pass waits.
func (s *sim) lag(t *tenant, d time.Duration) error {
	for _, table := range t.manifest.Tables {
		for _, index := range table.Indexes {
			if err := s.engine.DynamoDB().SetIndexLag(table.Name, index.Name, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// itemKey is the key of an item replica's local item.
func itemKey(r manifest.Replica, subject string) (contracts.Item, error) {
	texts, err := r.KeyFor(subject)
	if err != nil {
		return nil, err
	}
	key := contracts.Item{}
	for name, text := range texts {
		key[name] = contracts.String(text)
	}
	return key, nil
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
