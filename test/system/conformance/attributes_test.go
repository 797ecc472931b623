package conformance

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

type attributeName = types.QueueAttributeName

// bounds are a queue's attributes that are numbers: the lowest and the highest.
var bounds = []struct{ name, low, high, below, above string }{
	{"DelaySeconds", "0", "900", "-1", "901"},
	{"MaximumMessageSize", "1024", "1048576", "1023", "1048577"},
	{"MessageRetentionPeriod", "60", "1209600", "59", "1209601"},
	{"ReceiveMessageWaitTimeSeconds", "0", "20", "-1", "21"},
	{"VisibilityTimeout", "0", "43200", "-1", "43201"},
}

func TestQueueAttributes(t *testing.T) {
	set := func(p *probe, url string, pairs ...string) string {
		given := make(map[string]string)
		for pair := range slices.Chunk(pairs, 2) {
			given[pair[0]] = pair[1]
		}
		_, err := p.SQS.SetQueueAttributes(p.ctx, &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: given})
		return code(err)
	}
	check(t, messages, []behaviour{
		{
			name: "a queue without attributes has those that are documented",
			page: "CreateQueue",
			run: func(p *probe) {
				url, _ := p.queue("q")
				for _, b := range bounds {
					p.see("%s %s", b.name, p.attribute(url, attributeName(b.name)))
				}
				p.see("policy %q, redrive %q", p.attribute(url, "Policy"), p.attribute(url, "RedrivePolicy"))
			},
			want: `
				DelaySeconds 0
				MaximumMessageSize 1048576
				MessageRetentionPeriod 345600
				ReceiveMessageWaitTimeSeconds 0
				VisibilityTimeout 30
				policy "", redrive ""`,
		},
		{
			name: "numbers are taken within their bounds, and what is refused changes nothing",
			page: "SetQueueAttributes",
			run: func(p *probe) {
				url, _ := p.queue("q")
				for _, b := range bounds {
					p.see("%s: low %s, high %s, below %s, above %s, a word %s, and is %s", b.name, set(p, url, b.name, b.low), set(p, url, b.name, b.high),
						set(p, url, b.name, b.below), set(p, url, b.name, b.above), set(p, url, b.name, "many"), p.attribute(url, attributeName(b.name)))
				}
			},
			want: `
				DelaySeconds: low ok, high ok, below InvalidAttributeValue, above InvalidAttributeValue, a word InvalidAttributeValue, and is 900
				MaximumMessageSize: low ok, high ok, below InvalidAttributeValue, above InvalidAttributeValue, a word InvalidAttributeValue, and is 1048576
				MessageRetentionPeriod: low ok, high ok, below InvalidAttributeValue, above InvalidAttributeValue, a word InvalidAttributeValue, and is 1209600
				ReceiveMessageWaitTimeSeconds: low ok, high ok, below InvalidAttributeValue, above InvalidAttributeValue, a word InvalidAttributeValue, and is 20
				VisibilityTimeout: low ok, high ok, below InvalidAttributeValue, above InvalidAttributeValue, a word InvalidAttributeValue, and is 43200`,
			differs: map[string]difference{moto: {"checks no bounds, and breaks on a word", `
				DelaySeconds: low ok, high ok, below ok, above ok, a word no answer, and is 901
				MaximumMessageSize: low ok, high ok, below ok, above ok, a word no answer, and is 1048577
				MessageRetentionPeriod: low ok, high ok, below ok, above ok, a word no answer, and is 1209601
				ReceiveMessageWaitTimeSeconds: low ok, high ok, below ok, above ok, a word no answer, and is 21
				VisibilityTimeout: low ok, high ok, below ok, above ok, a word no answer, and is 43201`}},
		},
		{
			name: "one attribute that is wrong refuses all, an unknown one too",
			page: "SetQueueAttributes",
			run: func(p *probe) {
				url, _ := p.queue("q")
				p.see("%s", set(p, url, "VisibilityTimeout", "7", "DelaySeconds", "901"))
				p.see("%s", set(p, url, "VisibilityTimeout", "7", "Colour", "red"))
				p.see("%s", set(p, url, "VisibilityTimeout", "7", "QueueArn", "x"))
				p.see("%s", p.attribute(url, "VisibilityTimeout"))
				p.see("%s", set(p, url, "VisibilityTimeout", "7", "DelaySeconds", "1"))
				p.see("%s %s", p.attribute(url, "VisibilityTimeout"), p.attribute(url, "DelaySeconds"))
				_, err := p.SQS.GetQueueAttributes(p.ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []attributeName{"Colour"}})
				p.see("asked for: %s", code(err))
			},
			want: `
				InvalidAttributeValue
				InvalidAttributeName
				InvalidAttributeName
				30
				ok
				7 1
				asked for: InvalidAttributeName`,
			differs: map[string]difference{moto: {"takes attributes out of range and unknown ones", `
				ok
				ok
				ok
				7
				ok
				7 1
				asked for: InvalidAttributeName`}},
		},
		{
			name: "a redrive policy wants a queue that is there, of its kind and willing, and 1 to 1000 receives",
			page: "SetQueueAttributes",
			run: func(p *probe) {
				url, _ := p.queue("q")
				_, dead := p.queue("dead")
				_, fifo := p.queue("dead.fifo")
				unwillingURL, unwilling := p.queue("unwilling")
				p.see("allow: %s", set(p, unwillingURL, "RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`))
				redrive := func(what, policy string) { p.see("%s: %s", what, set(p, url, "RedrivePolicy", policy)) }
				redrive("no queue", `{"deadLetterTargetArn":"`+dead+`x","maxReceiveCount":1}`)
				redrive("another kind", `{"deadLetterTargetArn":"`+fifo+`","maxReceiveCount":1}`)
				redrive("unwilling", `{"deadLetterTargetArn":"`+unwilling+`","maxReceiveCount":1}`)
				redrive("0 receives", `{"deadLetterTargetArn":"`+dead+`","maxReceiveCount":0}`)
				redrive("1001 receives", `{"deadLetterTargetArn":"`+dead+`","maxReceiveCount":1001}`)
				redrive("no JSON", `{`)
				redrive("1000 receives", `{"deadLetterTargetArn":"`+dead+`","maxReceiveCount":1000}`)
				redrive("a count in quotes", `{"deadLetterTargetArn":"`+dead+`","maxReceiveCount":"3"}`)
				redrive("none any more", "")
				p.see("%q", p.attribute(url, "RedrivePolicy"))
			},
			want: `
				allow: ok
				no queue: InvalidParameterValue
				another kind: InvalidParameterValue
				unwilling: InvalidParameterValue
				0 receives: InvalidParameterValue
				1001 receives: InvalidParameterValue
				no JSON: InvalidParameterValue
				1000 receives: ok
				a count in quotes: ok
				none any more: ok
				""`,
			differs: map[string]difference{moto: {"checks only that the queue is there", `
				allow: ok
				no queue: AWS.SimpleQueueService.NonExistentQueue
				another kind: ok
				unwilling: ok
				0 receives: ok
				1001 receives: ok
				no JSON: no answer
				1000 receives: ok
				a count in quotes: ok
				none any more: ok
				""`}},
		},
		{
			name: "attributes of FIFO queues are for FIFO queues, whose kind stays",
			page: "SetQueueAttributes",
			run: func(p *probe) {
				url, _ := p.queue("q")
				ordered, _ := p.queue("q.fifo")
				p.see("standard: %s %s", set(p, url, "ContentBasedDeduplication", "true"), set(p, url, "DeduplicationScope", "queue"))
				p.see("kind: %s %s", set(p, url, "FifoQueue", "true"), set(p, ordered, "FifoQueue", "false"))
				p.see("FIFO: %s", set(p, ordered, "ContentBasedDeduplication", "true"))
				p.see("limit by group, deduplication by queue: %s", set(p, ordered, "FifoThroughputLimit", "perMessageGroupId"))
				p.see("both by group: %s", set(p, ordered, "FifoThroughputLimit", "perMessageGroupId", "DeduplicationScope", "messageGroup"))
				p.see("perhaps: %s", set(p, ordered, "ContentBasedDeduplication", "perhaps"))
			},
			want: `
				standard: InvalidAttributeName InvalidAttributeName
				kind: InvalidAttributeName InvalidAttributeName
				FIFO: ok
				limit by group, deduplication by queue: InvalidAttributeValue
				both by group: ok
				perhaps: InvalidAttributeValue`,
			differs: map[string]difference{moto: {"checks none of it", `
				standard: ok ok
				kind: ok ok
				FIFO: ok
				limit by group, deduplication by queue: ok
				both by group: ok
				perhaps: ok`}},
		},
	})
}
