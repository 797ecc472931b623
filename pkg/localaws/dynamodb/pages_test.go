package dynamodb_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// row is an item of the table that the properties are about: key p and the
// number s, a global index by-g of g and the string t, a local one by-t.
type row struct {
	p    string
	s    int
	g, t string // no attribute if empty
	f    int
}

func (w row) item() item {
	it := item{"p": s(w.p), "s": n(strconv.Itoa(w.s)), "f": n(strconv.Itoa(w.f))}
	if w.g != "" {
		it["g"] = s(w.g)
	}
	if w.t != "" {
		it["t"] = s(w.t)
	}
	return it
}

func rowOf(it item) row {
	text := func(name string) string {
		if v, ok := it[name].(*types.AttributeValueMemberS); ok {
			return v.Value
		}
		return ""
	}
	number := func(name string) int {
		i, err := strconv.Atoi(it[name].(*types.AttributeValueMemberN).Value)
		if err != nil {
			panic(err)
		}
		return i
	}
	return row{p: text("p"), s: number("s"), g: text("g"), t: text("t"), f: number("f")}
}

func rowsTable() *sdk.CreateTableInput {
	return &sdk.CreateTableInput{
		TableName:              aws.String("rows"),
		AttributeDefinitions:   defs("p", "S", "s", "N", "g", "S", "t", "S"),
		KeySchema:              key("p", "s"),
		BillingMode:            types.BillingModePayPerRequest,
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{IndexName: aws.String("by-g"), KeySchema: key("g", "t"), Projection: project("ALL")}},
		LocalSecondaryIndexes:  []types.LocalSecondaryIndex{{IndexName: aws.String("by-t"), KeySchema: key("p", "t"), Projection: project("ALL")}},
	}
}

func drawRows(t *rapid.T) []row {
	texts := rapid.SampledFrom([]string{"", "a", "ab", "abc", "b", "B", "é"})
	list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) row {
		return row{
			p: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "p"),
			s: rapid.IntRange(-12, 12).Draw(t, "s"),
			g: rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "g"),
			t: texts.Draw(t, "t"),
			f: rapid.IntRange(0, 3).Draw(t, "f"),
		}
	}), 0, 40).Draw(t, "rows")
	return list
}

// store puts the rows one over the other and returns what is left.
func store(t *rapid.T, r *rig, list []row) []row {
	left := make(map[string]row)
	for _, w := range list {
		if _, err := r.PutItem(context.Background(), &sdk.PutItemInput{TableName: aws.String("rows"), Item: w.item()}); err != nil {
			t.Fatal(err)
		}
		left[fmt.Sprint(w.p, "/", w.s)] = w
	}
	var rows []row
	for _, w := range left {
		rows = append(rows, w)
	}
	return rows
}

// ask is a query as the property draws it: the condition as DynamoDB reads it
// and as Go does.
type ask struct {
	condition string
	values    item
	holds     func(row) bool
}

// drawAsk draws a query on the named index, "" for the table.
func drawAsk(t *rapid.T, index string) ask {
	var a ask
	hash, hashOf := "p", func(w row) string { return w.p }
	rng, value := "t", func(w row) string { return w.t }
	choices := []string{"a", "b", "c"}
	if index == "by-g" {
		hash, hashOf, choices = "g", func(w row) string { return w.g }, []string{"x", "y"}
	}
	want := rapid.SampledFrom(choices).Draw(t, "hash")
	a.condition, a.values = hash+" = :h", item{":h": s(want)}
	inIndex := func(w row) bool { return index == "" || (value(w) != "" && hashOf(w) != "") }
	compare := func(w row, to any) int {
		if index == "" {
			return w.s - to.(int)
		}
		return strings.Compare(value(w), to.(string))
	}
	attribute := func(v any) types.AttributeValue {
		if i, ok := v.(int); ok {
			return n(strconv.Itoa(i))
		}
		return s(v.(string))
	}
	draw := func(label string) any {
		if index == "" {
			return rapid.IntRange(-13, 13).Draw(t, label)
		}
		return rapid.SampledFrom([]string{"a", "ab", "b", "c", "A"}).Draw(t, label)
	}
	if index == "" {
		rng = "s"
	}
	x := draw("x")
	ranges := func(row) bool { return true }
	switch op := rapid.SampledFrom([]string{"", "=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"}).Draw(t, "op"); {
	case op == "" || (op == "begins_with" && index == ""):
	case op == "BETWEEN":
		y := draw("y")
		if fmt.Sprintf("%T", x) == "int" && x.(int) > y.(int) || fmt.Sprintf("%T", x) == "string" && x.(string) > y.(string) {
			x, y = y, x
		}
		a.condition += " AND " + rng + " BETWEEN :x AND :y"
		a.values[":x"], a.values[":y"] = attribute(x), attribute(y)
		ranges = func(w row) bool { return compare(w, x) >= 0 && compare(w, y) <= 0 }
	case op == "begins_with":
		a.condition += " AND begins_with(" + rng + ", :x)"
		a.values[":x"] = attribute(x)
		ranges = func(w row) bool { return strings.HasPrefix(value(w), x.(string)) }
	default:
		a.condition += " AND " + rng + " " + op + " :x"
		a.values[":x"] = attribute(x)
		ranges = func(w row) bool {
			c := compare(w, x)
			return map[string]bool{"=": c == 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[op]
		}
	}
	a.holds = func(w row) bool { return inIndex(w) && hashOf(w) == want && ranges(w) }
	return a
}

func TestQueryAgreesWithANaiveModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		r.create(t, rowsTable())
		rows := store(t, r, drawRows(t))
		for range 5 {
			index := rapid.SampledFrom([]string{"", "by-g", "by-t"}).Draw(t, "index")
			a := drawAsk(t, index)
			forward := rapid.Bool().Draw(t, "forward")
			in := &sdk.QueryInput{TableName: aws.String("rows"), KeyConditionExpression: &a.condition, ExpressionAttributeValues: a.values, ScanIndexForward: &forward}
			if index != "" {
				in.IndexName = &index
			}
			if rapid.Bool().Draw(t, "limited") {
				in.Limit = aws.Int32(rapid.Int32Range(1, 5).Draw(t, "limit"))
			}
			holds := a.holds
			if rapid.Bool().Draw(t, "filtered") {
				in.FilterExpression = aws.String("f > :f")
				a.values[":f"] = n("1")
				holds = func(w row) bool { return a.holds(w) && w.f > 1 }
			}
			var got []row
			scanned := 0
			pages := sdk.NewQueryPaginator(r, in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				scanned += int(page.ScannedCount)
				if int(page.Count) != len(page.Items) || (in.Limit != nil && page.ScannedCount > *in.Limit) {
					t.Fatalf("a page of %d items counts %d of %d", len(page.Items), page.Count, page.ScannedCount)
				}
				for _, it := range page.Items {
					got = append(got, rowOf(it))
				}
			}
			// The range key orders; the rest only makes ties comparable.
			order := func(a, b row) int {
				c := a.s - b.s
				if index != "" {
					c = strings.Compare(a.t, b.t)
				}
				if !forward {
					c = -c
				}
				return c
			}
			if !slices.IsSortedFunc(got, order) {
				t.Fatalf("%s on %q, forward %v, came as %v", a.condition, index, forward, got)
			}
			var want []row
			examined := 0
			for _, w := range rows {
				if a.holds(w) {
					examined++
				}
				if holds(w) {
					want = append(want, w)
				}
			}
			sameRows(t, a.condition+" on "+index, want, got)
			if scanned != examined {
				t.Fatalf("%s scanned %d, want %d", a.condition, scanned, examined)
			}
		}
	})
}

func TestScanSegmentsPartitionATableAndItsIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRig(t)
		r.create(t, rowsTable())
		rows := store(t, r, drawRows(t))
		index := rapid.SampledFrom([]string{"", "by-g"}).Draw(t, "index")
		total := rapid.Int32Range(1, 9).Draw(t, "total")
		var got []row
		for segment := range total {
			in := &sdk.ScanInput{TableName: aws.String("rows"), Segment: &segment, TotalSegments: &total, Limit: aws.Int32(rapid.Int32Range(1, 6).Draw(t, "limit"))}
			if index != "" {
				in.IndexName = &index
			}
			pages := sdk.NewScanPaginator(r, in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(context.Background())
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range page.Items {
					got = append(got, rowOf(it))
				}
			}
		}
		want := slices.DeleteFunc(slices.Clone(rows), func(w row) bool { return index != "" && (w.g == "" || w.t == "") })
		sameRows(t, fmt.Sprintf("%d segments", total), want, got)
	})
}

// sameRows compares two lists without their order.
func sameRows(t *rapid.T, what string, want, got []row) {
	sorted := func(list []row) []string {
		var texts []string
		for _, w := range list {
			texts = append(texts, fmt.Sprintf("%+v", w))
		}
		slices.Sort(texts)
		return texts
	}
	if d := cmp.Diff(sorted(want), sorted(got)); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func TestAPageEndsWithTheItemThatPassesOneMegabyte(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	for i := range 5 {
		r.put(t, "things", item{"p": s("a"), "s": s(strconv.Itoa(i)), "l": n("1"), "x": s(strings.Repeat("x", 300_000))})
	}
	// The filter keeps nothing: a page is measured before it.
	out, err := r.Query(t.Context(), &sdk.QueryInput{
		TableName: aws.String("things"), KeyConditionExpression: aws.String("p = :p"), FilterExpression: aws.String("attribute_not_exists(x)"),
		ExpressionAttributeValues: item{":p": s("a")}, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.ScannedCount != 4 || out.Count != 0 {
		t.Errorf("scanned %d and kept %d, want 4 and 0", out.ScannedCount, out.Count)
	}
	sameItem(t, "the key to go on from", item{"p": s("a"), "s": s("3")}, out.LastEvaluatedKey)
	if got, want := aws.ToFloat64(out.ConsumedCapacity.CapacityUnits), 146.5; got != want {
		t.Errorf("consumed %v, want %v: 1,200,048 bytes in units of 4 KB, half each", got, want)
	}
	// Of a local index the page is measured by what it gives, also where that
	// is fetched from the table.
	for attributes, want := range map[types.Select]int32{types.SelectAllProjectedAttributes: 5, types.SelectAllAttributes: 4} {
		out, err := r.Query(t.Context(), &sdk.QueryInput{
			TableName: aws.String("things"), IndexName: aws.String("by-l"), Select: attributes,
			KeyConditionExpression: aws.String("p = :p"), ExpressionAttributeValues: item{":p": s("a")},
		})
		if err != nil {
			t.Fatal(err)
		}
		if out.Count != want {
			t.Errorf("a page of the local index with %s has %d items, want %d", attributes, out.Count, want)
		}
	}
}

func TestSelectAndProjection(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	whole := item{"p": s("a"), "s": s("1"), "l": n("5"), "h": s("h"), "x": s("x"), "y": s("y")}
	r.put(t, "things", whole)
	query := func(change func(*sdk.QueryInput)) (*sdk.QueryOutput, error) {
		in := &sdk.QueryInput{TableName: aws.String("things"), KeyConditionExpression: aws.String("p = :p"), ExpressionAttributeValues: item{":p": s("a")}}
		change(in)
		return r.Query(t.Context(), in)
	}
	byH := func(in *sdk.QueryInput) {
		in.IndexName, in.KeyConditionExpression, in.ExpressionAttributeValues = aws.String("by-h"), aws.String("h = :h"), item{":h": s("h")}
	}
	gives := map[string]struct {
		change func(*sdk.QueryInput)
		want   item
	}{
		"the table gives everything":               {func(*sdk.QueryInput) {}, whole},
		"a projection gives its attributes":        {func(in *sdk.QueryInput) { in.ProjectionExpression = aws.String("x, s") }, item{"x": s("x"), "s": s("1")}},
		"a local index gives what it carries":      {func(in *sdk.QueryInput) { in.IndexName = aws.String("by-l") }, item{"p": s("a"), "s": s("1"), "l": n("5")}},
		"a local index fetches all if asked":       {func(in *sdk.QueryInput) { in.IndexName, in.Select = aws.String("by-l"), types.SelectAllAttributes }, whole},
		"a local index fetches what is projected":  {func(in *sdk.QueryInput) { in.IndexName, in.ProjectionExpression = aws.String("by-l"), aws.String("y") }, item{"y": s("y")}},
		"a global index gives what it carries":     {byH, item{"p": s("a"), "s": s("1"), "h": s("h")}},
		"a global index gives its own projections": {func(in *sdk.QueryInput) { byH(in); in.ProjectionExpression = aws.String("s") }, item{"s": s("1")}},
	}
	for name, row := range gives {
		t.Run(name, func(t *testing.T) {
			out, err := query(row.change)
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Items) != 1 {
				t.Fatalf("got %d items", len(out.Items))
			}
			sameItem(t, "item", row.want, out.Items[0])
		})
	}
	refuses := map[string]struct {
		change func(*sdk.QueryInput)
		part   string
	}{
		"all of a global index that has keys only":  {func(in *sdk.QueryInput) { byH(in); in.Select = types.SelectAllAttributes }, "Select type ALL_ATTRIBUTES is not supported for global secondary index by-h"},
		"an attribute a global index does not have": {func(in *sdk.QueryInput) { byH(in); in.ProjectionExpression = aws.String("x") }, "Global secondary index by-h does not project [x]"},
		"a consistent read of a global index":       {func(in *sdk.QueryInput) { byH(in); in.ConsistentRead = aws.Bool(true) }, "Consistent reads are not supported on global secondary indexes"},
		"an index the table does not have":          {func(in *sdk.QueryInput) { in.IndexName = aws.String("by-z") }, "does not have the specified index: by-z"},
		"a filter on a key attribute":               {func(in *sdk.QueryInput) { in.FilterExpression = aws.String("s = :p") }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: s"},
		"a filter on what the index does not have":  {func(in *sdk.QueryInput) { in.IndexName, in.FilterExpression = aws.String("by-l"), aws.String("x = :p") }, "Secondary index by-l does not project one or more filter attributes: [x]"},
		"a projection of a count":                   {func(in *sdk.QueryInput) { in.Select, in.ProjectionExpression = types.SelectCount, aws.String("x") }, "choosing to get only the Count"},
		"a start in another partition":              {func(in *sdk.QueryInput) { in.ExclusiveStartKey = item{"p": s("b"), "s": s("1")} }, "outside query boundaries"},
		"a start with half a key":                   {func(in *sdk.QueryInput) { in.ExclusiveStartKey = item{"p": s("a")} }, "The provided starting key is invalid"},
		"a hash value of another type":              {func(in *sdk.QueryInput) { in.ExpressionAttributeValues = item{":p": n("1")} }, "Condition parameter type does not match schema type"},
	}
	for name, row := range refuses {
		t.Run(name, func(t *testing.T) {
			_, err := query(row.change)
			wantError(t, err, "ValidationException", row.part)
		})
	}
	out, err := query(func(in *sdk.QueryInput) { in.Select = types.SelectCount })
	if err != nil {
		t.Fatal(err)
	}
	if out.Count != 1 || out.Items != nil {
		t.Errorf("a count gave %d and %v", out.Count, out.Items)
	}
}

func TestAnIndexLagsAsLongAsItIsTold(t *testing.T) {
	r := newRig(t)
	r.create(t, things("things"))
	found := func() int {
		t.Helper()
		out, err := r.Query(t.Context(), &sdk.QueryInput{TableName: aws.String("things"), IndexName: aws.String("by-h"), KeyConditionExpression: aws.String("h = :h"), ExpressionAttributeValues: item{":h": s("h")}})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.Items)
	}
	check := func(when string, want int) {
		t.Helper()
		if got := found(); got != want {
			t.Errorf("%s the index shows %d, want %d", when, got, want)
		}
	}
	if err := r.service.SetIndexLag("things", "by-h", time.Second); err != nil {
		t.Fatal(err)
	}
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "h": s("h")})
	check("at once", 0)
	r.clock.advance(500 * time.Millisecond)
	r.put(t, "things", item{"p": s("a"), "s": s("2"), "h": s("h")})
	r.put(t, "things", item{"p": s("a"), "s": s("1"), "h": s("other")})
	r.clock.advance(500 * time.Millisecond)
	check("a second after the first put", 1)
	r.clock.advance(500 * time.Millisecond)
	check("a second after the second put and the move", 1)
	r.put(t, "things", item{"p": s("a"), "s": s("3"), "h": s("h")})
	check("right after the third put", 1)
	if err := r.service.SetIndexLag("things", "by-h", 0); err != nil {
		t.Fatal(err)
	}
	check("without lag", 2)
}
