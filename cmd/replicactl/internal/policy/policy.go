// Package policy writes and compares the JSON documents that SNS and SQS keep as
// attributes: queue policies, filter policies and redrive policies.
//
// It promises that documents are compared by what they say and not by their
// text. It calls nothing.
package policy

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
)

// Document is JSON that is compared by what it says.
type Document = map[string]any

func parse(text string) Document {
	var d Document
	if json.Unmarshal([]byte(text), &d) != nil {
		return nil // then it is not what is wanted, whatever it is
	}
	return d
}

// Text returns a document as JSON.
func Text(d any) string {
	text, _ := json.Marshal(d) // documents are strings, lists and maps, which always have JSON
	return string(text)
}

// Queue lets the topic, and nothing else of SNS, send to the queue. On
// AWS nobody may use the queue without TLS.
func Queue(queueARN, topicARN string, tls bool) Document {
	statements := []any{Document{
		"Sid": "TopicSends", "Effect": "Allow",
		"Principal": Document{"Service": "sns.amazonaws.com"},
		"Action":    "sqs:SendMessage", "Resource": queueARN,
		"Condition": Document{"ArnEquals": Document{"aws:SourceArn": topicARN}},
	}}
	if tls {
		statements = append(statements, Document{
			"Sid": "OnlyTLS", "Effect": "Deny", "Principal": "*",
			"Action": "sqs:*", "Resource": queueARN,
			"Condition": Document{"Bool": Document{"aws:SecureTransport": "false"}},
		})
	}
	return Document{"Version": "2012-10-17", "Statement": statements}
}

// Same reports whether a queue's policy has the wanted statements and no
// other, in any order; a list of one means the same as its element.
func Same(have string, want Document) bool {
	return reflect.DeepEqual(statementsOf(parse(have)), statementsOf(parse(Text(want))))
}

func statementsOf(policy Document) []any {
	statements, ok := unwrap(policy["Statement"]).([]any)
	if !ok {
		statements = []any{unwrap(policy["Statement"])}
	}
	return slices.SortedFunc(slices.Values(statements), func(a, b any) int { return cmp.Compare(Text(a), Text(b)) })
}

// unwrap replaces every list of one element by the element.
func unwrap(value any) any {
	switch v := value.(type) {
	case Document:
		plain := make(Document, len(v))
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

// SameFilter compares filter policies: the order of keys means nothing, and
// neither does that of a key's alternatives.
func SameFilter(have, want string) bool {
	return reflect.DeepEqual(alternatives(have), alternatives(want))
}

func alternatives(filter string) Document {
	d := parse(filter)
	for key, value := range d {
		if list, ok := value.([]any); ok {
			d[key] = slices.SortedFunc(slices.Values(list), func(a, b any) int { return cmp.Compare(Text(a), Text(b)) })
		}
	}
	return d
}

// Redrive is a redrive policy; a subscription's has no receive count.
func Redrive(deadLetterARN string, maxReceives int) string {
	d := Document{"deadLetterTargetArn": deadLetterARN}
	if maxReceives > 0 {
		d["maxReceiveCount"] = maxReceives
	}
	return Text(d)
}

// DeadLetterTarget returns the ARN that a redrive policy sends to; empty for
// none.
func DeadLetterTarget(redrive string) string {
	target, _ := parse(redrive)["deadLetterTargetArn"].(string)
	return target
}

// RedriveCount returns the receive count as text: SQS takes and returns it as
// a number or as a string.
func RedriveCount(redrive string) string {
	count, ok := parse(redrive)["maxReceiveCount"]
	if !ok {
		return ""
	}
	return fmt.Sprint(count)
}
