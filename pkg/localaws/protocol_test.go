package localaws_test

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// What goes over the wire, beside what the SDK shows of it.
func TestAnswersOnTheWire(t *testing.T) {
	const (
		json = "application/x-amz-json-1.0"
		form = "application/x-www-form-urlencoded; charset=utf-8"
	)
	type headers = map[string]string
	target := func(operation string) headers {
		return headers{"X-Amz-Target": operation, "Content-Type": json, "Authorization": "AWS4-HMAC-SHA256 x"}
	}
	without := func(h headers, name string) headers { delete(h, name); return h }
	with := func(h headers, name, value string) headers { h[name] = value; return h }
	query := headers{"Content-Type": form, "Authorization": "AWS4-HMAC-SHA256 x"}
	for name, c := range map[string]struct {
		method, path, body string
		headers            headers
		status             int
		contains           []string
		queryError         string
	}{
		"an SQS answer": {body: `{"QueueName":"q"}`, headers: target("AmazonSQS.CreateQueue"), status: 200,
			contains: []string{`"QueueUrl":"http://localaws.test/000000000000/q"`}},
		"an SQS error": {body: `{"QueueName":"absent"}`, headers: target("AmazonSQS.GetQueueUrl"), status: 400,
			contains: []string{`"__type":"com.amazonaws.sqs#QueueDoesNotExist"`, `"message":"The specified queue does not exist."`}, queryError: "AWS.SimpleQueueService.NonExistentQueue;Sender"},
		"a parameter SQS does not know": {body: `{"Colour":"red"}`, headers: target("AmazonSQS.ListQueues"), status: 400,
			contains: []string{"#InvalidParameterValueException", "Colour"}, queryError: "InvalidParameterValue;Sender"},
		"a DynamoDB error": {body: `{"TableName":"absent"}`, headers: target("DynamoDB_20120810.DescribeTable"), status: 400,
			contains: []string{`"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"`}},
		"a DynamoDB validation error": {body: `{"TableName":"a"}`, headers: target("DynamoDB_20120810.DescribeTable"), status: 400,
			contains: []string{`"__type":"com.amazon`}},
		"a Streams answer": {body: `{}`, headers: target("DynamoDBStreams_20120810.ListStreams"), status: 200, contains: []string{`"Streams":[]`}},
		"an SNS error": {body: "Action=GetTopicAttributes&Version=2010-03-31&TopicArn=arn:aws:sns:us-east-1:000000000000:absent", headers: query, status: 404,
			contains: []string{`<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">`, "<Type>Sender</Type>", "<Code>NotFound</Code>", "<RequestId>"}},
		"an operation DynamoDB lacks": {body: `{}`, headers: target("DynamoDB_20120810.PaintItem"), status: 400,
			contains: []string{`com.amazon.coral.service#UnknownOperationException`, "DynamoDB_20120810.PaintItem"}},
		"a service there is none of": {body: `{}`, headers: target("Kinesis_20131202.PutRecord"), status: 400, contains: []string{"Kinesis_20131202"}},
		"SQS in the query protocol": {body: "Action=SendMessage&Version=2012-11-05", headers: query, status: 400,
			contains: []string{"JSON protocol for SQS", "SendMessage"}},
		"a form of another service": {body: "Action=GetCallerIdentity&Version=2011-06-15", headers: query, status: 400, contains: []string{"2011-06-15", "GetCallerIdentity"}},
		"SNS parameters in the URL": {path: "?Action=ListTopics&Version=2010-03-31", headers: query, status: 400, contains: []string{"URL"}},
		"DynamoDB unsigned": {body: `{}`, headers: without(target("DynamoDB_20120810.ListTables"), "Authorization"), status: 400,
			contains: []string{"com.amazon.coral.service#MissingAuthenticationTokenException"}},
		"SQS unsigned": {body: `{}`, headers: without(target("AmazonSQS.ListQueues"), "Authorization"), status: 403,
			contains: []string{"MissingAuthenticationToken"}, queryError: "MissingAuthenticationToken;Sender"},
		"SNS unsigned": {body: "Action=ListTopics&Version=2010-03-31", headers: headers{"Content-Type": form}, status: 403,
			contains: []string{"<Code>MissingAuthenticationToken</Code>"}},
		"another content type": {body: `{}`, headers: with(target("AmazonSQS.ListQueues"), "Content-Type", "application/cbor"), status: 400, contains: []string{"application/cbor"}, queryError: "SerializationException;Sender"},
		"a compressed request": {body: `{}`, headers: with(target("AmazonSQS.ListQueues"), "Content-Encoding", "gzip"), status: 400, contains: []string{"gzip"}, queryError: "SerializationException;Sender"},
		"no JSON at all":       {body: `{`, headers: target("AmazonSQS.ListQueues"), status: 400, contains: []string{"SerializationException"}, queryError: "SerializationException;Sender"},
		"a browser":            {method: "GET", headers: headers{}, status: 405, contains: []string{"POST"}},
		"an SQS body over the limit": {body: strings.Repeat(" ", 8<<20+1), headers: target("AmazonSQS.ListQueues"), status: 413,
			contains: []string{"RequestEntityTooLargeException"}, queryError: "RequestEntityTooLargeException;Sender"},
		"an SNS body over the limit": {body: "Action=Publish&Version=2010-03-31&Message=" + strings.Repeat("a", 8<<20), headers: query, status: 413,
			contains: []string{"<Code>RequestEntityTooLargeException</Code>"}},
		"a form that is none": {body: "Action=%zz", headers: query, status: 400, contains: []string{"<Code>MalformedQueryString</Code>"}},
		"a parameter of a million parts": {body: "Action=Publish&Version=2010-03-31&a" + strings.Repeat(".a", 1<<20), headers: query, status: 400,
			contains: []string{"<Code>InvalidParameter</Code>", "does not know the parameter a.a.a"}},
		"a parameter in another case": {body: `{"queueNamePrefix":"q"}`, headers: target("AmazonSQS.ListQueues"), status: 400,
			contains: []string{"#InvalidParameterValueException", "queueNamePrefix"}, queryError: "InvalidParameterValue;Sender"},
		"text that is not UTF-8": {body: "{\"QueueNamePrefix\":\"\xff\"}", headers: target("AmazonSQS.ListQueues"), status: 400,
			contains: []string{"SerializationException"}, queryError: "SerializationException;Sender"},
		"a DynamoDB body over the limit": {body: strings.Repeat(" ", 17<<20), headers: target("DynamoDB_20120810.ListTables"), status: 413,
			contains: []string{"RequestEntityTooLargeException"}},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, localaws.Config{}, func(cl *clients) {
				if c.method == "" {
					c.method = "POST"
				}
				response, body := cl.exchange(c.method, "/"+c.path, c.body, c.headers)
				if response.StatusCode != c.status {
					t.Errorf("status %d, want %d", response.StatusCode, c.status)
				}
				for _, part := range c.contains {
					if !strings.Contains(body, part) {
						t.Errorf("the answer lacks %q: %s", part, body)
					}
				}
				if got := response.Header.Get("x-amzn-query-error"); got != c.queryError {
					t.Errorf("query error %q, want %q", got, c.queryError)
				}
				if len(response.Header.Get("x-amzn-RequestId")) != 36 {
					t.Error("the answer has no request id")
				}
				if strings.HasPrefix(c.headers["X-Amz-Target"], "DynamoDB") {
					if got, want := response.Header.Get("X-Amz-Crc32"), fmt.Sprint(crc32.ChecksumIEEE([]byte(body))); got != want {
						t.Errorf("checksum %s, want %s", got, want)
					}
				}
			})
		})
	}
}

func TestControls(t *testing.T) {
	inBubble(t, localaws.Config{Region: "eu-west-1", AccountID: "123456789012"}, func(c *clients) {
		c.table("items")
		c.must(c.put("items", "1"))
		for _, step := range []struct {
			method, path string
			status       int
			contains     string
		}{
			{"GET", "health", 200, `{"account":"123456789012","region":"eu-west-1","status":"ok"}`},
			{"GET", "requests", 200, `{"dynamodb.CreateTable":1,"dynamodb.PutItem":1}`},
			{"DELETE", "requests", 204, ""},
			{"GET", "requests", 200, "{}"},
			{"POST", "tables/items/split-shards", 204, ""},
			{"POST", "tables/items/rotate-shards", 204, ""},
			{"POST", "tables/items/trim-stream", 204, ""},
			{"POST", "tables/absent/split-shards", 404, "absent"},
			{"POST", "sweep-ttl", 200, `{"deleted":0}`},
			{"GET", "sweep-ttl", 405, ""},
			{"GET", "nothing", 404, ""},
		} {
			response, body := c.exchange(step.method, "/_localaws/"+step.path, "", nil)
			if response.StatusCode != step.status || !strings.Contains(body, step.contains) {
				c.Errorf("%s %s: %d %s", step.method, step.path, response.StatusCode, body)
			}
		}
		if response, _ := c.exchange("GET", "/_localaws/health", "", map[string]string{"Origin": "https://example.com"}); response.StatusCode != 403 {
			c.Errorf("a page in a browser got %d", response.StatusCode)
		}
	})
}
