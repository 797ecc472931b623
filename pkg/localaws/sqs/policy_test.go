package sqs_test

import (
	"errors"
	"strings"
	"testing"

	localsqs "github.com/tributary-dev/tributary/pkg/localaws/sqs"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const topicARN = "arn:aws:sns:us-east-1:000000000000:topic"

// deliver sends to q as SNS does for topicARN.
func (b *bench) deliver() error {
	return b.engine.SQS().Deliver(b.ctx, localsqs.Delivery{
		QueueARN: arnOf("q"), Service: "sns.amazonaws.com", SourceARN: topicARN, Body: "x",
	})
}

// allow is a statement; rest adds members to it.
func allow(rest string) string {
	return `{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + arnOf("q") + `"` + rest + `}`
}

func policyOf(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func TestPolicyDecidesAboutDeliveriesFromSNS(t *testing.T) {
	when := func(operator, key, value string) string {
		return `,"Condition":{"` + operator + `":{"` + key + `":` + value + `}}`
	}
	replace := func(old, new string) string { return policyOf(strings.Replace(allow(""), old, new, 1)) }
	deny := strings.Replace(allow(""), "Allow", "Deny", 1)
	for name, c := range map[string]struct {
		policy string
		in     bool
	}{
		"no policy":                       {"", false},
		"a plain Allow":                   {policyOf(allow("")), true},
		"a single statement without list": {`{"Statement":` + allow("") + `}`, true},
		"Allow and Deny":                  {policyOf(allow(""), deny), false},
		"Deny and Allow":                  {policyOf(deny, allow("")), false},
		"a Deny for another topic":        {policyOf(allow(""), deny[:len(deny)-1]+when("ArnEquals", "aws:SourceArn", `"arn:aws:sns:us-east-1:000000000000:other"`)+"}"), true},
		"everybody":                       {replace(`{"Service":"sns.amazonaws.com"}`, `"*"`), true},
		"every AWS account":               {replace(`{"Service":"sns.amazonaws.com"}`, `{"AWS":"*"}`), true},
		"another service":                 {replace("sns.amazonaws.com", "events.amazonaws.com"), false},
		"one of two services":             {replace(`"sns.amazonaws.com"`, `["events.amazonaws.com","sns.amazonaws.com"]`), true},
		"an account alone":                {replace(`"Service":"sns.amazonaws.com"`, `"AWS":"arn:aws:iam::000000000000:root"`), false},
		"every action":                    {replace(`"sqs:SendMessage"`, `"SQS:*"`), true},
		"a list of actions":               {replace(`"sqs:SendMessage"`, `["sqs:ReceiveMessage","sqs:Send*"]`), true},
		"another action":                  {replace("SendMessage", "ReceiveMessage"), false},
		"another queue":                   {replace(`:q"`, `:other"`), false},
		"every queue":                     {replace(`:q"`, `:*"`), true},
		"ArnEquals the topic":             {policyOf(allow(when("ArnEquals", "aws:SourceArn", `"`+topicARN+`"`))), true},
		"ArnEquals another topic":         {policyOf(allow(when("ArnEquals", "aws:SourceArn", `"`+topicARN+`s"`))), false},
		"ArnLike a pattern":               {policyOf(allow(when("ArnLike", "AWS:SourceARN", `"arn:aws:sns:*:*:top?c"`))), true},
		"StringEquals the topic":          {policyOf(allow(when("StringEquals", "aws:SourceArn", `["other","`+topicARN+`"]`))), true},
		"StringEquals knows no wildcards": {policyOf(allow(when("StringEquals", "aws:SourceArn", `"arn:*"`))), false},
		"StringLike a pattern":            {policyOf(allow(when("StringLike", "aws:SourceArn", `"*:topic"`))), true},
		"ArnNotEquals the topic":          {policyOf(allow(when("ArnNotEquals", "aws:SourceArn", `"`+topicARN+`"`))), false},
		"the topic's account":             {policyOf(allow(when("StringEquals", "aws:SourceAccount", `"000000000000"`))), true},
		"another account":                 {policyOf(allow(when("StringEquals", "aws:SourceAccount", `"111111111111"`))), false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				queue := b.queue("q", nil)
				if c.policy != "" {
					b.must(b.set(queue, "Policy", c.policy))
				}
				err := b.deliver()
				var refused *wire.Error
				if c.in && err != nil || !c.in && (!errors.As(err, &refused) || refused.Code != "AccessDenied" || refused.Status != 403) {
					t.Errorf("delivery: %v, want it in: %v", err, c.in)
				}
				if got := b.receive(queue); (len(got) == 1) != c.in {
					t.Errorf("%d messages arrived", len(got))
				}
			})
		})
	}
}

// A policy that means something else here than on AWS is not taken.
func TestPoliciesThatAreNotEnforcedAreRefused(t *testing.T) {
	inBubble(t, func(b *bench) {
		queue := b.queue("q", nil)
		for name, c := range map[string]struct{ policy, names string }{
			"no JSON":               {"x", "invalid character"},
			"another version":       {`{"Version":"2020-01-01","Statement":[` + allow("") + `]}`, "2020-01-01"},
			"no statement":          {`{"Version":"2012-10-17"}`, "Statement"},
			"NotAction":             {policyOf(allow(`,"NotAction":"sqs:*"`)), "NotAction"},
			"NotPrincipal":          {policyOf(allow(`,"NotPrincipal":"*"`)), "NotPrincipal"},
			"a condition operator":  {policyOf(allow(`,"Condition":{"Bool":{"aws:SecureTransport":"true"}}`)), "Bool"},
			"a condition key":       {policyOf(allow(`,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`)), "aws:PrincipalOrgID"},
			"a kind of principal":   {policyOf(strings.Replace(allow(""), "Service", "Federated", 1)), "Federated"},
			"an effect":             {policyOf(strings.Replace(allow(""), "Allow", "Perhaps", 1)), "Perhaps"},
			"no action":             {`{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*"}}`, "Action"},
			"a number for a string": {policyOf(strings.Replace(allow(""), `"sqs:SendMessage"`, "7", 1)), "7"},
		} {
			if err := b.set(queue, "Policy", c.policy); codeOf(err) != invalid || !strings.Contains(err.Error(), c.names) {
				t.Errorf("%s: %v, want %q named", name, err, c.names)
			}
		}
	})
}

func TestDeliveriesObeyTheQueue(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.fifo("q.fifo", map[string]string{"Policy": policyOf(strings.Replace(allow(""), arnOf("q"), "*", 1))})
		queues := b.engine.SQS()
		d := localsqs.Delivery{QueueARN: arnOf("q.fifo"), Service: "sns.amazonaws.com", SourceARN: topicARN, Body: "x"}
		for name, c := range map[string]struct {
			change func(*localsqs.Delivery)
			code   string
		}{
			"without a group":               {func(d *localsqs.Delivery) { d.DeduplicationID = "1" }, "MissingRequiredParameterException"},
			"with group and id":             {func(d *localsqs.Delivery) { d.GroupID, d.DeduplicationID = "g", "1" }, ""},
			"to a queue that is not here":   {func(d *localsqs.Delivery) { d.QueueARN = arnOf("absent") }, "QueueDoesNotExist"},
			"to a queue of another account": {func(d *localsqs.Delivery) { d.QueueARN = "arn:aws:sqs:us-east-1:111111111111:q.fifo" }, "QueueDoesNotExist"},
		} {
			one := d
			c.change(&one)
			err := queues.Deliver(b.ctx, one)
			var refused *wire.Error
			if errors.As(err, &refused); c.code == "" && err != nil || c.code != "" && (refused == nil || refused.Code != c.code) {
				t.Errorf("%s: %v, want %q", name, err, c.code)
			}
		}
	})
}
