package sqs_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	localsqs "github.com/tributary-dev/tributary/pkg/localaws/sqs"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Whatever a request's body is, the service answers it with JSON or with an
// error that AWS could have sent, and never with a panic.
func FuzzInvoke(f *testing.F) {
	const queue = `"QueueUrl":"http://x/a/q"`
	f.Add("SendMessage", `{`+queue+`,"MessageBody":"x","MessageAttributes":{"n":{"DataType":"Number","StringValue":"1"}}}`)
	f.Add("SendMessageBatch", `{`+queue+`,"Entries":[{"Id":"1","MessageBody":"x"}]}`)
	f.Add("ReceiveMessage", `{`+queue+`,"MaxNumberOfMessages":10,"MessageAttributeNames":["n.*"],"AttributeNames":["All"]}`)
	f.Add("DeleteMessage", `{`+queue+`,"ReceiptHandle":"AAAA"}`)
	f.Add("ChangeMessageVisibilityBatch", `{`+queue+`,"Entries":[{"Id":"1","ReceiptHandle":"x","VisibilityTimeout":1}]}`)
	f.Add("SetQueueAttributes", `{`+queue+`,"Attributes":{"Policy":"{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}]}"}}`)
	f.Add("SetQueueAttributes", `{`+queue+`,"Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:r:a:q\",\"maxReceiveCount\":1}"}}`)
	f.Add("ListQueues", `{"NextToken":"cQ","MaxResults":1}`)
	f.Add("StartMessageMoveTask", `{"SourceArn":"arn:aws:sqs:r:a:q"}`)
	f.Fuzz(func(t *testing.T, operation, body string) {
		var request struct{ WaitTimeSeconds json.Number }
		if json.Unmarshal([]byte(body), &request) == nil && request.WaitTimeSeconds != "" {
			t.Skip("would wait")
		}
		now := time.Unix(1_700_000_000, 0)
		service := localsqs.New(localsqs.Config{Region: "r", AccountID: "a", Now: func() time.Time { return now }})
		defer service.Close()
		for _, call := range [][2]string{
			{"CreateQueue", `{"QueueName":"q"}`},
			{"SendMessage", `{` + queue + `,"MessageBody":"x"}`},
			{operation, body},
			{operation, body},
			{"ReceiveMessage", `{` + queue + `}`},
		} {
			answer, err := service.Invoke(t.Context(), call[0], []byte(call[1]))
			var refused *wire.Error
			if err != nil && (!errors.As(err, &refused) || refused.Code == "" || refused.HTTPStatus() >= 500) {
				t.Fatalf("%s: %v", call[0], err)
			}
			if _, err := json.Marshal(answer); err != nil {
				t.Fatalf("%s: answer does not marshal: %v", call[0], err)
			}
		}
	})
}
