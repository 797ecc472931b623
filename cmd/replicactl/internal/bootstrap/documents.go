package bootstrap

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// document is JSON that is compared by what it says.
type document = map[string]any

func parse(text string) document {
	var d document
	if json.Unmarshal([]byte(text), &d) != nil {
		return nil // then it is not what is wanted, whatever it is
	}
	return d
}

func compact(d any) string {
	text, _ := json.Marshal(d) // documents are strings, lists and maps, which always have JSON
	return string(text)
}

// queuePolicy lets the topic, and nothing else of SNS, send to the queue. On
// AWS nobody may use the queue without TLS.
func queuePolicy(queueARN, topicARN string, tls bool) document {
	statements := []any{document{
		"Sid": "TopicSends", "Effect": "Allow",
		"Principal": document{"Service": "sns.amazonaws.com"},
		"Action":    "sqs:SendMessage", "Resource": queueARN,
		"Condition": document{"ArnEquals": document{"aws:SourceArn": topicARN}},
	}}
	if tls {
		statements = append(statements, document{
			"Sid": "OnlyTLS", "Effect": "Deny", "Principal": "*",
			"Action": "sqs:*", "Resource": queueARN,
			"Condition": document{"Bool": document{"aws:SecureTransport": "false"}},
		})
	}
	return document{"Version": "2012-10-17", "Statement": statements}
}

// samePolicy reports whether a queue's policy has the wanted statements and no
// other, in any order; a list of one means the same as its element.
func samePolicy(have string, want document) bool {
	return reflect.DeepEqual(statementsOf(parse(have)), statementsOf(parse(compact(want))))
}

func statementsOf(policy document) []any {
	statements, ok := unwrap(policy["Statement"]).([]any)
	if !ok {
		statements = []any{unwrap(policy["Statement"])}
	}
	return slices.SortedFunc(slices.Values(statements), func(a, b any) int { return cmp.Compare(compact(a), compact(b)) })
}

// unwrap replaces every list of one element by the element.
func unwrap(value any) any {
	switch v := value.(type) {
	case document:
		plain := make(document, len(v))
		for key, inner := range v {
			plain[key] = unwrap(inner)
		}
		return plain
	case []any:
		plain := make([]any, len(v))
		for i, inner := range v {
			plain[i] = unwrap(inner)
		}
		if len(plain) == 1 {
			return plain[0]
		}
		return plain
	}
	return value
}

// sameFilter compares filter policies: the order of keys means nothing, and
// neither does that of a key's alternatives.
func sameFilter(have, want string) bool {
	return reflect.DeepEqual(alternatives(have), alternatives(want))
}

func alternatives(filter string) document {
	d := parse(filter)
	for key, value := range d {
		if list, ok := value.([]any); ok {
			d[key] = slices.SortedFunc(slices.Values(list), func(a, b any) int { return cmp.Compare(compact(a), compact(b)) })
		}
	}
	return d
}

// redriveJSON is a redrive policy; a subscription's has no receive count.
func redriveJSON(deadLetterARN string, maxReceives int) string {
	d := document{"deadLetterTargetArn": deadLetterARN}
	if maxReceives > 0 {
		d["maxReceiveCount"] = maxReceives
	}
	return compact(d)
}

func deadLetterTarget(redrive string) string {
	target, _ := parse(redrive)["deadLetterTargetArn"].(string)
	return target
}

// redriveCount returns the receive count as text: SQS takes and returns it as
// a number or as a string.
func redriveCount(redrive string) string {
	count, ok := parse(redrive)["maxReceiveCount"]
	if !ok {
		return ""
	}
	return fmt.Sprint(count)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
