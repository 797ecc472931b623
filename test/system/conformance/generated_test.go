package conformance

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/test/system/internal/engine"
)

// perRound is how many operations a pair of tables gets.
const perRound = 40

// operation is a call that both engines have to answer alike.
type operation struct {
	what string
	run  func(p *probe, table string) string
}

// TestGenerated holds localaws against DynamoDB Local by random operations.
// They must agree on each answer, error code and old item, and in the end of a
// round on the stream's records, item by item.
//
// Not generated, since they are known to differ: an item twice in a batch of
// statements, and numbers in statements that are not in their normal form
// (TestStatements); empty maps in stream records (TestStreams); an item twice in
// a transaction with a failed condition, and paths into key attributes (an
// index's included) in an update with a failed condition, where DynamoDB Local
// reports the condition first. Not compared: the order of items that an engine
// may choose, and whether a key to go on from comes with the last item.
func TestGenerated(t *testing.T) {
	t.Parallel() // the other cases mostly wait
	var both []*engine.Engine
	for _, e := range suite.running {
		if e.DynamoDB != nil {
			both = append(both, e)
		}
	}
	if len(both) < 2 {
		t.Skip("one engine has nothing to agree with; make conformance runs it")
	}
	done, disagreed := 0, 0
	for round := uint64(0); done < *operations && disagreed < 5; round++ {
		count := min(perRound, *operations-done)
		if !t.Run(fmt.Sprint(round), func(t *testing.T) { agree(t, both, round, count) }) {
			disagreed++
		}
		done += count
	}
	suite.mu.Lock()
	defer suite.mu.Unlock()
	suite.agreed = fmt.Sprintf("%d operations with seed %d, rounds with a disagreement: %d", done, *seed, disagreed)
}

// generated makes a table with a stream: of items with the key p or, if ranged,
// with the keys p and r and with the index by-g of the keys g and c.
func (p *probe) generated(ranged bool) (table, arn string) {
	p.Helper()
	if !ranged {
		return p.streamed(types.StreamViewTypeNewAndOldImages)
	}
	table = p.named("generated")
	in := definition(table)
	in.KeySchema = keyed("p", "r")
	defines(in, "r", "N", "g", "S", "c", "N")
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{
		{IndexName: aws.String("by-g"), KeySchema: keyed("g", "c"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}},
	}
	in.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	p.create(in)
	out, err := p.DynamoDB.DescribeTable(p.ctx, &dynamodb.DescribeTableInput{TableName: &table})
	p.must(err)
	return table, aws.ToString(out.Table.LatestStreamArn)
}

// agree runs one round.
func agree(t *testing.T, both []*engine.Engine, round uint64, count int) {
	d := &draw{Rand: rand.New(rand.NewPCG(*seed, round)), ranged: round%2 == 1, round: round}
	probes := make([]*probe, len(both))
	streams, table := make([]string, len(both)), ""
	for i, e := range both {
		probes[i] = &probe{T: t, Engine: e, ctx: t.Context()}
		table, streams[i] = probes[i].generated(d.ranged)
	}
	var history strings.Builder
	for i := range count {
		op := d.operation()
		ours, theirs := op.run(probes[0], table), op.run(probes[1], table)
		fmt.Fprintf(&history, "%d: %s -> %s\n", i, op.what, ours)
		if ours != theirs {
			t.Fatalf("seed %d, round %d, operation %d: %s\n%s: %s\n%s: %s", *seed, round, i, op.what, both[0].Name, ours, both[1].Name, theirs)
		}
	}
	if diff := cmp.Diff(byItem(probes[1], streams[1]), byItem(probes[0], streams[0])); diff != "" {
		t.Errorf("seed %d, round %d: stream records: -%s +%s:\n%s\nafter\n%s", *seed, round, both[1].Name, both[0].Name, diff, &history)
	}
}

// byItem are a stream's records of each item, in order.
func byItem(p *probe, arn string) map[string][]string {
	out := make(map[string][]string)
	for _, r := range p.records(arn) {
		key := text(engine.Item(r.Dynamodb.Keys))
		out[key] = append(out[key], recorded(r))
	}
	return out
}

// operation draws one.
func (d *draw) operation() operation {
	d.fresh()
	switch d.IntN(14) {
	case 0, 1:
		return d.putting()
	case 2, 3, 4, 5:
		return d.updating()
	case 6:
		return d.deleting()
	case 7:
		return d.scanning()
	case 8:
		return d.batchWriting()
	case 9, 10:
		return d.transacting()
	case 11:
		return d.querying()
	default:
		if d.ranged {
			return d.querying()
		}
		return d.executing()
	}
}

// maybe is a condition or none.
func (d *draw) maybe() *string {
	if d.IntN(3) == 0 {
		return nil
	}
	return aws.String(d.condition(0))
}

// given is nil for an empty map, which AWS refuses.
func given[M ~map[string]V, V any](m M) M {
	if len(m) == 0 {
		return nil
	}
	return m
}

// answer is a write's answer.
func answer(attributes item, err error) string {
	return code(err) + " " + text(attributes) + " old: " + old(err)
}

// with describes an expression.
func (d *draw) with(condition *string) string {
	return fmt.Sprintf("if %q with %s %v", aws.ToString(condition), text(d.values), d.names)
}

func (d *draw) putting() operation {
	in := dynamodb.PutItemInput{Item: d.item(), ConditionExpression: d.maybe(), ReturnValues: pick(d, types.ReturnValueNone, types.ReturnValueAllOld),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	in.ExpressionAttributeValues, in.ExpressionAttributeNames = given(d.values), given(d.names)
	return operation{"put " + text(in.Item) + " " + d.with(in.ConditionExpression), func(p *probe, table string) string {
		in := in
		in.TableName = &table
		out, err := p.DynamoDB.PutItem(p.ctx, &in)
		if err != nil {
			return answer(nil, err)
		}
		return answer(out.Attributes, nil)
	}}
}

func (d *draw) updating() operation {
	in := dynamodb.UpdateItemInput{Key: d.primary(), UpdateExpression: aws.String(d.update()), ConditionExpression: d.maybe(),
		ReturnValues:                        pick(d, types.ReturnValueNone, types.ReturnValueAllOld, types.ReturnValueAllNew, types.ReturnValueUpdatedOld),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	in.ExpressionAttributeValues, in.ExpressionAttributeNames = given(d.values), given(d.names)
	what := fmt.Sprintf("update %s %q, wants %s, %s", text(in.Key), *in.UpdateExpression, in.ReturnValues, d.with(in.ConditionExpression))
	return operation{what, func(p *probe, table string) string {
		in := in
		in.TableName = &table
		out, err := p.DynamoDB.UpdateItem(p.ctx, &in)
		if err != nil {
			return answer(nil, err)
		}
		return answer(out.Attributes, nil)
	}}
}

func (d *draw) deleting() operation {
	in := dynamodb.DeleteItemInput{Key: d.primary(), ConditionExpression: d.maybe(), ReturnValues: types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld}
	in.ExpressionAttributeValues, in.ExpressionAttributeNames = given(d.values), given(d.names)
	return operation{"delete " + text(in.Key) + " " + d.with(in.ConditionExpression), func(p *probe, table string) string {
		in := in
		in.TableName = &table
		out, err := p.DynamoDB.DeleteItem(p.ctx, &in)
		if err != nil {
			return answer(nil, err)
		}
		return answer(out.Attributes, nil)
	}}
}

func (d *draw) executing() operation {
	var list []statement
	what := "execute"
	for _, i := range d.Perm(5)[:1+d.IntN(4)] {
		st := d.statement(string(rune('a' + i)))
		list = append(list, st)
		what += "; " + st.text
		for _, v := range st.parameters {
			what += " " + render(v)
		}
	}
	return operation{what, func(p *probe, table string) string {
		p.seen = nil
		p.execute(table, list...)
		return strings.Join(p.seen, ", ")
	}}
}
