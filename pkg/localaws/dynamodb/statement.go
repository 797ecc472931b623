package dynamodb

import (
	"errors"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/partiql"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// maxStatementBytes bounds a statement's text ("BatchStatementRequest").
const maxStatementBytes = 8192

// sharedStatements bounds the cache of statements. At 8 KB of text each they
// stay below a hundred megabytes.
const sharedStatements = 512

// statement is a PartiQL statement ready for any parameters and any table. It
// is never changed.
type statement struct {
	partiql.Statement
	program    *expr.Program // of an update
	equalities []equality    // that an update's condition demands

	// What DynamoDB refuses whatever the parameters are: text it cannot read,
	// and an update's condition.
	malformed, flaw error
}

// equality is a demand that an attribute have a value.
type equality struct {
	name  string
	value partiql.Operand
}

// statements keeps statements by their text.
type statements struct {
	known *lru.Cache[string, *statement]
}

func newStatements() statements {
	known, err := lru.New[string, *statement](sharedStatements)
	if err != nil {
		return statements{} // only a size below one is refused
	}
	return statements{known}
}

// read reads a statement. Its error refuses a form localaws does not know; what
// DynamoDB refuses is the statement's flaw.
func (c statements) read(text string) (*statement, error) {
	if c.known != nil {
		if st, ok := c.known.Get(text); ok {
			return st, nil
		}
	}
	st, err := newStatement(text)
	if err == nil && c.known != nil {
		c.known.Add(text, st)
	}
	return st, err
}

func newStatement(text string) (*statement, error) {
	parsed, err := partiql.Parse(text)
	var unknown partiql.Unknown
	switch {
	case errors.As(err, &unknown):
		return nil, err
	case errors.Is(err, partiql.ErrMalformed):
		return &statement{malformed: invalid("Statement wasn't well formed, can't be processed: %s", text)}, nil
	case err != nil:
		return &statement{malformed: err}, nil
	}
	st := &statement{Statement: *parsed}
	if st.Verb == partiql.Update {
		st.flaw = st.compile()
	}
	return st, nil
}

// compile makes an update's program.
func (st *statement) compile() error {
	b := expr.NewBuilder(st.Parameters)
	if st.Where != nil {
		if st.Where.Op == partiql.Bare {
			return invalid("WHERE clause must contain an expression that resolves to a boolean")
		}
		where, err := condition(b, st.Where)
		if err != nil {
			return err
		}
		b.Where(where)
		st.demand(st.Where)
	}
	for _, change := range st.Changes {
		if change.Remove {
			b.Remove(change.Name)
		} else {
			b.Set(change.Name, operand(b, change.Value))
		}
	}
	var err error
	st.program, err = b.Program()
	return err
}

// unnamed says whether an operand is an attribute with an empty name.
func unnamed(o partiql.Operand) bool { return o.Kind == partiql.Attribute && o.Name == "" }

// demand collects the equalities that hold wherever the condition holds.
func (st *statement) demand(c *partiql.Condition) {
	switch c.Op {
	case partiql.And:
		st.demand(c.Left)
		st.demand(c.Right)
	case "=":
		name, value := c.First, c.Second
		if name.Kind != partiql.Attribute {
			name, value = value, name
		}
		if name.Kind == partiql.Attribute && value.Kind != partiql.Attribute {
			st.equalities = append(st.equalities, equality{name.Name, value})
		}
	}
}

// condition adds a condition to a program. What is wrong with it is found from
// left to right.
func condition(b *expr.Builder, c *partiql.Condition) (expr.Predicate, error) {
	switch c.Op {
	case partiql.And, partiql.Or:
		const bare = "The arguments to AND/OR must be Expressions"
		left, err := argument(b, c.Left, bare)
		if err != nil {
			return left, err
		}
		right, err := argument(b, c.Right, bare)
		if c.Op == partiql.And {
			return b.Both(left, right), err
		}
		return b.Either(left, right), err
	case partiql.Not:
		inner, err := argument(b, c.Left, "The argument to NOT must be a Type or Expression")
		return b.Not(inner), err
	}
	if unnamed(c.First) || unnamed(c.Second) {
		return expr.Predicate{}, emptyName()
	}
	if c.Op == partiql.Missing || c.Op == partiql.Present {
		return b.Exists(operand(b, c.First), c.Op == partiql.Present), nil
	}
	return b.Compare(c.Op, operand(b, c.First), operand(b, c.Second)), nil
}

// argument is condition for an argument of AND, OR or NOT, which is not to be
// bare.
func argument(b *expr.Builder, c *partiql.Condition, bare string) (expr.Predicate, error) {
	if c.Op == partiql.Bare {
		return expr.Predicate{}, invalid("%s", bare)
	}
	return condition(b, c)
}

func operand(b *expr.Builder, o partiql.Operand) expr.Operand {
	switch o.Kind {
	case partiql.Parameter:
		return b.Parameter(o.Index)
	case partiql.Literal:
		return b.Constant(o.Literal)
	}
	return b.Attribute(o.Name)
}

func emptyName() *wire.Error { return invalid("Path component cannot be an empty string") }

func noKey() *wire.Error {
	return invalid("Where clause does not contain a mandatory equality on all key attributes")
}

func tooFewParameters() *wire.Error {
	return invalid("Number of parameters in request and statement don't match.")
}

// valueOf is an operand's value, which is no attribute's.
func valueOf(o partiql.Operand, parameters []attr.Value) attr.Value {
	if o.Kind == partiql.Parameter {
		return parameters[o.Index]
	}
	return o.Literal
}

// mutation makes the write that the statement with these parameters asks for.
// onTable says whether DynamoDB finds an error only at the table, and then
// names it.
func (st *statement) mutation(s *Service, parameters []attr.Value) (m *mutation, onTable bool, err error) {
	if st.malformed != nil {
		return nil, false, st.malformed
	}
	if st.Verb == partiql.Insert {
		return st.insertion(s, parameters)
	}
	// What follows the parameters that are too many is left alone, as DynamoDB
	// Local does.
	if len(parameters) < st.Parameters {
		return nil, false, tooFewParameters()
	}
	if st.flaw != nil {
		return nil, false, st.flaw
	}
	where, update, err := st.program.Bind(parameters)
	if err != nil {
		return nil, false, err
	}
	switch {
	case st.Where == nil:
		return nil, false, noKey()
	case st.Table == "":
		return nil, false, emptyName()
	case badName(st.Table):
		return nil, false, invalid("Table name should be within the length [3, 255] and only contain 'a-z', 'A-Z', '0-9', '-', '_', '.'.")
	}
	t, err := s.statementTable(st.Table)
	if err != nil {
		return nil, false, err
	}
	key, err := st.key(t.key, parameters)
	if err != nil {
		return nil, false, err
	}
	m, err = newKeyed(updateItem, t, key, writeExpressions{condition: where})
	if err != nil {
		return nil, true, err
	}
	m.update, m.flaw = update, t.key.checkUpdate(update)
	return m, true, nil
}

// statementTable is table with PartiQL's text. A statement names a table, never
// its ARN.
func (s *Service) statementTable(name string) (*table, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tables[name]; t != nil {
		return t, nil
	}
	return nil, wire.Errorf(codeNotFound, "Cannot do operations on a non-existent table")
}

// key finds the primary key that an update's condition demands.
func (st *statement) key(schema keySchema, parameters []attr.Value) (attr.Item, error) {
	key := make(attr.Item, 2)
	for _, e := range st.equalities {
		if !schema.has(e.name) {
			continue
		}
		v := valueOf(e.value, parameters)
		if earlier, twice := key[e.name]; twice && !earlier.Equal(v) {
			return nil, invalid("Multiple conditions on same key %s. Only single item Update/Insert/Delete are supported", e.name)
		}
		key[e.name] = v
	}
	attributes := schema.attributes()
	if len(key) < len(attributes) {
		return nil, noKey()
	}
	for _, a := range attributes {
		switch t := key[a.Name].Type(); t {
		case a.Type:
		case attr.TypeString, attr.TypeNumber, attr.TypeBinary:
			return nil, wrongKeyType(a.Name)
		default:
			return nil, invalid("Key value must be of type S, N, or B. Key name: %s, Key type: %s", a.Name, t)
		}
	}
	return key, nil
}

func wrongKeyType(name string) *wire.Error {
	return invalid("Key attribute's data type should match its data type in table's schema: Key %s", name)
}

// insertion is mutation for an INSERT.
func (st *statement) insertion(s *Service, parameters []attr.Value) (*mutation, bool, error) {
	item := make(attr.Item, len(st.Fields))
	for _, f := range st.Fields {
		if f.Value.Kind == partiql.Parameter && f.Value.Index >= len(parameters) {
			return nil, false, tooFewParameters()
		}
		if _, twice := item[f.Name]; twice {
			return nil, false, invalid("Duplicate keys in tuple. Key: %s under root at %d:%d:%d", f.Name, f.Line, f.Column, f.Width)
		}
		item[f.Name] = valueOf(f.Value, parameters)
	}
	if _, empty := item[""]; empty {
		return nil, false, emptyName()
	}
	t, err := s.statementTable(st.Table)
	if err != nil {
		return nil, false, err
	}
	for _, a := range t.key.attributes() {
		v, ok := item[a.Name]
		if !ok {
			return nil, false, invalid("Key attribute should be present in the item: Key %s", a.Name)
		}
		if v.Type() != a.Type {
			return nil, false, wrongKeyType(a.Name)
		}
	}
	if err := t.key.checkValues(item); err != nil {
		return nil, true, err
	}
	if err := t.checkPut(item); err != nil {
		return nil, true, err
	}
	m, err := newPut(t, item, writeExpressions{})
	if err != nil {
		return nil, true, err
	}
	m.absent = true
	return m, true, nil
}
