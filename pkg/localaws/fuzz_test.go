package localaws_test

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// FuzzServeHTTP sends what may be a request to an engine with a table, a queue
// and a topic. It is answered in its service's form, an error with a code and
// never as a fault of the engine, and what there was is still there.
func FuzzServeHTTP(f *testing.F) {
	const (
		media = "application/x-amz-json-1.0"
		form  = "application/x-www-form-urlencoded"
		topic = "arn:aws:sns:us-east-1:000000000000:t"
		queue = "http://localaws.test/000000000000/q"
	)
	f.Add("DynamoDB_20120810.PutItem", media, `{"TableName":"items","Item":{"id":{"S":"1"},"v":{"N":"1"}},"ConditionExpression":"attribute_not_exists(id)"}`)
	f.Add("DynamoDB_20120810.BatchExecuteStatement", media, `{"Statements":[{"Statement":"UPDATE \"items\" SET \"a\"=? WHERE \"id\"=?","Parameters":[{"S":"x"},{"S":"0"}]}]}`)
	f.Add("DynamoDBStreams_20120810.ListStreams", media, `{"TableName":"items"}`)
	f.Add("AmazonSQS.SendMessage", media, `{"QueueUrl":"`+queue+`","MessageBody":"x"}`)
	f.Add("", form, "Action=Publish&Version=2010-03-31&Message=m&TopicArn="+topic)
	setUp := []struct{ target, media, body string }{
		{"DynamoDB_20120810.CreateTable", media, `{"TableName":"items","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`},
		{"DynamoDB_20120810.PutItem", media, `{"TableName":"items","Item":{"id":{"S":"0"},"l":{"L":[{"N":"1"}]}}}`},
		{"AmazonSQS.CreateQueue", media, `{"QueueName":"q","Attributes":{"Policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}}"}}`},
		{"", form, "Action=CreateTopic&Version=2010-03-31&Name=t"},
		{"", form, "Action=Subscribe&Version=2010-03-31&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:000000000000:q&TopicArn=" + topic},
	}
	f.Fuzz(func(t *testing.T, target, media, body string) {
		if strings.Contains(body, "ait") {
			t.Skip("a receive with WaitTimeSeconds, or a queue whose receives wait")
		}
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		send := func(target, media, body string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(http.MethodPost, "http://localaws.test/", strings.NewReader(body))
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 x")
			r.Header.Set("Content-Type", media)
			if target != "" {
				r.Header.Set("X-Amz-Target", target)
			}
			w := httptest.NewRecorder()
			engine.ServeHTTP(w, r)
			return w
		}
		for _, call := range setUp {
			if w := send(call.target, call.media, call.body); w.Code != http.StatusOK {
				t.Fatalf("%s%.30s: %d %s", call.target, call.body, w.Code, w.Body)
			}
		}
		checkAnswer(t, send(target, media, body))
		checkAnswer(t, send(target, media, body)) // what it did the first time does not harm the second
		if read := send("DynamoDB_20120810.GetItem", "application/x-amz-json-1.0", `{"TableName":"items","Key":{"id":{"S":"0"}}}`); read.Code >= 500 {
			t.Fatalf("afterwards %d %s", read.Code, read.Body)
		}
	})
}

// checkAnswer checks the form of an answer.
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code >= 500 || w.Header().Get("x-amzn-RequestId") == "" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w.Header().Get("Content-Type") == "text/xml" {
		var document struct {
			XMLName xml.Name
			Code    string `xml:"Error>Code"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &document); err != nil || (w.Code != http.StatusOK) != (document.Code != "") {
			t.Fatalf("%d %s: %v", w.Code, w.Body, err)
		}
		return
	}
	var fields map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &fields); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if kind, _ := fields["__type"].(string); (w.Code != http.StatusOK) != (kind != "") || strings.HasSuffix(kind, "#") {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

// FuzzForm sends SNS's forms field by field, so that the fuzzer need not escape
// them.
func FuzzForm(f *testing.F) {
	f.Add("Publish", "MessageAttributes.entry.1.Name", "changed", "MessageAttributes.entry.1.Value.StringValue", `["name"]`)
	f.Add("SetSubscriptionAttributes", "AttributeName", "FilterPolicy", "AttributeValue", `{"changed":["name"]}`)
	f.Add("PublishBatch", "PublishBatchRequestEntries.member.1.Id", "1", "PublishBatchRequestEntries.member.1.Message", "m")
	f.Fuzz(func(t *testing.T, action, name, value, name2, value2 string) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		send := func(fields url.Values) *httptest.ResponseRecorder {
			fields.Set("Version", "2010-03-31")
			return ask(engine, "", strings.NewReader(fields.Encode()))
		}
		if w := send(url.Values{"Action": {"CreateTopic"}, "Name": {"t"}}); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		fields := url.Values{"Action": {action}, "Message": {"m"}, "TopicArn": {"arn:aws:sns:us-east-1:000000000000:t"}}
		for _, field := range [][2]string{{name, value}, {name2, value2}} {
			if field[1] == "" {
				fields.Del(field[0]) // so that a field can be taken away
				continue
			}
			fields.Set(field[0], field[1])
		}
		w := send(fields)
		checkAnswer(t, w)
		if w.Header().Get("Content-Type") != "text/xml" {
			t.Errorf("a form is answered as %s", w.Header().Get("Content-Type"))
		}
	})
}
