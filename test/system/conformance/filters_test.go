package conformance

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

func TestFilters(t *testing.T) {
	// Which of the four changes a filter policy lets through.
	filtered := func(policy string, more ...string) func(*probe) {
		return func(p *probe) {
			topic := p.topic("t")
			url := p.subscriber(topic, "q", append(raw(policy), more...)...)
			p.publish(topic, `{"n":1}`, event("stats", `["name","address"]`))
			p.publish(topic, `{"n":2}`, event("stats", `["ticker"]`))
			p.publish(topic, `{"n":3}`, event("billing", `["name"]`))
			p.publish(topic, `{"n":4}`, map[string]types.MessageAttributeValue{"size": texted("Number", "100")})
			p.see("%s", sorted(p.collect(url, 4)))
		}
	}
	const filters = "Amazon SNS subscription filter policies"
	check(t, messages, []behaviour{
		{name: "a filter on the audience", page: filters, run: filtered(`{"audience":["stats"]}`), want: `{"n":1} {"n":2}`},
		{name: "a filter on an array has any of its values", page: filters, run: filtered(`{"changed":["name","ticker"]}`), want: `{"n":1} {"n":2} {"n":3}`},
		{name: "a filter's keys hold together", page: filters, run: filtered(`{"audience":["stats"],"changed":["name"]}`), want: `{"n":1}`},
		{name: "a filter on an attribute that is not there", page: filters, run: filtered(`{"audience":[{"exists":false}]}`), want: `{"n":4}`},
		{name: "a filter on an attribute that is there", page: filters, run: filtered(`{"audience":[{"exists":true}]}`), want: `{"n":1} {"n":2} {"n":3}`},
		{name: "a filter by prefix", page: filters, run: filtered(`{"audience":[{"prefix":"bil"}]}`), want: `{"n":3}`},
		{name: "a filter by suffix", page: filters, run: filtered(`{"audience":[{"suffix":"ing"}]}`), want: `{"n":3}`},
		{name: "a filter by anything but", page: filters, run: filtered(`{"audience":[{"anything-but":["stats"]}]}`), want: `{"n":3}`},
		{name: "a filter by number", page: filters, run: filtered(`{"size":[{"numeric":[">",99,"<=",100]}]}`), want: `{"n":4}`},
		{name: "a filter by either of two keys", page: filters, run: filtered(`{"$or":[{"audience":["billing"]},{"changed":["ticker"]}]}`), want: `{"n":2} {"n":3}`},
		{name: "a filter on the body", page: filters, run: filtered(`{"n":[{"numeric":["<",3]}]}`, "FilterPolicyScope", "MessageBody"), want: `{"n":1} {"n":2}`},
		{
			name: "policies that are none are refused",
			page: filters,
			run: func(p *probe) {
				topic := p.topic("t")
				_, arn := p.queue("q")
				for _, policy := range []string{`{`, `{"a":"x"}`, `{"a":[{"like":"x"}]}`, `{"a":[{"numeric":["<","x"]}]}`, `{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"]}`} {
					_, err := p.SNS.Subscribe(p.ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: map[string]string{"FilterPolicy": policy}})
					p.see("%s %s", policy, strings.TrimSuffix(code(err), "Exception"))
				}
			},
			want: `
				{ InvalidParameter
				{"a":"x"} InvalidParameter
				{"a":[{"like":"x"}]} InvalidParameter
				{"a":[{"numeric":["<","x"]}]} InvalidParameter
				{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"]} InvalidParameter`,
			differs: map[string]difference{moto: {"breaks on what is no JSON", `
				{ no answer
				{"a":"x"} InvalidParameter
				{"a":[{"like":"x"}]} InvalidParameter
				{"a":[{"numeric":["<","x"]}]} InvalidParameter
				{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"]} InvalidParameter`}},
		},
		{
			name: "without attributes a message meets no policy, not even one on what is absent",
			page: "Key matching",
			run: func(p *probe) {
				topic := p.topic("t")
				url := p.subscriber(topic, "q", raw(`{"audience":[{"exists":false}]}`)...)
				p.publish(topic, "none", nil)
				p.publish(topic, "other", map[string]types.MessageAttributeValue{"size": texted("Number", "1")})
				p.see("%s", sorted(p.collect(url, 2)))
			},
			want:    `other`,
			differs: map[string]difference{moto: {"lets it through", `none other`}},
		},
		{
			name: "a policy has at most five keys and 150 combinations",
			page: "Filter policy constraints in Amazon SNS",
			run: func(p *probe) {
				topic := p.topic("t")
				_, arn := p.queue("q")
				out, err := p.SNS.Subscribe(p.ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn, ReturnSubscriptionArn: true})
				p.must(err)
				list := func(count int) string {
					parts := make([]string, count)
					for i := range parts {
						parts[i] = strconv.Quote(strconv.Itoa(i))
					}
					return "[" + strings.Join(parts, ",") + "]"
				}
				set := func(what, policy string) {
					_, err := p.SNS.SetSubscriptionAttributes(p.ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: out.SubscriptionArn, AttributeName: aws.String("FilterPolicy"), AttributeValue: &policy})
					p.see("%s %s", what, code(err))
				}
				set("150 values", `{"a":`+list(150)+`}`)
				set("151 values", `{"a":`+list(151)+`}`)
				set("15 times 10", `{"a":`+list(15)+`,"b":`+list(10)+`}`)
				set("16 times 10", `{"a":`+list(16)+`,"b":`+list(10)+`}`)
				set("five keys", `{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"]}`)
				set("six keys", `{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"]}`)
				set("nested, on attributes", `{"a":{"b":["x"]}}`)
				set("none", `{}`)
			},
			want: `
				150 values ok
				151 values InvalidParameter
				15 times 10 ok
				16 times 10 InvalidParameter
				five keys ok
				six keys InvalidParameter
				nested, on attributes InvalidParameter
				none ok`,
		},
	})
}

// TestFilterOperators holds each operator against one attribute after another.
func TestFilterOperators(t *testing.T) {
	array := func(text string) types.MessageAttributeValue { return texted("String.Array", text) }
	word := func(text string) types.MessageAttributeValue { return texted("String", text) }
	// Each attribute's value is a message of its own; the bodies of those that a
	// policy lets through are what is wanted.
	values := map[string]types.MessageAttributeValue{
		"name": word("name"), "NAME": word("NAME"), "array-of-both": array(`["name","ticker"]`), "array-of-one": array(`["ticker"]`),
		"array-of-none": array(`[]`), "array-of-null": array(`[null]`), "array-as-text": word(`["name"]`), "array-of-7": array(`[7,true]`),
		"7": texted("Number", "7.0"), "text-7": word("7"), "ip": word("10.0.0.7"),
	}
	through := func(policy string) func(*probe) {
		return func(p *probe) {
			topic := p.topic("t")
			url, arn := p.queue("q", "Policy", fromTopics)
			_, err := p.SNS.Subscribe(p.ctx, &sns.SubscribeInput{TopicArn: &topic, Protocol: aws.String("sqs"), Endpoint: &arn, Attributes: map[string]string{"RawMessageDelivery": "true", "FilterPolicy": policy}})
			if err != nil {
				p.see("the subscription: %s", code(err))
				return
			}
			other := entry("other", "other")
			other.MessageAttributes = map[string]types.MessageAttributeValue{"other": word("x")}
			entries := []types.PublishBatchRequestEntry{other}
			for _, body := range slices.Sorted(maps.Keys(values)) {
				one := entry(body, body)
				one.MessageAttributes = map[string]types.MessageAttributeValue{"changed": values[body]}
				entries = append(entries, one)
			}
			refused := 0
			for batch := range slices.Chunk(entries, 6) {
				out, err := p.SNS.PublishBatch(p.ctx, &sns.PublishBatchInput{TopicArn: &topic, PublishBatchRequestEntries: batch})
				p.must(err)
				refused += len(out.Failed)
			}
			p.see("%s", cmp.Or(sorted(p.collect(url, len(entries))), "nothing"))
			if refused > 0 {
				p.see("%d refused", refused)
			}
		}
	}
	const (
		texts = "String value matching"
		keys  = "Key matching"
	)
	check(t, messages, []behaviour{
		{
			name: "a value is one of an array's, in its case", page: texts, run: through(`{"changed":["name"]}`), want: `array-of-both name`,
			differs: map[string]difference{moto: {"takes any text that is a JSON array for one", `array-as-text array-of-both name`}},
		},
		{name: "a text that looks like an array is a text", page: texts, run: through(`{"changed":["[\"name\"]"]}`), want: `array-as-text`},
		{name: "a number is not its text", page: "Numeric value matching", run: through(`{"changed":[7]}`), want: `7 array-of-7`},
		{name: "true in an array", page: "Filter policy constraints in Amazon SNS", run: through(`{"changed":[true]}`), want: `array-of-7`},
		{
			name: "exists wants a value that is neither null nor empty", page: keys, run: through(`{"changed":[{"exists":true}]}`),
			want: `7 NAME array-as-text array-of-7 array-of-both array-of-one ip name text-7`,
			differs: map[string]difference{moto: {"takes null and nothing for values",
				`7 NAME array-as-text array-of-7 array-of-both array-of-none array-of-null array-of-one ip name text-7`}},
		},
		{name: "exists not is for what the message does not have", page: keys, run: through(`{"changed":[{"exists":false}]}`), want: `other`},
		{
			name: "anything but one value is met by an array that has another too", page: texts, run: through(`{"changed":[{"anything-but":["name"]}]}`),
			want: `7 NAME array-as-text array-of-7 array-of-both array-of-null array-of-one ip text-7`,
			differs: map[string]difference{moto: {"takes an array of nothing for a value",
				`7 NAME array-as-text array-of-7 array-of-both array-of-none array-of-null array-of-one ip text-7`}},
		},
		{
			name: "whatever its case", page: texts, run: through(`{"changed":[{"equals-ignore-case":"nAmE"}]}`), want: `NAME array-of-both name`,
			differs: map[string]difference{moto: {"takes the policy and lets nothing through", `nothing`}},
		},
		{
			name: "a wildcard", page: texts, run: through(`{"changed":[{"wildcard":"t*er"}]}`), want: `array-of-both array-of-one`,
			differs: map[string]difference{moto: {"has no wildcard", `the subscription: InvalidParameter`}},
		},
		{
			name: "a network", page: texts, run: through(`{"changed":[{"cidr":"10.0.0.0/24"}]}`), want: `ip`,
			differs: map[string]difference{moto: {"has no cidr", `the subscription: InvalidParameter`}},
		},
		{
			name: "a number in an array", page: "Numeric value matching", run: through(`{"changed":[{"numeric":[">=",7,"<",8]}]}`), want: `7 array-of-7`,
			differs: map[string]difference{moto: {"compares numbers with Number attributes only", `7`}},
		},
	})
}
