package wholebody_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
)

// messages is an answer to ReceiveMessage, in two parts.
var messages = [2]string{`{"Messages":[{"MessageId":"1","Body":"one"},`, `{"MessageId":"2","Body":"two"}]}`}

// answerApart sends the head of the answer and half of it when the request is
// there, and the rest later.
func answerApart(later time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		w.Header().Set("Content-Length", fmt.Sprint(len(messages[0])+len(messages[1])))
		_, _ = io.WriteString(w, messages[0])
		w.(http.Flusher).Flush()
		time.Sleep(later)
		_, _ = io.WriteString(w, messages[1])
	})
}

// A connection whose writes return a little later than their bytes arrive is
// what makes the race: the answer is there before net/http looks for the end of
// the body. Of the SDK alone this loses each answer; a version of it for which
// the first row fails no longer needs this package.
func TestAnAnswerThatIsFasterThanTheEndOfTheBody(t *testing.T) {
	const calls = 50
	for _, row := range []struct {
		behaviour   string
		wrap        func(aws.HTTPClient) aws.HTTPClient
		lost        int
		connections int64
	}{
		{"is lost by the SDK alone, with its connection", func(c aws.HTTPClient) aws.HTTPClient { return c }, calls, calls},
		{"arrives where the body is whole, all over one connection", wholebody.Client, 0, 1},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := serve(t, answerApart(10*time.Millisecond))
				n.lateness = time.Millisecond
				queues := sqs.New(sqs.Options{
					Region: "us-east-1", BaseEndpoint: aws.String("http://queues.test"), Credentials: keys,
					HTTPClient: row.wrap(n.client()), RetryMaxAttempts: 1,
				})
				lost := 0
				for range calls {
					answer, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String("http://queues.test/1/q")})
					switch {
					case err != nil:
						lost++
						if text := err.Error(); !strings.Contains(text, "closed") {
							t.Fatalf("lost for another reason: %v", err)
						}
					case len(answer.Messages) != 2:
						t.Fatalf("%d messages, want 2", len(answer.Messages))
					}
				}
				if lost != row.lost || n.dialled.Load() != row.connections {
					t.Errorf("%d of %d answers lost over %d connections, want %d over %d", lost, calls, n.dialled.Load(), row.lost, row.connections)
				}
			})
		})
	}
}

// Where the answer is whole before its head is read, the SDK alone gets it, but
// nothing more out of the connection.
func TestConnectionsStayOpen(t *testing.T) {
	const calls = 200
	for _, row := range []struct {
		behaviour   string
		wrap        func(aws.HTTPClient) aws.HTTPClient
		connections int64
		writes      int64
	}{
		{"the SDK alone opens one for each call, and writes twice", func(c aws.HTTPClient) aws.HTTPClient { return c }, calls, 2 * calls},
		{"whole bodies go over one, in one write each", wholebody.Client, 1, calls},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := serve(t, answerApart(0))
				n.lateness = time.Millisecond
				inner := row.wrap(n.client())
				queues := sqs.New(sqs.Options{
					Region: "us-east-1", BaseEndpoint: aws.String("http://queues.test"), Credentials: keys, HTTPClient: inner,
				})
				for range calls {
					if _, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String("http://queues.test/1/q")}); err != nil {
						t.Fatal(err)
					}
				}
				if n.dialled.Load() != row.connections || n.writes.Load() != row.writes {
					t.Errorf("%d connections and %d writes, want %d and %d", n.dialled.Load(), n.writes.Load(), row.connections, row.writes)
				}
			})
		})
	}
}
