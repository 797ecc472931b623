package partiql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/partiql"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// FuzzParse reads arbitrary text. What is refused is refused in one of the
// ways Parse names; what is accepted reads the same with white space around
// it, has a parameter for each ? that is not quoted, and nothing but a form
// that is known.
func FuzzParse(f *testing.F) {
	for _, statement := range []string{
		`UPDATE "t" SET "a"=? SET "v"=-1.5 REMOVE "z" WHERE "pk"=? AND ("v" IS NOT MISSING OR NOT "v" < ?);`,
		`INSERT INTO "t" VALUE {'pk':?, 'it''s':NULL}`,
		`UPDATE "t" SET "a?"='?' WHERE "v" = 007`,
		"UPDATE \"\xff\" SET \"a\"=\xff",
		`UPDATE "t" SET "a"=1. WHERE ((((("pk"=?)))))`,
		`UPDATE "t" SET "a"=123456789012345678901234567890123456789 WHERE "pk"=?`,
		`UPDATE "t" REMOVE "a" WHERE ? IS MISSING`,
	} {
		f.Add(statement)
	}
	f.Fuzz(func(t *testing.T, statement string) {
		st, err := partiql.Parse(statement)
		if err != nil {
			var unknown partiql.Unknown
			var refused *wire.Error
			if !errors.Is(err, partiql.ErrMalformed) && !(errors.As(err, &unknown) && unknown.Form != "") && !(errors.As(err, &refused) && refused.Code == "ValidationException") {
				t.Fatalf("%q is refused with %v", statement, err)
			}
			return
		}
		again, err := partiql.Parse(statement + "\n")
		if err != nil || cmp.Diff(st, again) != "" {
			t.Fatalf("%q with a line's end reads otherwise: %v\n%s", statement, err, cmp.Diff(st, again))
		}
		if most := strings.Count(statement, "?"); st.Parameters > most {
			t.Fatalf("%q has %d parameters of %d", statement, st.Parameters, most)
		}
		if (st.Verb == partiql.Update) != (len(st.Changes) > 0) || st.Verb == partiql.Update && len(st.Fields) > 0 {
			t.Fatalf("%q reads as %+v", statement, st)
		}
		if partiql.IsRead(statement) {
			t.Fatalf("%q is no read", statement)
		}
	})
}
