package sqs

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const grant = `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:r:a:q"}`

// A policy is refused as SQS refuses attributes, or decides the same each time;
// one more Deny for everybody takes away whatever it allows.
func FuzzParsePolicy(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[`+grant+`]}`, "arn:aws:sns:r:a:t")
	f.Fuzz(func(t *testing.T, text, topicARN string) {
		p, err := parsePolicy(text)
		if err != nil {
			var refused *wire.Error
			if p != nil || !errors.As(err, &refused) || refused.Code == "" || refused.HTTPStatus() >= 500 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		who := publisher{service: "sns.amazonaws.com", sourceARN: topicARN, account: "a"}
		allowed := p.allows(who, "arn:aws:sqs:r:a:q")
		again, err := parsePolicy(text)
		if err != nil || again.allows(who, "arn:aws:sqs:r:a:q") != allowed {
			t.Fatalf("%q decides %v, and then otherwise (%v)", text, allowed, err)
		}
		if p == nil {
			return
		}
		p.statements = append(p.statements, statement{anyone: true, actions: []string{"*"}, resources: []string{"*"}})
		if p.allows(who, "arn:aws:sqs:r:a:q") {
			t.Fatalf("%q allows what is denied", text)
		}
	})
}

// A policy costs a multiple of its text, and so does a decision by it.
func TestAHostilePolicyCostsBoundedMemory(t *testing.T) {
	const size = 1 << 20
	many := func(head, part, tail string) string { return head + strings.Repeat(part, size/len(part)) + tail }
	for name, text := range map[string]string{
		"lists in lists":     many(`{"Statement":`, "[", "}"),
		"empty statements":   many(`{"Statement":[`, "{},", "{}]}"),
		"statements":         many(`{"Statement":[`, grant+",", grant+"]}"),
		"the same member":    many(`{`, `"Version":"2012-10-17",`, `"Statement":[`+grant+`]}`),
		"actions":            many(`{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*","Action":[`, `"a",`, `"*"]}}`),
		"a long action":      many(`{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*","Action":"`, `*a`, `"}}`),
		"a long resource":    many(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"`, `*?`, `"}}`),
		"unknown conditions": many(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"x":{"`, `k`, `":"y"}}}}`),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p, err := parsePolicy(text)
			p.allows(publisher{service: "sns.amazonaws.com"}, "arn:aws:sqs:r:a:q")
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > 256*size {
				t.Errorf("%d bytes are allocated for %d: %.100v", used, len(text), err)
			}
		})
	}
}
