package expr_test

import (
	"strings"
	"testing"
)

// conditionTexts are the answers of DynamoDB's own engine to malformed
// conditions. Names and values are those of theValues.
var conditionTexts = map[string]string{
	"": "The expression can not be empty;", "   ": `Syntax error; token: "<EOF>", near: "   "`,
	"a": `Syntax error; token: "<EOF>", near: "a"`, "a =": `Syntax error; token: "<EOF>", near: "="`, "= :v": `Syntax error; token: "=", near: "= :v"`,
	"  = a": `Syntax error; token: "=", near: "  = a"`, "a = :v AND   ": `Syntax error; token: "<EOF>", near: "AND   "`,
	"a = :v)": `Syntax error; token: ")", near: ":v)"`, "(a = :v": `Syntax error; token: "<EOF>", near: ":v"`, "a == :v": `Syntax error; token: "=", near: "== :v"`,
	`a = "x"`: `Syntax error; token: """, near: "= "x"`, "a = 5": `Syntax error; token: "5", near: "= 5"`, "a != :v": `Syntax error; token: "!", near: "a !="`,
	"a BETWEEN :v": `Syntax error; token: "<EOF>", near: ":v"`, "a IN ()": `Syntax error; token: ")", near: "()"`, "a IN :v": `Syntax error; token: ":v", near: "IN :v"`,
	"a = :v a = :v": `Syntax error; token: "a", near: ":v a ="`, "size() = :v": `Syntax error; token: ")", near: "() ="`, "a[-1] = :v": `Syntax error; token: "-", near: "[-1"`,
	"a[1.5] = :v": `Syntax error; token: ".", near: "1.5"`, "a[007] = :v": `Syntax error; token: "0", near: "007"`, "a..b = :v": `Syntax error; token: ".", near: "..b"`,
	"1a = :v": `Syntax error; token: "1", near: "1a"`, "_a = :v": `Syntax error; token: "_", near: "_a"`, "é = :v": `Syntax error; token: "é", near: "é ="`,
	"# = :v": `Syntax error; token: "#", near: "# ="`, "a = :": `Syntax error; token: ":", near: "= :"`, "a = :v.b": `Syntax error; token: ".", near: ":v.b"`,
	"(a = :v) = :v": `Syntax error; token: "=", near: ") = :v"`, "a = b = c": `Syntax error; token: "=", near: "b = c"`, "NOT a": `Syntax error; token: "<EOF>", near: "a"`,
	"(a)": `Syntax error; token: "<EOF>", near: ")"`, "a AND b": `Syntax error; token: "AND", near: "a AND b"`, "(a AND b)": `Syntax error; token: "AND", near: "a AND b"`,
	"SET a = :v": `Syntax error; token: "SET", near: "SET a"`, "a.and = :v": `Syntax error; token: "and", near: ".and ="`, "a IS NULL": `Syntax error; token: "IS", near: "a IS NULL"`,
	"a = :v + :v": `Syntax error; token: "+", near: ":v + :v"`, "contains(a = b, c)": `Syntax error; token: "=", near: "a = b"`, "a=>b": `Syntax error; token: ">", near: "=>b"`,
	"a = (b = c)": `Syntax error; token: "=", near: "b = c"`,
	"((a)) = :v":  "The expression has redundant parentheses;", "((a = :v))": "The expression has redundant parentheses;", "a IN (((b)))": "The expression has redundant parentheses;",
	"((contains(a,b)))": "The expression has redundant parentheses;", "contains(((a)),(b))": "The expression has redundant parentheses;",
	"name = :v": "Attribute name is a reserved keyword; reserved keyword: name", "a.Status = :v": "Attribute name is a reserved keyword; reserved keyword: Status",
	"foo(a)": "Invalid function name; function: foo", "SIZE(a) = :v": "Invalid function name; function: SIZE",
	"size(a)":                  "The function is not allowed to be used this way in an expression; function: size",
	"attribute_exists(a) = :v": "The function is not allowed to be used this way in an expression; function: attribute_exists",
	"a = if_not_exists(a, :v)": "The function is not allowed in a condition expression; function: if_not_exists",
	"size(a,a) = :v":           "Incorrect number of operands for operator or function; operator or function: size, number of operands: 2",
	"begins_with(a)":           "Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1",
	"attribute_exists(:v)":     "Operator or function requires a document path; operator or function: attribute_exists",
	"attribute_type(a, :v)":    "Invalid attribute type name found; type: abc, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}",
	"attribute_type(a, :n)":    "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N",
	"begins_with(a, :n)":       "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
	"a < :t":                   "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
	"a BETWEEN :ss AND :v":     "Incorrect operand type for operator or function; operator or function: BETWEEN, operand type: SS",
	"size(:n) = a":             "Incorrect operand type for operator or function; operator or function: size, operand type: N",
	"size(size(a)) = a":        "Incorrect operand type for operator or function; operator or function: size, operand type: N",
	"a = a":                    "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
	"contains(a.b[0], a.b[0])": "The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [a, b, [0]]",
	"a IN (:n, b, a)":          "The first operand must be distinct from the remaining operands for this operator or function; operator: IN, first operand: [a]",
	"a BETWEEN :9 AND :1":      "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:9}, upper bound operand: AttributeValue: {N:1}",
	"a BETWEEN :s AND :1":      "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:abc}, upper bound operand: AttributeValue: {N:1}",
	"a[99999999999] = :v":      "List index is not within the allowable range; index: [99999999999]",
	"a = :q":                   "An expression attribute value used in expression is not defined; attribute value: :q",
	"#q = :v":                  "An expression attribute name used in the document path is not defined; attribute name: #q",
	// The first flaw in DynamoDB's order wins.
	"name = :q": "Attribute name is a reserved keyword; reserved keyword: name", "name = a =": `Syntax error; token: "=", near: "a ="`,
	"((name = :q))": "The expression has redundant parentheses;", "b = :q AND a < :t": "An expression attribute value used in expression is not defined; attribute value: :q",
	"a < :t AND b = :q": "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
}

func TestMalformedConditions(t *testing.T) {
	for text, want := range conditionTexts {
		_, err := parameters(t, "", theValues).Condition("ConditionExpression", text)
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		if got := refusal(t, err); got != "Invalid ConditionExpression: "+want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestConditionLimits(t *testing.T) {
	repeat := func(part, separator string, times int) string {
		return strings.TrimSuffix(strings.Repeat(part+separator, times), separator)
	}
	const tooMany = "The expression contains too many operators; operator count: 301"
	for name, row := range map[string]struct{ fits, over, want string }{
		"text bytes":       {"a=:v" + strings.Repeat(" ", 4092), "a=:v" + strings.Repeat(" ", 4093), "Expression size has exceeded the maximum allowed size; expression size: 4097"},
		"comparisons":      {repeat("a=:v", " OR ", 150), repeat("a=:v", " OR ", 151), tooMany},
		"negations":        {strings.Repeat("NOT ", 299) + "a=:v", strings.Repeat("NOT ", 300) + "a=:v", tooMany},
		"functions":        {repeat("size(a)=b", " OR ", 100), repeat("size(a)=b", " OR ", 101), tooMany},
		"nested negations": {strings.Repeat("NOT(", 299) + "a=:v" + strings.Repeat(")", 299), strings.Repeat("NOT(", 300) + "a=:v" + strings.Repeat(")", 300), tooMany},
		"choices":          {"a IN (" + repeat(":v", ",", 100) + ")", "a IN (" + repeat(":v", ",", 101) + ")", "The IN operator is provided with too many operands; number of operands: 101"},
		"path levels":      {"a" + strings.Repeat(".b", 31) + "=:v", "a" + strings.Repeat("[0]", 32) + "=:v", "The document path has too many nesting levels; nesting levels: 33"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parameters(t, "", theValues).Condition("FilterExpression", row.fits); err != nil {
				t.Errorf("at the limit: %v", err)
			}
			_, err := parameters(t, "", theValues).Condition("FilterExpression", row.over)
			if err == nil {
				t.Fatal("beyond the limit it was accepted")
			}
			if got := refusal(t, err); got != "Invalid FilterExpression: "+row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func TestMalformedUpdates(t *testing.T) {
	for text, want := range map[string]string{
		"": "The expression can not be empty;", "SET": `Syntax error; token: "<EOF>", near: "SET"`, "SET a = :1,": `Syntax error; token: "<EOF>", near: ","`,
		"FOO a": `Syntax error; token: "FOO", near: "FOO a"`, "a = :1": `Syntax error; token: "a", near: "a ="`, "SET a = :1 b = :1": `Syntax error; token: "b", near: ":1 b ="`,
		"ADD a b": `Syntax error; token: "b", near: "a b"`, "ADD a (:1)": `Syntax error; token: "(", near: "a (:1"`, "SET (a) = :1": `Syntax error; token: "(", near: "SET (a"`,
		"SET a = n + :1 + :1": `Syntax error; token: "+", near: ":1 + :1"`, "SET a = (n + n) + n": `Syntax error; token: "+", near: ") + n"`, "SET a = n + (n + n)": `Syntax error; token: "+", near: "n + n"`,
		"SET a = if_not_exists(a, n + :1)": `Syntax error; token: "+", near: "n + :1"`, "SET a = -:1": `Syntax error; token: "-", near: "= -:1"`, "SET remove = n": `Syntax error; token: "remove", near: "SET remove ="`,
		"SET a = n,REMOVE b": `Syntax error; token: "REMOVE", near: ",REMOVE b"`, "SET a = n)": `Syntax error; token: ")", near: "n)"`,
		"SET a = ((:1))": "The expression has redundant parentheses;", "SET a = ((n + n))": "The expression has redundant parentheses;",
		"SET a = :1 SET b = :1": `The "SET" section can only be used once in an update expression;`,
		"SET name = :1":         "Attribute name is a reserved keyword; reserved keyword: name",
		"SET a = foo(n)":        "Invalid function name; function: foo",
		"SET a = size(n)":       "The function is not allowed in an update expression; function: size",
		"SET a = list_append(list_append(l, :l), :l)":  "The function is not allowed to be used this way in an expression; function: list_append",
		"SET a = n + list_append(l, l)":                "The function is not allowed to be used this way in an expression; function: list_append",
		"SET a = if_not_exists(:1, n)":                 "Operator or function requires a document path; operator or function: if_not_exists",
		"SET a = if_not_exists(a)":                     "Incorrect number of operands for operator or function; operator or function: if_not_exists, number of operands: 1",
		"SET a = if_not_exists(b, b)":                  "The first operand must be distinct from the remaining operands for this operator or function; operator: if_not_exists, first operand: [b]",
		"SET a = :s + n":                               "Incorrect operand type for operator or function; operator or function: +, operand type: S",
		"SET a = n - :t":                               "Incorrect operand type for operator or function; operator or function: -, operand type: BOOL",
		"SET a = list_append(l, :1)":                   "Incorrect operand type for operator or function; operator or function: list_append, operand type: N",
		"ADD a :s":                                     "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
		"DELETE a :1":                                  "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
		"SET a = :1 REMOVE a":                          "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]",
		"SET m.k = :1, m.k.z = :1":                     "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m, k], path two: [m, k, z]",
		"SET m.k = :1, m[0] = :1":                      "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, k], path two: [m, [0]]",
		"SET a = :q":                                   "An expression attribute value used in expression is not defined; attribute value: :q",
		"SET #q = :q":                                  "An expression attribute name used in the document path is not defined; attribute name: #q",
		"SET " + strings.Repeat("a=n+n,", 301) + "b=n": "The expression contains too many operators; operator count: 301",
	} {
		_, err := parameters(t, "", theValues).Update(text)
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		if got := refusal(t, err); got != "Invalid UpdateExpression: "+want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestMalformedProjections(t *testing.T) {
	for text, want := range map[string]string{
		"": "The expression can not be empty;", "s n": `Syntax error; token: "n", near: "s n"`, "s,": `Syntax error; token: "<EOF>", near: ","`, "(s)": `Syntax error; token: "(", near: "(s"`,
		"size(s)": `Syntax error; token: "(", near: "size(s"`, ":s": `Syntax error; token: ":s", near: ":s"`, "s = n": `Syntax error; token: "=", near: "s = n"`,
		"s, name":  "Attribute name is a reserved keyword; reserved keyword: name",
		"m,m.k":    "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [m], path two: [m, k]",
		"l[0],l.x": "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [l, [0]], path two: [l, x]",
		"#q":       "An expression attribute name used in the document path is not defined; attribute name: #q",
	} {
		_, err := parameters(t, "", theValues).Projection(text)
		if err == nil {
			t.Errorf("%q was accepted", text)
			continue
		}
		if got := refusal(t, err); got != "Invalid ProjectionExpression: "+want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}
