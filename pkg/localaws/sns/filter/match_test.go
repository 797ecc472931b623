package filter_test

import (
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/sns/filter"
)

func parse(t *testing.T, policy string, scope filter.Scope) *filter.Policy {
	t.Helper()
	p, err := filter.Parse(policy, scope)
	if err != nil {
		t.Fatalf("policy %s: %v", policy, err)
	}
	return p
}

func attr(dataType, value string) map[string]filter.Attribute {
	return map[string]filter.Attribute{"k": {DataType: dataType, StringValue: value}}
}

func TestAttributes(t *testing.T) {
	text := func(value string) map[string]filter.Attribute { return attr("String", value) }
	number := func(value string) map[string]filter.Attribute { return attr("Number", value) }
	array := func(value string) map[string]filter.Attribute { return attr("String.Array", value) }
	for name, row := range map[string]struct {
		policy     string
		attributes map[string]filter.Attribute
		want       bool
	}{
		"a string equals":                              {`{"k":["a","b"]}`, text("b"), true},
		"a string differs":                             {`{"k":["a","b"]}`, text("c"), false},
		"case matters":                                 {`{"k":["a"]}`, text("A"), false},
		"a missing attribute":                          {`{"k":["a"]}`, nil, false},
		"the empty policy":                             {`{}`, nil, true},
		"all keys must match":                          {`{"k":["a"],"l":["b"]}`, text("a"), false},
		"one element of an array is enough":            {`{"k":["a","b"]}`, array(`["x","b"]`), true},
		"no element of an array":                       {`{"k":["a"]}`, array(`["x","y"]`), false},
		"a number in an array":                         {`{"k":[7]}`, array(`["x",7.0]`), true},
		"true in an array":                             {`{"k":[true]}`, array(`[true]`), true},
		"the text true is not true":                    {`{"k":[true]}`, text("true"), false},
		"null in an array":                             {`{"k":[null]}`, array(`[null]`), true},
		"null is not absence":                          {`{"k":[null]}`, nil, false},
		"an array that is no JSON":                     {`{"k":["a"]}`, array(`a`), false},
		"objects in an array are ignored":              {`{"k":[{"anything-but":"a"}]}`, array(`[{"a":1},["b"]]`), false},
		"an array's text as a plain string":            {`{"k":["[\"a\"]"]}`, text(`["a"]`), true},
		"a number equals":                              {`{"k":[300]}`, number("3.0e2"), true},
		"a number's text is not the number":            {`{"k":["300"]}`, number("300"), false},
		"a text is not the number":                     {`{"k":[300]}`, text("300"), false},
		"five digits after the point count":            {`{"k":[1.00001]}`, number("1.00002"), false},
		"the sixth digit does not":                     {`{"k":[1.00001]}`, number("1.000019"), true},
		"a binary attribute is ignored":                {`{"k":[{"exists":true}]}`, attr("Binary", ""), false},
		"a binary attribute does not exist":            {`{"k":[{"exists":false}]}`, attr("Binary", ""), true},
		"exists":                                       {`{"k":[{"exists":true}]}`, text("a"), true},
		"an empty array does not exist":                {`{"k":[{"exists":true}]}`, array(`[]`), false},
		"an empty array is not absent":                 {`{"k":[{"exists":false}]}`, array(`[]`), false},
		"an array of null does not exist":              {`{"k":[{"exists":true}]}`, array(`[null]`), false},
		"an array of null and more exists":             {`{"k":[{"exists":true}]}`, array(`[null,0]`), true},
		"an empty text does not exist":                 {`{"k":[{"exists":true}]}`, text(""), false},
		"exists, absent":                               {`{"k":[{"exists":true}]}`, nil, false},
		"exists not, present":                          {`{"k":[{"exists":false}]}`, text("a"), false},
		"exists not, absent":                           {`{"l":[{"exists":false}]}`, text("a"), true},
		"exists not, without any attribute":            {`{"k":[{"exists":false}]}`, nil, false},
		"prefix":                                       {`{"k":[{"prefix":"bas"}]}`, text("baseball"), true},
		"prefix, elsewhere":                            {`{"k":[{"prefix":"ball"}]}`, text("baseball"), false},
		"suffix":                                       {`{"k":[{"suffix":"ball"}]}`, text("baseball"), true},
		"suffix, elsewhere":                            {`{"k":[{"suffix":"base"}]}`, text("baseball"), false},
		"suffix of one element":                        {`{"k":[{"suffix":"ball"}]}`, array(`["rugby","baseball"]`), true},
		"ignoring case":                                {`{"k":[{"equals-ignore-case":"tennis"}]}`, text("TeNNis"), true},
		"ignoring case, another word":                  {`{"k":[{"equals-ignore-case":"tennis"}]}`, text("rugby"), false},
		"anything but":                                 {`{"k":[{"anything-but":["a","b"]}]}`, text("c"), true},
		"anything but, one of them":                    {`{"k":[{"anything-but":["a","b"]}]}`, text("a"), false},
		"anything but a single one":                    {`{"k":[{"anything-but":"a"}]}`, text("a"), false},
		"anything but, absent":                         {`{"k":[{"anything-but":"a"}]}`, nil, false},
		"anything but, or absent":                      {`{"l":[{"anything-but":"a"},{"exists":false}]}`, text("a"), true},
		"anything but, one other element of an array":  {`{"k":[{"anything-but":["a","b"]}]}`, array(`["a","c"]`), true},
		"anything but, no other element of an array":   {`{"k":[{"anything-but":["a","b"]}]}`, array(`["a","b"]`), false},
		"anything but a number":                        {`{"k":[{"anything-but":[100,500]}]}`, number("101"), true},
		"anything but that number":                     {`{"k":[{"anything-but":[100,500]}]}`, number("100.0"), false},
		"anything but a number, a string":              {`{"k":[{"anything-but":100}]}`, text("100"), true},
		"anything but a prefix":                        {`{"k":[{"anything-but":{"prefix":"bas"}}]}`, text("rugby"), true},
		"anything but that prefix":                     {`{"k":[{"anything-but":{"prefix":"bas"}}]}`, text("baseball"), false},
		"anything but a wildcard":                      {`{"k":[{"anything-but":{"wildcard":"b*l"}}]}`, text("rugby"), true},
		"anything but that wildcard":                   {`{"k":[{"anything-but":{"wildcard":"b*l"}}]}`, text("ball"), false},
		"wildcard in the middle":                       {`{"k":[{"wildcard":"b*s*l"}]}`, text("baseball"), true},
		"wildcard for nothing":                         {`{"k":[{"wildcard":"base*ball"}]}`, text("baseball"), true},
		"wildcard alone":                               {`{"k":[{"wildcard":"*"}]}`, text(""), true},
		"wildcard that would have to overlap":          {`{"k":[{"wildcard":"ab*ba"}]}`, text("aba"), false},
		"wildcard taken literally":                     {`{"k":[{"wildcard":"a\\*b*"}]}`, text("a*bc"), true},
		"wildcard taken literally, another character":  {`{"k":[{"wildcard":"a\\*b*"}]}`, text("axbc"), false},
		"no wildcard at all":                           {`{"k":[{"wildcard":"ab"}]}`, text("abc"), false},
		"an IPv4 address in its network":               {`{"k":[{"cidr":"10.0.0.0/24"}]}`, text("10.0.0.255"), true},
		"an IPv4 address outside":                      {`{"k":[{"cidr":"10.0.0.0/24"}]}`, text("10.0.1.0"), false},
		"an IPv6 address in its network":               {`{"k":[{"cidr":"2001:db8::/32"}]}`, text("2001:db8::1"), true},
		"no address":                                   {`{"k":[{"cidr":"10.0.0.0/24"}]}`, text("10.0.0"), false},
		"a numeric range, inside":                      {`{"k":[{"numeric":[">",0,"<=",150]}]}`, number("150"), true},
		"a numeric range, its open end":                {`{"k":[{"numeric":[">",0,"<=",150]}]}`, number("0"), false},
		"a numeric range, above":                       {`{"k":[{"numeric":[">",0,"<=",150]}]}`, number("150.00001"), false},
		"numeric equality":                             {`{"k":[{"numeric":["=",301.5]}]}`, number("3015e-1"), true},
		"numeric, less":                                {`{"k":[{"numeric":["<",5]}]}`, number("5"), false},
		"numeric, at most":                             {`{"k":[{"numeric":["<=",5]}]}`, number("5"), true},
		"numeric, at least":                            {`{"k":[{"numeric":[">=",5]}]}`, number("5"), true},
		"numeric, a text":                              {`{"k":[{"numeric":[">",0]}]}`, text("5"), false},
		"numeric, beyond a billion":                    {`{"k":[{"numeric":[">",0]}]}`, number("1000000001"), false},
		"numeric, far beyond":                          {`{"k":[{"numeric":[">",0]}]}`, number("1e999999999"), false},
		"numeric, a billion":                           {`{"k":[{"numeric":[">",0]}]}`, number("1e9"), true},
		"numeric, below the precision":                 {`{"k":[{"numeric":["=",0]}]}`, number("1e-999999999"), true},
		"one or the other, the first":                  {`{"$or":[{"k":["a"]},{"l":["b"]}]}`, text("a"), true},
		"one or the other, neither":                    {`{"$or":[{"k":["a"]},{"l":["b"]}]}`, text("b"), false},
		"one or the other, and a third":                {`{"m":["c"],"$or":[{"k":["a"]},{"l":["b"]}]}`, text("a"), false},
		"a single alternative is a property":           {`{"$or":["a"]}`, map[string]filter.Attribute{"$or": {DataType: "String", StringValue: "a"}}, true},
		"match expressions under $or are a property's": {`{"$or":[{"prefix":"a"},{"prefix":"b"}]}`, map[string]filter.Attribute{"$or": {DataType: "String", StringValue: "bc"}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, row.policy, filter.MessageAttributes)
			if got := p.Matches(filter.NewMessage("", row.attributes)); got != row.want {
				t.Errorf("%s on %v: got %v, want %v", row.policy, row.attributes, got, row.want)
			}
		})
	}
}

func TestBody(t *testing.T) {
	for name, row := range map[string]struct {
		policy, body string
		want         bool
	}{
		"a property":                             {`{"a":["x"]}`, `{"a":"x","b":1}`, true},
		"a nested property":                      {`{"a":{"b":["x"]}}`, `{"a":{"b":"x"}}`, true},
		"a property that is not nested":          {`{"a":{"b":["x"]}}`, `{"b":"x"}`, false},
		"dots join keys, in the policy":          {`{"a.b":["x"]}`, `{"a":{"b":"x"}}`, true},
		"dots join keys, in the body":            {`{"a":{"b":["x"]}}`, `{"a.b":"x"}`, true},
		"an array":                               {`{"a":["x"]}`, `{"a":["y","x"]}`, true},
		"an array of arrays of objects":          {`{"a":{"b":["x"]}}`, `{"a":[[{"b":"x"}],{"b":"y"}]}`, true},
		"properties of different elements":       {`{"a":{"b":["x"],"c":["y"]}}`, `{"a":[{"b":"x","c":"z"},{"b":"w","c":"y"}]}`, true},
		"a number, exactly":                      {`{"a":[0.1]}`, `{"a":1e-1}`, true},
		"a number is not its text":               {`{"a":[1]}`, `{"a":"1"}`, false},
		"true":                                   {`{"a":[true]}`, `{"a":true}`, true},
		"false is not true":                      {`{"a":[true]}`, `{"a":false}`, false},
		"null":                                   {`{"a":[null]}`, `{"a":null}`, true},
		"null does not exist":                    {`{"a":[{"exists":true}]}`, `{"a":null}`, false},
		"null is not absent":                     {`{"a":[{"exists":false}]}`, `{"a":null}`, false},
		"nothing of a body without properties":   {`{"a":[{"exists":false}]}`, `{}`, true},
		"an empty array has no value":            {`{"a":[{"exists":true}]}`, `{"a":[]}`, false},
		"only leaves exist":                      {`{"a":[{"exists":true}]}`, `{"a":{"b":1}}`, false},
		"a nested property that does not exist":  {`{"a":{"b":[{"exists":false}]}}`, `{"a":{"c":1}}`, true},
		"numeric":                                {`{"a":[{"numeric":[">=",-1,"<",1]}]}`, `{"a":-1}`, true},
		"a body that is no JSON":                 {`{"a":[{"exists":false}]}`, `text`, false},
		"a body that is no object":               {`{"a":[{"exists":false}]}`, `["a"]`, false},
		"a body that goes on":                    {`{"a":["x"]}`, `{"a":"x"} more`, false},
		"alternatives beside a nested property":  {`{"d":{"s":["x"],"$or":[{"p":["1"]},{"q":["2"]}]}}`, `{"d":{"s":"x","q":"2"}}`, true},
		"alternatives that are looked for above": {`{"d":{"s":["x"],"$or":[{"p":["1"]},{"q":["2"]}]}}`, `{"q":"2","d":{"s":"x"}}`, false},
		"alternatives within alternatives":       {`{"$or":[{"a":["1"]},{"b":["2"],"$or":[{"c":["3"]},{"d":["4"]}]}]}`, `{"b":"2","d":"4"}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, row.policy, filter.MessageBody)
			attributes := map[string]filter.Attribute{"a": {DataType: "String", StringValue: "x"}}
			if got := p.Matches(filter.NewMessage(row.body, attributes)); got != row.want {
				t.Errorf("%s on %s: got %v, want %v", row.policy, row.body, got, row.want)
			}
		})
	}
}

func TestNoPolicyMatchesEverything(t *testing.T) {
	if none := (*filter.Policy)(nil); !none.Matches(filter.NewMessage("", nil)) {
		t.Error("the nil policy refused a message")
	}
}
