package localaws_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// endless is a body that never ends, and whose length nobody announced.
type endless struct {
	part string
	read int
}

func (e *endless) Read(into []byte) (int, error) {
	n := 0
	for n < len(into) {
		n += copy(into[n:], e.part)
	}
	e.read += n
	return n, nil
}

// ask sends a request as it is to the engine and returns the answer.
func ask(engine *localaws.Engine, target string, body io.Reader) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "http://localaws.test/", body)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	}
	w := httptest.NewRecorder()
	w.Body = bytes.NewBuffer(make([]byte, 0, 1<<20))
	engine.ServeHTTP(w, r)
	return w
}

// Whatever is sent, the engine refuses it with a short error of its service,
// and at the cost of a multiple of the body; one without an end is read to the
// limit and a little beyond, as its sender would not see the answer otherwise.
func TestAHostileRequestCostsBoundedMemory(t *testing.T) {
	const (
		dynamo  = "DynamoDB_20120810."
		queues  = "AmazonSQS."
		perByte = 160 // an element of two bytes becomes a value of about a hundred, and grows to it
		upTo    = 24 << 20
		answer  = 64 << 10 // beside what it quotes
	)
	many := func(head, part, tail string) string { return head + strings.Repeat(part, (1<<20)/len(part)) + tail }
	var parameters strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&parameters, "&MessageAttributes.entry.%d.Value.StringValue=x", i)
	}
	const form = "Action=Publish&Version=2010-03-31&TopicArn=arn:aws:sns:us-east-1:000000000000:t"
	for name, c := range map[string]struct {
		target string
		body   io.Reader
		length int
		status int
	}{
		"an endless item":              {dynamo + "PutItem", &endless{part: `{"TableName":`}, 0, 413},
		"an endless message":           {queues + "SendMessage", &endless{part: " "}, 0, 413},
		"an endless form":              {"", &endless{part: "a=b&"}, 0, 413},
		"ten MiB of a message":         {queues + "SendMessage", strings.NewReader(`{"MessageBody":"` + strings.Repeat("a", 10<<20) + `"}`), 10 << 20, 413},
		"ten MiB of an item":           {dynamo + "PutItem", strings.NewReader(`{"TableName":"items","Item":{"id":{"S":"` + strings.Repeat("a", 10<<20) + `"}}}`), 10 << 20, 400},
		"lists in lists":               {dynamo + "PutItem", strings.NewReader(many(`{"TableName":"items","Item":{"id":`, `{"L":[`, `}`)), 1 << 20, 400},
		"brackets":                     {dynamo + "PutItem", strings.NewReader(many(`{"TableName":`, `[`, ``)), 1 << 20, 400},
		"tiny elements":                {dynamo + "PutItem", strings.NewReader(many(`{"TableName":"items","Item":{"id":{"L":[`, `{"NULL":true},`, `{"NULL":true}]}}}`)), 1 << 20, 400},
		"tiny members":                 {dynamo + "PutItem", strings.NewReader(many(`{"TableName":"items","Item":{"id":{"SS":["a"`, `,""`, `]}}}`)), 1 << 20, 400},
		"the same attribute":           {dynamo + "PutItem", strings.NewReader(many(`{"TableName":"items","Item":{`, `"a":{"N":"1"},`, `"id":{"S":"1"}}}`)), 1 << 20, 400},
		"a long number":                {dynamo + "PutItem", strings.NewReader(many(`{"TableName":"items","Item":{"id":{"N":"`, `9`, `"}}}`)), 1 << 20, 400},
		"a huge exponent":              {dynamo + "PutItem", strings.NewReader(`{"TableName":"items","Item":{"id":{"N":"1e999999999"}}}`), 100, 400},
		"a long expression":            {dynamo + "UpdateItem", strings.NewReader(many(`{"TableName":"items","Key":{"id":{"S":"1"}},"UpdateExpression":"SET a=`, `(`, `"}`)), 1 << 20, 400},
		"statements":                   {dynamo + "BatchExecuteStatement", strings.NewReader(many(`{"Statements":[`, `{"Statement":"UPDATE"},`, `{"Statement":"x"}]}`)), 1 << 20, 400},
		"a long statement":             {dynamo + "BatchExecuteStatement", strings.NewReader(many(`{"Statements":[{"Statement":"UPDATE \"items\" SET a=`, `(`, `"}]}`)), 1 << 20, 400},
		"writes in a batch":            {dynamo + "BatchWriteItem", strings.NewReader(many(`{"RequestItems":{"items":[`, `{},`, `{}]}}`)), 1 << 20, 400},
		"gets in a transaction":        {dynamo + "TransactGetItems", strings.NewReader(many(`{"TransactItems":[`, `{},`, `{}]}`)), 1 << 20, 400},
		"the same parameter":           {queues + "SendMessage", strings.NewReader(many(`{`, `"MessageBody":"a",`, `"QueueUrl":"x"}`)), 1 << 20, 400},
		"unknown parameters":           {queues + "SendMessage", strings.NewReader(many(`{`, `"x":[[[]]],`, `"QueueUrl":"x"}`)), 1 << 20, 400},
		"a batch of a million entries": {queues + "SendMessageBatch", strings.NewReader(many(`{"QueueUrl":"http://x/000000000000/q","Entries":[`, `{},`, `{}]}`)), 1 << 20, 400},
		"an unknown long operation":    {queues + strings.Repeat("a", 60_000), strings.NewReader(`{}`), 60_000, 400},
		"a form of a million fields":   {"", strings.NewReader(many(form, `&a=b`, ``)), 1 << 20, 400},
		"a form of many attributes":    {"", strings.NewReader(form + parameters.String()), parameters.Len(), 400},
		"a form of one long field":     {"", strings.NewReader(many(form+"&Message=", `%41`, ``)), 1 << 20, 400},
		"a form of one long name":      {"", strings.NewReader(many(form+"&", `a`, `=b`)), 1 << 20, 400},
	} {
		t.Run(name, func(t *testing.T) {
			engine := localaws.New(localaws.Config{})
			defer engine.Close()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w := ask(engine, c.target, c.body)
			runtime.ReadMemStats(&after)
			used := after.TotalAlloc - before.TotalAlloc
			most := uint64(upTo + perByte*c.length)
			if e, ok := c.body.(*endless); ok {
				most = 192 << 20 // the largest body, as the buffer doubles; half of it without the race detector
				if e.read > 96<<20 {
					t.Errorf("%d bytes are read", e.read)
				}
			}
			if used > most {
				t.Errorf("%d bytes are allocated, more than %d", used, most)
			}
			if w.Code != c.status && (c.status != 400 || w.Code != 404) || w.Body.Len() > answer+c.length {
				t.Errorf("status %d with %d bytes, want %d: %.300s", w.Code, w.Body.Len(), c.status, w.Body)
			}
		})
	}
}
