package wholebody_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
)

// Over loopback the race is a real one. The SDK's own figures are for the log:
// they differ from run to run, and are higher where the server is a process of
// its own.
func TestNoAnswerIsLostOverLoopback(t *testing.T) {
	const loops, calls, each = 4, 500, 10
	answer := `{"Messages":[` + strings.TrimSuffix(strings.Repeat(fmt.Sprintf(`{"MessageId":"1","Body":%q},`, strings.Repeat("m", 1500)), each), ",") + `]}`
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, answer)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	// receive says how many answers were lost, and over how many connections.
	receive := func(client aws.HTTPClient) (lost, connections int64) {
		queues := sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Credentials: keys, HTTPClient: client, RetryMaxAttempts: 1})
		before := opened.Load()
		var failed atomic.Int64
		var receiving sync.WaitGroup
		for range loops {
			receiving.Go(func() {
				for range calls / loops {
					got, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(server.URL + "/1/q"), MaxNumberOfMessages: each})
					if err != nil {
						failed.Add(1)
						continue
					}
					if len(got.Messages) != each {
						t.Errorf("%d messages, want %d", len(got.Messages), each)
					}
				}
			})
		}
		receiving.Wait()
		return failed.Load(), opened.Load() - before
	}
	lost, connections := receive(awshttp.NewBuildableClient())
	t.Logf("the SDK alone: %d of %d answers lost, %d connections for %d loops", lost, calls, connections, loops)
	lost, connections = receive(wholebody.Client(awshttp.NewBuildableClient()))
	t.Logf("whole bodies: %d of %d answers lost, %d connections for %d loops", lost, calls, connections, loops)
	if lost > 0 {
		t.Errorf("%d of %d answers were lost", lost, calls)
	}
}
