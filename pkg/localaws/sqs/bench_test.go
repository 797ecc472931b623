package sqs_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	localsqs "github.com/tributary-dev/tributary/pkg/localaws/sqs"
)

// BenchmarkBacklog sends, receives and deletes one message on a queue that
// holds many others; a deeper backlog should cost hardly more.
func BenchmarkBacklog(b *testing.B) {
	for _, fifo := range []bool{false, true} {
		for _, backlog := range []int{100, 100_000} {
			b.Run(fmt.Sprintf("fifo=%v/backlog=%d", fifo, backlog), func(b *testing.B) {
				service := localsqs.New(localsqs.Config{Region: "r", AccountID: "a", Now: time.Now, MaxInFlight: 1 << 30})
				defer service.Close()
				name, extra := "q", ""
				if fifo {
					name, extra = "q.fifo", `,"Attributes":{"FifoQueue":"true"}`
				}
				invoke := func(operation, body string) any {
					answer, err := service.Invoke(b.Context(), operation, []byte(body))
					if err != nil {
						b.Fatal(err)
					}
					return answer
				}
				invoke("CreateQueue", `{"QueueName":"`+name+`"`+extra+`}`)
				sent := 0
				send := func() {
					sent++
					group := ""
					if fifo {
						group = fmt.Sprintf(`,"MessageGroupId":"g%d","MessageDeduplicationId":"%d"`, sent%1000, sent)
					}
					invoke("SendMessage", `{"QueueUrl":"http://x/a/`+name+`","MessageBody":"x"`+group+`}`)
				}
				for range backlog {
					send()
				}
				for b.Loop() {
					send()
					answer, err := json.Marshal(invoke("ReceiveMessage", `{"QueueUrl":"http://x/a/`+name+`"}`))
					if err != nil {
						b.Fatal(err)
					}
					var got struct{ Messages []delivery }
					if err := json.Unmarshal(answer, &got); err != nil || len(got.Messages) != 1 {
						b.Fatalf("%s: %v", answer, err)
					}
					invoke("DeleteMessage", `{"QueueUrl":"http://x/a/`+name+`","ReceiptHandle":"`+got.Messages[0].ReceiptHandle+`"}`)
				}
			})
		}
	}
}
