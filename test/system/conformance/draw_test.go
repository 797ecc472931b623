package conformance

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// draw makes random expressions, values and statements, from a seed. The
// values and names that an expression refers to are collected beside it.
type draw struct {
	*rand.Rand
	values item
	names  map[string]string

	ranged bool   // the table has the sort key r and the index by-g
	round  uint64 // for tokens of the round's own
	last   *transaction
	tokens int
}

// pick is one of several.
func pick[T any](d *draw, of ...T) T { return of[d.IntN(len(of))] }

// fresh begins a new request.
func (d *draw) fresh() { d.values, d.names = item{}, map[string]string{} }

// key is one of a few, so that operations meet.
func (d *draw) key() string { return pick(d, "a", "b", "c", "d", "e") }

// primary is the key of one of a few items.
func (d *draw) primary() item {
	if d.ranged {
		return item{"p": s(pick(d, "a", "b")), "r": n(pick(d, "1", "2", "3", "10"))}
	}
	return item{"p": s(d.key())}
}

// primaries are the keys of so many different items, of at most five.
func (d *draw) primaries(count int) []item {
	var out []item
	for _, i := range d.Perm(5)[:count] {
		if d.ranged {
			out = append(out, item{"p": s("a"), "r": n([]string{"1", "2", "3", "10", "11"}[i])})
		} else {
			out = append(out, item{"p": s(string(rune('a' + i)))})
		}
	}
	return out
}

// number is in its normal form: DynamoDB Local keeps those of statements as
// they are written.
func (d *draw) number() string {
	return pick(d, "0", "1", "2", "-1", "10", "0.5", "-2.25", "1000", "12345678901234567890123456789012345678")
}

// any is a value of any type.
func (d *draw) any(depth int) value {
	switch d.IntN(11 - 2*(depth/2)) {
	case 0, 1:
		return s(pick(d, "", "x", "xy", "yx", "größe"))
	case 2, 3:
		return n(d.number())
	case 4:
		return &types.AttributeValueMemberBOOL{Value: d.IntN(2) == 0}
	case 5:
		return &types.AttributeValueMemberNULL{Value: true}
	case 6:
		return &types.AttributeValueMemberB{Value: []byte(pick(d, "x", "xy"))}
	case 7:
		return ss([]string{"x", "y", "z"}[:1+d.IntN(3)]...)
	case 8:
		return &types.AttributeValueMemberNS{Value: []string{"1", "2", "10"}[:1+d.IntN(3)]}
	case 9:
		l := &types.AttributeValueMemberL{Value: []value{}}
		for range d.IntN(4) {
			l.Value = append(l.Value, d.any(depth+1))
		}
		return l
	default:
		// Never empty, nor after a REMOVE of k: TestStreams says why.
		m := &types.AttributeValueMemberM{Value: item{}}
		for _, name := range []string{"j", "k"}[:1+d.IntN(2)] {
			m.Value[name] = d.any(depth + 1)
		}
		return m
	}
}

// attributes are what an item has beside its key.
func (d *draw) attributes(it item) item {
	for _, name := range []string{"x", "y", "z"} {
		if d.IntN(3) > 0 {
			it[name] = d.any(0)
		}
	}
	if d.IntN(2) == 0 {
		it["c"] = n(d.number())
	}
	if d.ranged && d.IntN(3) > 0 {
		it["g"] = s(pick(d, "x", "y"))
	}
	return it
}

func (d *draw) item() item { return d.attributes(d.primary()) }

// ref is a new placeholder for a value.
func (d *draw) ref(v value) string {
	name := fmt.Sprintf(":v%d", len(d.values))
	d.values[name] = v
	return name
}

// scalar tells an attribute that is a key, and so has nothing inside: an update
// whose condition fails and which has a path into one is known to differ.
func (d *draw) scalar(name string) bool { return name == "p" || d.ranged && name == "c" }

// path is a document path.
func (d *draw) path() string {
	name := pick(d, "x", "y", "z", "c", "p", "absent")
	if d.IntN(6) == 0 {
		d.names["#"+name] = name
		name = "#" + name
	}
	if d.scalar(strings.TrimPrefix(name, "#")) {
		return name
	}
	return name + pick(d, "", "", "", "", ".k", "[0]", "[1]", ".k.j", ".j[0]", "[0].k", "[1][0]")
}

func (d *draw) operand() string {
	switch d.IntN(6) {
	case 0, 1, 2:
		return d.path()
	case 3:
		return "size(" + d.path() + ")"
	default:
		return d.ref(d.any(0))
	}
}

// condition is a condition expression.
func (d *draw) condition(depth int) string {
	kind := d.IntN(12)
	if depth > 1 {
		kind = d.IntN(9)
	}
	switch kind {
	case 0, 1, 2:
		return d.path() + pick(d, " = ", " <> ", " < ", " <= ", " > ", " >= ") + d.operand()
	case 3:
		return "attribute_exists(" + d.path() + ")"
	case 4:
		return "attribute_not_exists(" + d.path() + ")"
	case 5:
		return "attribute_type(" + d.path() + ", " + d.ref(s(pick(d, "S", "N", "SS", "L", "M", "NULL", "BOOL"))) + ")"
	case 6:
		return pick(d, "begins_with(", "contains(") + d.path() + ", " + d.ref(d.any(1)) + ")"
	case 7:
		return d.path() + " BETWEEN " + d.ref(n("0")) + " AND " + d.ref(n(pick(d, "1", "10", "1000")))
	case 8:
		return d.path() + " IN (" + d.operand() + ", " + d.ref(d.any(0)) + ")"
	case 9:
		return "NOT (" + d.condition(depth+1) + ")"
	default:
		return "(" + d.condition(depth+1) + pick(d, " AND ", " OR ") + d.condition(depth+1) + ")"
	}
}

// inside is a place in an attribute's list or map.
func (d *draw) inside(name string) string {
	return name + pick(d, ".k", ".j", "[0]", "[9]", ".k.k", "[0].k", ".j[0]", ".k[1].j")
}

// update is an update expression.
func (d *draw) update() string {
	clauses := make(map[string][]string)
	add := func(clause, action string) { clauses[clause] = append(clauses[clause], action) }
	for _, name := range []string{"x", "y", "z", "c", "m"} {
		kind := d.IntN(12)
		if d.scalar(name) {
			kind = min(kind, 4)
		}
		switch kind {
		case 0, 1:
			add("SET", name+" = "+d.ref(d.any(0)))
		case 2:
			add("SET", name+" = "+d.path()+pick(d, " + ", " - ")+d.ref(n(d.number())))
		case 3:
			add("SET", name+" = if_not_exists("+d.path()+", "+d.ref(d.any(0))+")")
		case 4:
			add("SET", name+" = list_append("+d.path()+", "+d.ref(&types.AttributeValueMemberL{Value: []value{d.any(1)}})+")")
		case 5:
			add("REMOVE", name+pick(d, "", "", ".k", "[0]", ".j.k", "[0].k", "[1][0]"))
		case 6:
			add("ADD", name+" "+d.ref(pick(d, n(d.number()), ss("x", "new"))))
		case 7:
			add("DELETE", name+pick(d, "", "", ".k")+" "+d.ref(ss("x")))
		case 8, 9:
			add("SET", d.inside(name)+" = "+d.ref(d.any(1)))
		case 10: // two places of one attribute, one perhaps within the other
			add("SET", d.inside(name)+" = "+d.ref(d.any(1)))
			switch d.IntN(3) {
			case 0:
				add("ADD", d.inside(name)+" "+d.ref(n(d.number())))
			case 1:
				add("SET", d.inside(name)+" = "+d.path())
			default:
				add("REMOVE", name+pick(d, ".k", "[0]", ".j.k", "[0].k"))
			}
		}
	}
	if len(clauses) == 0 {
		return "SET x = " + d.ref(d.any(0))
	}
	var out []string
	for _, clause := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		if actions := clauses[clause]; len(actions) > 0 {
			out = append(out, clause+" "+strings.Join(actions, ", "))
		}
	}
	return strings.Join(out, " ")
}

// statement is a PartiQL statement on the item with a key.
func (d *draw) statement(key string) statement {
	if d.IntN(4) == 0 {
		return statement{`INSERT INTO @ VALUE {'p':?, 'x':?, 'c':?}`, []value{s(key), d.any(0), n(d.number())}}
	}
	st := statement{text: "UPDATE @"}
	for _, name := range []string{"x", "y", "c"}[d.IntN(3):] {
		if d.IntN(4) == 0 {
			st.text += fmt.Sprintf(` REMOVE "%s"`, name)
		} else {
			st.text += fmt.Sprintf(` SET "%s"=?`, name)
			st.parameters = append(st.parameters, d.any(0))
		}
	}
	st.text += ` WHERE "p"=?`
	st.parameters = append(st.parameters, s(key))
	if d.IntN(4) > 0 {
		st.text += " AND " + d.where(&st, 0)
	}
	if d.IntN(25) == 0 { // poisoned: a parameter is missing
		st.parameters = st.parameters[1:]
	}
	return st
}

// where is a condition of a statement.
func (d *draw) where(st *statement, depth int) string {
	name := `"` + pick(d, "x", "y", "c", "absent") + `"`
	kind := d.IntN(8)
	if depth > 1 {
		kind = d.IntN(5)
	}
	switch kind {
	case 0, 1, 2:
		st.parameters = append(st.parameters, pick(d, n(d.number()), d.any(0)))
		return name + pick(d, " = ", " <> ", " < ", " <= ", " > ", " >= ") + "?"
	case 3:
		return name + " IS MISSING"
	case 4:
		return name + " IS NOT MISSING"
	case 5:
		return "NOT (" + d.where(st, depth+1) + ")"
	default:
		return "(" + d.where(st, depth+1) + pick(d, " AND ", " OR ") + d.where(st, depth+1) + ")"
	}
}
