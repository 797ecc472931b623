package dynamodb

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
)

// maxPageBytes is what one Query or Scan retrieves, counted before the filter
// ("Paginating table query results"). The item that passes it is the last.
const maxPageBytes = 1 << 20

// pageInput are the parameters Query and Scan share; their structs embed it.
type pageInput struct {
	TableName              string
	IndexName              string
	ConsistentRead         bool
	ExclusiveStartKey      attr.Item
	FilterExpression       *string
	Limit                  *int
	ProjectionExpression   *string
	ReturnConsumedCapacity string
	Select                 string
	expressions
}

// pageOutput is the answer of both.
type pageOutput struct {
	Items            []attr.Item `json:",omitempty"`
	Count            int
	ScannedCount     int
	LastEvaluatedKey attr.Item         `json:",omitempty"`
	ConsumedCapacity *consumedCapacity `json:",omitempty"`
}

// emptyPageOutput keeps an empty Items in the answer; a COUNT has none.
type emptyPageOutput struct {
	Items            []attr.Item
	Count            int
	ScannedCount     int
	LastEvaluatedKey attr.Item         `json:",omitempty"`
	ConsumedCapacity *consumedCapacity `json:",omitempty"`
}

const (
	selectAll       = "ALL_ATTRIBUTES"
	selectProjected = "ALL_PROJECTED_ATTRIBUTES"
	selectSpecific  = "SPECIFIC_ATTRIBUTES"
	selectCount     = "COUNT"
)

func (in pageInput) check() error {
	if err := checkTableName(in.TableName); err != nil {
		return err
	}
	if err := oneOf(in.Select, "select", "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"); err != nil {
		return err
	}
	if err := checkReturnCapacity(in.ReturnConsumedCapacity); err != nil {
		return err
	}
	if in.Limit != nil && *in.Limit < 1 {
		return parameter("'"+strconv.Itoa(*in.Limit)+"'", "limit", "Member must have value greater than or equal to 1")
	}
	switch {
	case in.Select == selectSpecific && in.ProjectionExpression == nil:
		return invalid("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case in.Select == selectCount && in.ProjectionExpression != nil:
		return invalid("Cannot specify the ProjectionExpression when choosing to get only the Count")
	case (in.Select == selectAll || in.Select == selectProjected) && in.ProjectionExpression != nil:
		return invalid("Cannot specify the ProjectionExpression when choosing to get %s", in.Select)
	case in.Select == selectProjected && in.IndexName == "":
		return invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	}
	return nil
}

// reader reads one page of a table or index.
type reader struct {
	table      *table
	index      *index // nil for the table itself
	key        keySchema
	entries    *tree
	consistent bool
	capacity   string

	filter     *expr.Condition
	projection *expr.Projection
	countOnly  bool
	fetch      bool // a local index does not carry all that is asked for
	limit      int

	items          []attr.Item
	count, scanned int
	bytes          int     // of the entries read
	retrieved      int     // the same, with what was fetched for a local index
	fetched        float64 // units of reading the table for a local index
	last           *entry
	err            error
}

// open locks the table for reading and makes a reader of it or its index. On
// success the caller unlocks.
func (in pageInput) open(t *table, filter *expr.Condition, pr *expr.Projection) (*reader, error) {
	r := &reader{table: t, key: t.key, consistent: in.ConsistentRead, capacity: in.ReturnConsumedCapacity, filter: filter, projection: pr, countOnly: in.Select == selectCount}
	if in.Limit != nil {
		r.limit = *in.Limit
	}
	if err := t.settle(in.IndexName); err != nil {
		return nil, err
	}
	if err := t.rlock(); err != nil {
		return nil, err
	}
	r.entries = t.entries
	if err := r.use(in); err != nil {
		t.mu.RUnlock()
		return nil, err
	}
	return r, nil
}

// use checks the reader's expressions against the table and turns the reader
// to the index that is asked for, if any.
func (r *reader) use(in pageInput) error {
	if r.filter != nil {
		if err := r.table.checkScalars(r.filter.Paths()); err != nil {
			return err
		}
	}
	if r.projection != nil {
		if err := r.table.checkScalars(r.projection.Paths()); err != nil {
			return err
		}
	}
	if in.IndexName == "" {
		return nil
	}
	return r.useIndex(in)
}

// useIndex turns the reader to an index.
func (r *reader) useIndex(in pageInput) error {
	ix := r.table.indexes[in.IndexName]
	if ix == nil {
		return invalid("The table does not have the specified index: %s", in.IndexName)
	}
	if !ix.local && in.ConsistentRead {
		return invalid("Consistent reads are not supported on global secondary indexes")
	}
	r.index, r.key, r.entries = ix, ix.key, ix.entries
	if ix.projected == nil {
		return nil
	}
	if in.Select == selectAll {
		if !ix.local {
			return invalid("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index %s because its projection type is not ALL", ix.name)
		}
		r.fetch = true
	}
	if r.projection == nil {
		return nil
	}
	for _, name := range r.projection.TopLevelNames() {
		if ix.projected[name] {
			continue
		}
		if !ix.local {
			return invalid("One or more parameter values were invalid: Global secondary index %s does not project [%s]", ix.name, name)
		}
		r.fetch = true
	}
	return nil
}

// checkFilter refuses a query's filter on what the index does not carry, even
// where a local index would fetch it for the answer. A scan takes such a
// filter; to it the attribute is absent.
func (ix *index) checkFilter(filter *expr.Condition) error {
	if ix.projected == nil {
		return nil
	}
	var absent []string
	for _, name := range filter.TopLevelNames() {
		if !ix.projected[name] {
			absent = append(absent, name)
		}
	}
	if len(absent) == 0 {
		return nil
	}
	slices.Sort(absent)
	return invalid("One or more parameter values were invalid: Secondary index %s does not project one or more filter attributes: [%s]", ix.name, strings.Join(absent, ", "))
}

// settle lets a lagging index catch up with what its readers may see by now.
func (t *table) settle(index string) error {
	if index == "" {
		return nil
	}
	now := t.service.cfg.Now()
	if err := t.rlock(); err != nil {
		return err
	}
	ix := t.indexes[index]
	due := ix != nil && ix.due(now)
	t.mu.RUnlock()
	if !due {
		return nil
	}
	if err := t.lock(); err != nil {
		return err
	}
	defer t.mu.Unlock()
	if ix := t.indexes[index]; ix != nil {
		ix.settle(now)
	}
	return nil
}

// start finds the pivot of an exclusive start key, nil if there is none.
func (r *reader) start(key attr.Item) (*entry, error) {
	if key == nil {
		return nil, nil
	}
	base := r.table.key
	names := make(map[string]bool, 4)
	for _, a := range append(base.attributes(), r.key.attributes()...) {
		names[a.Name] = true
		if key[a.Name].Type() != a.Type {
			return nil, invalid("The provided starting key is invalid: The provided key element does not match the schema")
		}
	}
	if len(key) != len(names) {
		return nil, invalid("The provided starting key is invalid: The provided key element does not match the schema")
	}
	pivot := &entry{at: placeOf(r.key, key)}
	if r.index != nil {
		pivot.base = placeOf(base, key)
	}
	return pivot, nil
}

// take reads one entry and says whether the page goes on.
func (r *reader) take(e *entry) bool {
	item, size := e.item, e.size
	if r.fetch {
		if b := r.table.get(e.base); b != nil {
			item, size = b.item, max(b.size, e.size)
			r.fetched += readUnits(b.size, r.consistent)
		}
	}
	r.scanned++
	r.bytes += e.size
	r.retrieved += size
	keep := true
	if r.filter != nil {
		if keep, r.err = r.filter.Eval(e.item); r.err != nil {
			return false
		}
	}
	if keep {
		r.count++
		if !r.countOnly {
			r.items = append(r.items, applyProjection(r.projection, item))
		}
	}
	if r.scanned == r.limit || r.retrieved >= maxPageBytes {
		r.last = e
		return false
	}
	return true
}

// output makes the answer of the page.
func (r *reader) output() (any, error) {
	if r.err != nil {
		return nil, r.err
	}
	cost := writeCost{}
	units := readUnits(r.bytes, r.consistent)
	if r.index == nil {
		cost.table = units
	} else {
		cost.table = r.fetched
		cost.add(r.index.name, r.index.local, units)
	}
	out := pageOutput{Items: r.items, Count: r.count, ScannedCount: r.scanned, ConsumedCapacity: consumed(r.capacity, r.table.name, cost)}
	if r.last != nil {
		out.LastEvaluatedKey = r.table.keysOf(nil, r.last)
		for _, a := range r.key.attributes() {
			out.LastEvaluatedKey[a.Name] = r.last.item[a.Name]
		}
	}
	if r.countOnly || len(r.items) > 0 {
		return out, nil
	}
	empty := emptyPageOutput(out)
	empty.Items = []attr.Item{}
	return empty, nil
}
