package localaws_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
)

func TestListenRefusesWhatIsNotLoopback(t *testing.T) {
	for addr, reason := range map[string]string{
		"0.0.0.0:0":       "loopback addresses only",
		":0":              "loopback addresses only",
		"[::]:0":          "loopback addresses only",
		"192.0.2.1:0":     "loopback addresses only",
		"[2001:db8::1]:0": "loopback addresses only",
		"127.0.0.1":       "host:port",
	} {
		listener, err := localaws.Listen(t.Context(), addr)
		if err == nil {
			t.Errorf("%q: listens on %s", addr, listener.Addr())
			listener.Close()
			continue
		}
		if !strings.Contains(err.Error(), reason) || !strings.HasPrefix(err.Error(), "listen on ") {
			t.Errorf("%q: %v, want %q", addr, err, reason)
		}
	}
}

func TestListenNamesABusyPort(t *testing.T) {
	first, err := localaws.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	_, port, err := net.SplitHostPort(first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = localaws.Listen(t.Context(), "localhost:"+port)
	if err == nil || !strings.Contains(err.Error(), "port "+port+" is in use") {
		t.Errorf("%v", err)
	}
}

type publicListener struct{ net.Listener }

func (publicListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 80} }

func TestServeRefusesAPublicListener(t *testing.T) {
	listener, err := localaws.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	engine := localaws.New(localaws.Config{})
	defer engine.Close()
	if err := engine.Serve(t.Context(), publicListener{listener}); err == nil || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("%v", err)
	}
}

// Clients open connections ahead of need and stall within requests. None of
// that keeps Serve from ending in time and without an error.
func TestServeEndsWithConnectionsThatSayNothing(t *testing.T) {
	for name, said := range map[string]string{
		"nothing":        "",
		"half a header":  "POST / HTTP/1.1\r\nHost: localaws",
		"half a request": "POST / HTTP/1.1\r\nHost: localaws\r\nContent-Length: 100\r\nX-Amz-Target: AmazonSQS.ListQueues\r\nContent-Type: application/x-amz-json-1.0\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			listener, err := localaws.Listen(ctx, "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			engine := localaws.New(localaws.Config{})
			defer engine.Close()
			served := make(chan error, 1)
			go func() { served <- engine.Serve(ctx, listener) }()
			silent, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
			if _, err := silent.Write([]byte(said)); err != nil {
				t.Fatal(err)
			}
			// Connections are accepted in order: once a later one is answered,
			// the silent one is there.
			response, err := http.Get("http://" + listener.Addr().String() + "/_localaws/health")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			start := time.Now()
			stop()
			if err := <-served; err != nil {
				t.Errorf("Serve ended with %v", err)
			}
			if elapsed := time.Since(start); elapsed > 3*time.Second {
				t.Errorf("stopping took %s", elapsed)
			}
		})
	}
}

// The real SDK over a real connection: an answer, a dropped connection, and a
// long poll that the end of Serve cuts short.
func TestServe(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	listener, err := localaws.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	engine := localaws.New(localaws.Config{})
	defer engine.Close()
	served := make(chan error, 1)
	go func() { served <- engine.Serve(ctx, listener) }()

	network := &http.Transport{}
	defer network.CloseIdleConnections()
	cfg := localawstest.Config(engine)
	cfg.HTTPClient = &http.Client{Transport: network}
	cfg.BaseEndpoint = aws.String("http://" + listener.Addr().String())
	client := sqs.NewFromConfig(cfg)
	queue, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
	if err != nil {
		t.Fatal(err)
	}
	if want := *cfg.BaseEndpoint + "/000000000000/q"; *queue.QueueUrl != want {
		t.Errorf("queue URL %s, want %s", *queue.QueueUrl, want)
	}
	once := func(o *sqs.Options) { o.RetryMaxAttempts = 1 }
	engine.SetFaults(func(localaws.Call) localaws.Fault { return localaws.Fault{Drop: localaws.DropResponse} })
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("x")}, once); err == nil || codeOf(err) != err.Error() {
		t.Errorf("a dropped connection: %v", err)
	}
	polling := make(chan struct{}, 1)
	engine.SetFaults(func(call localaws.Call) localaws.Fault {
		if call.Sequence == 2 {
			polling <- struct{}{}
		}
		return localaws.Fault{}
	})
	got, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl}, once)
	if err != nil || len(got.Messages) != 1 {
		t.Errorf("after the dropped response: %v", err)
	}
	polled := make(chan error, 1)
	go func() {
		_, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl, WaitTimeSeconds: 20}, once)
		polled <- err
	}()
	<-polling
	start := time.Now()
	stop()
	if err := errors.Join(<-served); err != nil {
		t.Errorf("Serve ended with %v", err)
	}
	<-polled
	if elapsed := time.Since(start); elapsed > 5*time.Second {
		t.Errorf("stopping took %s", elapsed)
	}
}
