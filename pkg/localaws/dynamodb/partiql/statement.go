// Package partiql reads the PartiQL statements localaws knows: conditional
// updates and inserts of one item.
//
//	UPDATE "table" SET "a"=? SET "b"=?, "c"='text' REMOVE "d" WHERE "pk"=? AND ("v" IS MISSING OR "v" < ?)
//	INSERT INTO "table" VALUE {'pk':?, 'a':?}
//
// It promises to read these as DynamoDB does ("PartiQL update statements for
// DynamoDB", "PartiQL insert statements for DynamoDB"); to refuse what
// DynamoDB has beyond them (SELECT, DELETE, document paths, functions,
// arithmetic, RETURNING, names without quotes, ...) as an Unknown that names
// the form; and to call everything else malformed. Reading takes memory in
// proportion to the text and never nests deeper than a bound.
//
// It knows grammar alone: not tables, not keys, not whether a condition makes
// sense. A Statement is never changed after Parse and is safe for concurrent
// use.
package partiql

import (
	"errors"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
)

// ErrMalformed is what Parse returns for a text that is no statement.
var ErrMalformed = errors.New("malformed statement")

// Unknown is a form that DynamoDB has and this package does not.
type Unknown struct {
	// Form names it: "SELECT", "the function begins_with", "document paths".
	Form string
}

func (u Unknown) Error() string {
	return "localaws does not know " + u.Form + " in a PartiQL statement"
}

// Verb is what a statement does.
type Verb uint8

// The verbs Parse knows.
const (
	Update Verb = iota
	Insert
)

// Statement is a statement that was read.
type Statement struct {
	Verb  Verb
	Table string
	// Changes are an update's, in the order of the text.
	Changes []Change
	// Where is an update's condition, nil if it has none.
	Where *Condition
	// Fields are an insert's item, in the order of the text.
	Fields []Field
	// Parameters is how many ? the statement has.
	Parameters int
}

// Change sets an attribute, or removes it.
type Change struct {
	Name   string
	Remove bool
	Value  Operand // of a set
}

// Field is one attribute of an inserted item. Line, Column and Width say where
// its name is in the text, from 1 and in characters, quotes included.
type Field struct {
	Name                string
	Value               Operand
	Line, Column, Width int
}

// OperandKind says what an Operand is.
type OperandKind uint8

// The kinds of operands.
const (
	Parameter OperandKind = iota // ?
	Attribute                    // "name"
	Literal                      // 'text', 1.5, true, null
)

// Operand is a value in a statement.
type Operand struct {
	Kind    OperandKind
	Index   int        // which ? it is, from 0
	Name    string     // of an attribute
	Literal attr.Value // of a literal
}

// The operators of a Condition beside the comparisons =, <>, <, <=, > and >=.
const (
	And     = "AND"     // Left and Right
	Or      = "OR"      // Left and Right
	Not     = "NOT"     // Left
	Missing = "MISSING" // First is missing
	Present = "PRESENT" // First is not missing
	Bare    = "BARE"    // First alone, which is no condition
)

// Condition is an operator over conditions or operands.
type Condition struct {
	Op            string
	Left, Right   *Condition
	First, Second Operand
}

// QuoteName writes a table's or attribute's name as a statement wants it.
func QuoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// QuoteText writes a text, or the name of an inserted attribute, as a
// statement wants it.
func QuoteText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
