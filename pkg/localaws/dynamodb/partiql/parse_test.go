package partiql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/partiql"
)

func param(i int) partiql.Operand { return partiql.Operand{Kind: partiql.Parameter, Index: i} }

func named(name string) partiql.Operand {
	return partiql.Operand{Kind: partiql.Attribute, Name: name}
}

func text(s string) partiql.Operand {
	return partiql.Operand{Kind: partiql.Literal, Literal: attr.String(s)}
}

func compares(op string, a, b partiql.Operand) *partiql.Condition {
	return &partiql.Condition{Op: op, First: a, Second: b}
}

func joins(op string, a, b *partiql.Condition) *partiql.Condition {
	return &partiql.Condition{Op: op, Left: a, Right: b}
}

func TestParse(t *testing.T) {
	isMissing := &partiql.Condition{Op: partiql.Missing, First: named("v")}
	for name, row := range map[string]struct {
		statement string
		want      partiql.Statement
	}{
		"an update under a condition": {
			`UPDATE "t" SET "a"=? SET "v"=? REMOVE "z" REMOVE "y" WHERE "pk"=? AND ("v" IS MISSING OR "v" < ?)`,
			partiql.Statement{Verb: partiql.Update, Table: "t", Parameters: 4,
				Changes: []partiql.Change{{Name: "a", Value: param(0)}, {Name: "v", Value: param(1)}, {Name: "z", Remove: true}, {Name: "y", Remove: true}},
				Where:   joins(partiql.And, compares("=", named("pk"), param(2)), joins(partiql.Or, isMissing, compares("<", named("v"), param(3))))},
		},
		"an insert": {
			"INSERT INTO \"t\" VALUE {'pk':?,\n 'it''s':'a\"b'}",
			partiql.Statement{Verb: partiql.Insert, Table: "t", Parameters: 1, Fields: []partiql.Field{
				{Name: "pk", Value: param(0), Line: 1, Column: 24, Width: 4},
				{Name: "it's", Value: text(`a"b`), Line: 2, Column: 2, Width: 7}}},
		},
		"any case, any space and a semicolon": {
			"\tupdate\n\"t\" set \"a\" = ? where \"pk\" = 'x' ; ",
			partiql.Statement{Verb: partiql.Update, Table: "t", Parameters: 1,
				Changes: []partiql.Change{{Name: "a", Value: param(0)}}, Where: compares("=", named("pk"), text("x"))},
		},
		"a list of SETs": {
			`UPDATE "t" SET "a"="b", "c"='' WHERE "v" IS MISSING`,
			partiql.Statement{Verb: partiql.Update, Table: "t", Where: isMissing,
				Changes: []partiql.Change{{Name: "a", Value: named("b")}, {Name: "c", Value: text("")}}},
		},
		"AND before OR, NOT before AND": {
			`UPDATE "t" REMOVE "a" WHERE ?=? OR NOT ?!=? AND "v" IS MISSING`,
			partiql.Statement{Verb: partiql.Update, Table: "t", Parameters: 4, Changes: []partiql.Change{{Name: "a", Remove: true}},
				Where: joins(partiql.Or, compares("=", param(0), param(1)), joins(partiql.And, joins(partiql.Not, compares("<>", param(2), param(3)), nil), isMissing))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := partiql.Parse(row.statement)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&row.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestLiterals(t *testing.T) {
	for literal, want := range map[string]string{
		"'it''s'": `{"S":"it's"}`, "''": `{"S":""}`, "12.50": `{"N":"12.5"}`, "-3": `{"N":"-3"}`, "- 3": `{"N":"-3"}`,
		"true": `{"BOOL":true}`, "FALSE": `{"BOOL":false}`, "Null": `{"NULL":true}`,
	} {
		st, err := partiql.Parse(`UPDATE "t" SET "a"=` + literal + ` WHERE "pk"=?`)
		if err != nil {
			t.Errorf("%s: %v", literal, err)
			continue
		}
		if got, err := st.Changes[0].Value.Literal.MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("%s is %s, want %s (%v)", literal, got, want, err)
		}
	}
}

// What DynamoDB has and this package does not is refused by its name.
func TestUnknownForms(t *testing.T) {
	where := func(condition string) string { return `UPDATE "t" SET "a"=? WHERE "pk"=? AND ` + condition }
	for statement, form := range map[string]string{
		`SELECT * FROM "t"`:                                 "SELECT",
		`delete from "t" where "pk"=?`:                      "DELETE",
		`EXISTS(SELECT * FROM "t" WHERE "pk"=?)`:            "EXISTS",
		`FROM "t" WHERE "pk"=? SET "a"=1`:                   "FROM",
		`UPDATE t SET "a"=? WHERE "pk"=?`:                   "(t)",
		`UPDATE "t" SET a=? WHERE "pk"=?`:                   "(a)",
		`UPDATE "t" AS x SET "a"=? WHERE "pk"=?`:            "AS",
		`UPDATE "t"."i" SET "a"=? WHERE "pk"=?`:             "indexes",
		`UPDATE "t" SET "m"."a"=? WHERE "pk"=?`:             "document paths",
		`UPDATE "t" REMOVE "l"[0] WHERE "pk"=?`:             "document paths",
		`UPDATE "t" SET "a"="a"+1 WHERE "pk"=?`:             "the operator +",
		`UPDATE "t" SET "a"=? || ? WHERE "pk"=?`:            "the operator ||",
		`UPDATE "t" SET "a"=list_append("a",?) WHERE "p"=?`: "the function list_append",
		`UPDATE "t" SET "a"=[1] WHERE "pk"=?`:               "lists",
		`UPDATE "t" SET "a"=<<1>> WHERE "pk"=?`:             "sets",
		`UPDATE "t" SET "a"={'b':1} WHERE "pk"=?`:           "maps",
		`UPDATE "t" SET "a"=1e5 WHERE "pk"=?`:               "1e",
		"UPDATE \"t\" SET \"a\"=`1` WHERE \"pk\"=?":         "Ion",
		`UPDATE "t" SET "a"=? WHERE "pk"=? RETURNING ALL *`: "RETURNING",
		`UPDATE "t" SET "a"=? -- why`:                       "comments",
		`INSERT INTO "t" VALUE {'pk':?,'l':[1]}`:            "lists",
		`INSERT INTO "t" VALUE {"pk":?}`:                    "double quotes",
		where(`begins_with("a",?)`):                         "the function begins_with",
		where(`"v" BETWEEN ? AND ?`):                        "BETWEEN",
		where(`"v" in (?)`):                                 "in",
		where(`"v" IN [?]`):                                 "IN",
		where(`"v" NOT IN [?]`):                             "NOT",
		where(`"v" IS NULL`):                                "IS NULL",
		where(`"v" < ? < ?`):                                "chains",
		where(`("v" < ?) = ?`):                              "comparisons of conditions",
		where(strings.Repeat("(", 65)):                      "64",
		where(strings.Repeat("NOT ", 65)):                   "64",
	} {
		_, err := partiql.Parse(statement)
		var unknown partiql.Unknown
		if !errors.As(err, &unknown) || !strings.Contains(unknown.Form, form) {
			t.Errorf("%s: %v, want it to name %q", statement, err, form)
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, statement := range []string{
		"", " ", ";", `UPDATE "t"`, `UPDATE "t" WHERE "pk"=?`, `UPDATE 't' SET "a"=?`, `UPDATE "t" SET "a"`, `UPDATE "t" SET "a"=`,
		`UPDATE "t" REMOVE "a","b" WHERE "pk"=?`, `UPDATE "t" SET "a"=?, SET "b"=?`, `UPDATE "t" SET "a"=? WHERE`,
		`UPDATE "t" SET "a"=? WHERE ("pk"=?`, `UPDATE "t" SET "a"=? WHERE "pk"=?)`, `UPDATE "t" SET "a"=? WHERE "pk"==?`,
		`UPDATE "t" SET "a"=? WHERE "pk" ?`, `UPDATE "t" SET "a"=?1`, `UPDATE "t SET "a"=?`, `UPDATE "t" SET "a"='x`,
		`INSERT "t" VALUE {'pk':?}`, `INSERT INTO "t" VALUES {'pk':?}`, `INSERT INTO "t" VALUE {'pk':?,}`,
		`INSERT INTO "t" VALUE {'pk':?} ON CONFLICT DO NOTHING`, `UPSERT INTO "t" VALUE {'pk':?}`, "UPDATE \"t\" SET \"a\"=\x00",
	} {
		if _, err := partiql.Parse(statement); !errors.Is(err, partiql.ErrMalformed) {
			t.Errorf("%q: %v, want it malformed", statement, err)
		}
	}
}

// Any name and any text come back from a statement that quotes them.
func TestQuotingParsesBack(t *testing.T) {
	anything := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune(`"'?\#:. -/*{}`))))
	rapid.Check(t, func(t *rapid.T) {
		table, name, value := anything.Draw(t, "table"), anything.Draw(t, "name"), anything.Draw(t, "value")
		st, err := partiql.Parse("UPDATE " + partiql.QuoteName(table) + " SET " + partiql.QuoteName(name) + "=? REMOVE " + partiql.QuoteName(name+"x") +
			" WHERE " + partiql.QuoteName(name) + "=" + partiql.QuoteText(value))
		if err != nil {
			t.Fatal(err)
		}
		want := &partiql.Statement{Verb: partiql.Update, Table: table, Parameters: 1,
			Changes: []partiql.Change{{Name: name, Value: param(0)}, {Name: name + "x", Remove: true}}, Where: compares("=", named(name), text(value))}
		if d := cmp.Diff(want, st); d != "" {
			t.Fatalf("an update (-want +got):\n%s", d)
		}
		st, err = partiql.Parse("INSERT INTO " + partiql.QuoteName(table) + " VALUE {" + partiql.QuoteText(name) + ":?," + partiql.QuoteText(value) + ":" + partiql.QuoteText(value) + "}")
		if err != nil {
			t.Fatal(err)
		}
		if len(st.Fields) != 2 || st.Fields[0].Name != name || st.Fields[1].Name != value || st.Fields[1].Value.Literal.Str() != value {
			t.Fatalf("an insert has %+v", st.Fields)
		}
	})
}
