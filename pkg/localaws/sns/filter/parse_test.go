package filter_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/sns/filter"
)

// TestRefused has AWS's own words where its answers are on record (LocalStack
// keeps recordings of SNS's answers to such policies; the position in the
// JSON that AWS appends is left out here), and the documentation's limits.
func TestRefused(t *testing.T) {
	wide := func(n int) string {
		values := make([]string, n)
		for i := range values {
			values[i] = fmt.Sprint(i)
		}
		return "[" + strings.Join(values, ",") + "]"
	}
	for name, row := range map[string]struct {
		policy string
		scope  filter.Scope
		want   string
	}{
		"no JSON":                          {`{"k":`, filter.MessageBody, "Filter policy is not JSON"},
		"no object":                        {`["k"]`, filter.MessageBody, "Filter is not an object"},
		"invalid UTF-8":                    {"{\"k\":[\"\xff\"]}", filter.MessageBody, "Filter policy is not UTF-8"},
		"more than 256 KB":                 {`{"k":["` + strings.Repeat("x", filter.MaxBytes) + `"]}`, filter.MessageBody, "can not be larger than 262144 bytes"},
		"a value outside an array":         {`{"k":"v"}`, filter.MessageBody, `"k" must be an object or an array`},
		"an operator outside an array":     {`{"k":{"suffix":"v"}}`, filter.MessageAttributes, `"suffix" must be an object or an array`},
		"an array in an array":             {`{"k":[["v"]]}`, filter.MessageBody, "Match value must be String, number, true, false, or null"},
		"an empty array":                   {`{"k":[]}`, filter.MessageBody, "Empty arrays are not allowed"},
		"an empty object":                  {`{"k":{}}`, filter.MessageBody, "Empty objects are not allowed"},
		"an unknown operator":              {`{"k":[{"wrong-operator":true}]}`, filter.MessageBody, "Unrecognized match type wrong-operator"},
		"two operators":                    {`{"k":[{"suffix":"a","prefix":"b"}]}`, filter.MessageBody, "Only one key allowed in match expression"},
		"a key twice":                      {`{"k":["a"],"k":["b"]}`, filter.MessageBody, "Path `k` cannot be allowed multiple times"},
		"a path twice":                     {`{"a":{"b":["x"]},"a.b":["y"]}`, filter.MessageBody, "Path `a.b` cannot be allowed multiple times"},
		"a prefix that is no string":       {`{"k":[{"prefix":1}]}`, filter.MessageBody, "prefix match pattern must be a string"},
		"a suffix that is a list":          {`{"k":[{"suffix":["a","b"]}]}`, filter.MessageBody, "suffix match pattern must be a string"},
		"a suffix of nothing":              {`{"k":[{"suffix":""}]}`, filter.MessageBody, "Null suffix not allowed"},
		"existence of a kind":              {`{"k":[{"exists":"no"}]}`, filter.MessageBody, "exists match pattern must be either true or false."},
		"anything but true":                {`{"k":[{"anything-but":true}]}`, filter.MessageBody, "Value of anything-but must be an array or single string/number value."},
		"anything but an empty list":       {`{"k":[{"anything-but":[]}]}`, filter.MessageBody, "Empty arrays are not allowed"},
		"anything but a null in a list":    {`{"k":[{"anything-but":["a",null]}]}`, filter.MessageBody, "Inside anything but list, start|null|boolean is not supported."},
		"anything but a mixed list":        {`{"k":[{"anything-but":["a",1]}]}`, filter.MessageBody, "mixed type is not supported"},
		"anything but a suffix":            {`{"k":[{"anything-but":{"suffix":"a"}}]}`, filter.MessageBody, "Unsupported anything-but pattern: suffix"},
		"anything but a prefix of no text": {`{"k":[{"anything-but":{"prefix":false}}]}`, filter.MessageBody, "prefix match pattern must be a string"},
		"anything but two patterns":        {`{"k":[{"anything-but":{"prefix":"a","wildcard":"b"}}]}`, filter.MessageBody, "Only one key allowed in match expression"},
		"two asterisks":                    {`{"k":[{"wildcard":"a**b"}]}`, filter.MessageBody, "Consecutive wildcard characters at pos 1"},
		"a backslash before nothing":       {`{"k":[{"wildcard":"a\\"}]}`, filter.MessageBody, "Invalid escape character at pos 1"},
		"a network without its length":     {`{"k":[{"cidr":"10.0.0.0"}]}`, filter.MessageBody, "Malformed CIDR"},
		"numeric without an array":         {`{"k":[{"numeric":1}]}`, filter.MessageBody, "Value of numeric must be an array."},
		"numeric without terms":            {`{"k":[{"numeric":[]}]}`, filter.MessageBody, "Invalid member in numeric match: ]"},
		"numeric with an unknown operator": {`{"k":[{"numeric":["operator"]}]}`, filter.MessageBody, "Unrecognized numeric range operator: operator"},
		"numeric with the number first":    {`{"k":[{"numeric":[1,"<="]}]}`, filter.MessageBody, "Invalid member in numeric match: 1"},
		"numeric equality with a text":     {`{"k":[{"numeric":["=","000"]}]}`, filter.MessageBody, "Value of equals must be numeric"},
		"numeric without a value":          {`{"k":[{"numeric":[">="]}]}`, filter.MessageBody, "Value of >= must be numeric"},
		"a range from above":               {`{"k":[{"numeric":["<",100,">",10]}]}`, filter.MessageBody, "Too many elements in numeric expression"},
		"a range of two lower bounds":      {`{"k":[{"numeric":[">=",1,">",2]}]}`, filter.MessageBody, "Bad numeric range operator: >"},
		"a range that is empty":            {`{"k":[{"numeric":[">",3,"<",1]}]}`, filter.MessageBody, "Bottom must be less than top"},
		"a range without its upper value":  {`{"k":[{"numeric":[">",20,"<="]}]}`, filter.MessageBody, "Value of <= must be numeric"},
		"a range without its operator":     {`{"k":[{"numeric":[">",20,30]}]}`, filter.MessageBody, "Bad value in numeric range: 30"},
		"a range of texts":                 {`{"k":[{"numeric":[">","20","<","30"]}]}`, filter.MessageBody, "Value of > must be numeric"},
		"a range of three":                 {`{"k":[{"numeric":[">",20,"<",30,"<",50]}]}`, filter.MessageBody, "Too many terms in numeric range expression"},
		"a bound beyond a billion":         {`{"k":[{"numeric":["<",1000000000.1]}]}`, filter.MessageBody, "Value must be between -1000000000 and 1000000000"},
		"a number beyond a billion":        {`{"k":[-1e10]}`, filter.MessageBody, "Value must be between -1000000000 and 1000000000"},
		"six keys":                         {`{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}`, filter.MessageAttributes, "Filter policy can not have more than 5 keys"},
		"151 values":                       {`{"a":` + wide(151) + `}`, filter.MessageAttributes, "Filter policy is too complex"},
		"152 combinations":                 {`{"a":` + wide(76) + `,"b":[1,2]}`, filter.MessageAttributes, "Filter policy is too complex"},
		"nested values count by their depth": {`{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]},"f":["1","2","3"]}`,
			filter.MessageBody, "Filter policy is too complex"}, // 4·3 × 3·2 × 3·1 = 216
		"the sum of alternatives": {`{"a":[1,2],"$or":[{"b":` + wide(40) + `},{"c":` + wide(36) + `}]}`, filter.MessageBody, "Filter policy is too complex"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := filter.Parse(row.policy, row.scope)
			var refused *filter.Error
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if !strings.HasPrefix(refused.Reason, "FilterPolicy: "+row.want) && !strings.Contains(refused.Reason, row.want) {
				t.Errorf("got %q, want %q", refused.Reason, row.want)
			}
		})
	}
}

func TestNestingNeedsTheBodyScope(t *testing.T) {
	_, err := filter.Parse(`{"a":{"b":["c"]}}`, filter.MessageAttributes)
	if want := "Filter policy scope MessageAttributes does not support nested filter policy"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if _, err := filter.Parse(`{"a":["b"]}`, "Header"); err == nil || !strings.Contains(err.Error(), "Invalid value [Header]") {
		t.Errorf("got %v, want the scope refused", err)
	}
}

func TestAtTheLimits(t *testing.T) {
	values := strings.TrimSuffix(strings.Repeat(`"v",`, 75), ",")
	for name, policy := range map[string]string{
		"two audiences and 75 attributes":  `{"audience":["all","me"],"changed":[` + values + `]}`,
		"five keys, some of them nested":   `{"a":{"x":[1],"y":[1],"z":[1]},"b":[1],"c":[1],"d":[1],"e":[1]}`,
		"a billion, and five digits":       `{"a":[{"numeric":[">",-1000000000,"<",1000000000]},0.00001]}`,
		"alternatives that share a key":    `{"$or":[{"a":["1"]},{"a":["2"],"b":["3"]}]}`,
		"a range that starts where it can": `{"a":[{"numeric":[">=",0,"<",0.00001]}]}`,
	} {
		t.Run(name, func(t *testing.T) { parse(t, policy, filter.MessageBody) })
	}
}

// FuzzParse looks for policies on which the parser panics, that it refuses
// without saying why in SNS's form, or that match differently the second time.
func FuzzParse(f *testing.F) {
	for _, policy := range []string{
		`{}`, `{"k":["a",1,true,null]}`, `{"k":[{"numeric":[">=",-1.5e3,"<",2]}]}`, `{"k":[{"anything-but":["a"]}]}`,
		`{"$or":[{"a":["x"]},{"b":{"c":[{"exists":false}]}}]}`, `{"k":[{"wildcard":"a\\**b"}]}`, `{"k":[{"cidr":"::/0"}]}`,
		`{"k":[{"anything-but":{"prefix":"a"}}]}`, `{"k":[[]]}`, `{"k":{"k":{"k":[1]}}}`, `[`, `{"k":[1e999999999]}`,
	} {
		f.Add(policy, `{"k":"a","b":{"c":1}}`)
	}
	f.Fuzz(func(t *testing.T, policy, body string) {
		for _, scope := range []filter.Scope{filter.MessageAttributes, filter.MessageBody} {
			p, err := filter.Parse(policy, scope)
			if err != nil {
				var refused *filter.Error
				if !errors.As(err, &refused) || !strings.HasPrefix(refused.Reason, "Filter") {
					t.Fatalf("policy %q: refused with %v", policy, err)
				}
				continue
			}
			m := filter.NewMessage(body, map[string]filter.Attribute{"k": {DataType: "String.Array", StringValue: body}})
			first := p.Matches(m)
			if again := p.Matches(m); p.Scope() != scope || again != first {
				t.Fatalf("policy %q on %q is not settled", policy, body)
			}
		}
	})
}
