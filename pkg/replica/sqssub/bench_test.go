package sqssub_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// What a message costs beside the SDK's own calls: each pair of lines makes the
// same requests. cpu-ns/msg is the whole process's time on all cores; with
// localaws it includes the engine, which is the same on both sides, and with the
// tape next to nothing but the consumer.
func BenchmarkConsume(b *testing.B) {
	for _, engine := range []struct {
		name string
		open func(b *testing.B) (client *sqs.Client, url string)
	}{
		{"tape", onTape},
		{"localaws", onLocalaws},
	} {
		for _, consumer := range []struct {
			name string
			run  func(b *testing.B, client *sqs.Client, url string)
		}{
			{"bareSDK", consumeBare},
			{"sqssub", consume},
		} {
			b.Run(engine.name+"/"+consumer.name, func(b *testing.B) {
				client, url := engine.open(b)
				if engine.name == "localaws" {
					fill(b, client, url, b.N)
				}
				b.ReportAllocs()
				runtime.GC()
				before := cpuTime(b)
				b.ResetTimer()
				consumer.run(b, client, url)
				b.StopTimer()
				b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/msg")
			})
		}
	}
}

// cpuTime returns the process's nanoseconds on all cores.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// loops is how many receive loops each side of the comparison has.
const loops = 4

// consumeBare is the least that can be done: receive ten, delete ten.
func consumeBare(b *testing.B, client *sqs.Client, url string) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for range loops {
		all.Go(func() {
			for left.Load() > 0 {
				out, err := client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &url,
					MaxNumberOfMessages: 10, VisibilityTimeout: 30, MessageAttributeNames: []string{"All"},
					MessageSystemAttributeNames: []types.MessageSystemAttributeName{"ApproximateReceiveCount", "SentTimestamp", "MessageGroupId"}})
				if err != nil {
					b.Error(err)
					return
				}
				if len(out.Messages) == 0 {
					continue
				}
				in := &sqs.DeleteMessageBatchInput{QueueUrl: &url}
				for i, m := range out.Messages {
					in.Entries = append(in.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
				}
				if _, err := client.DeleteMessageBatch(context.Background(), in); err != nil {
					b.Error(err)
					return
				}
				left.Add(-int64(len(out.Messages)))
			}
		})
	}
	all.Wait()
}

func consume(b *testing.B, client *sqs.Client, url string) {
	s, err := sqssub.New(client, sqssub.Config{Receivers: loops})
	if err != nil {
		b.Fatal(err)
	}
	messages, err := s.Subscribe(context.Background(), url)
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		(<-messages).Ack()
	}
	go func() {
		for msg := range messages {
			msg.Nack()
		}
	}()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

var benchmarkBody = `{"specversion":"1.0","id":"company.profile/320193@1763640000000000","source":"/services/profile","type":"company.profile.changed.v1",` +
	`"subject":"320193","time":"2026-11-20T12:00:00.000000Z","datacontenttype":"application/json","version":"1763640000000000","origin":"live",` +
	`"data":{"changed":["name"],"attributes":{"name":"Apple Inc.","sector":"Technology","tickers":["AAPL"],"exchange":"Nasdaq","address":"` + strings.Repeat("x", 200) + `"}}}`

func benchmarkAttributes() map[string]types.MessageAttributeValue {
	all := map[string]types.MessageAttributeValue{"changed": {DataType: aws.String("String.Array"), StringValue: aws.String(`["name"]`)}}
	for name, value := range map[string]string{"type": "company.profile.changed.v1", "operation": "upsert", "origin": "live", "audience": "all",
		"_watermill_message_uuid": "0f4a1b4e-8d0a-4a6e-9d0a-9a8e0f6c1f33"} {
		all[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
	}
	return all
}

func onLocalaws(b *testing.B) (*sqs.Client, string) {
	engine := localaws.New(localaws.Config{})
	b.Cleanup(engine.Close)
	client := sqs.NewFromConfig(localawstest.Config(engine))
	out, err := client.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("stats-profile")})
	if err != nil {
		b.Fatal(err)
	}
	return client, *out.QueueUrl
}

func fill(b *testing.B, client *sqs.Client, url string, n int) {
	b.Helper()
	attributes := benchmarkAttributes()
	for start := 0; start < n; start += 10 {
		in := &sqs.SendMessageBatchInput{QueueUrl: &url}
		for i := start; i < min(n, start+10); i++ {
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
				MessageBody: &benchmarkBody, MessageAttributes: attributes})
		}
		if _, err := client.SendMessageBatch(context.Background(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// onTape answers receives and deletes from memory with what localaws once
// answered, so that next to nothing but the consumer is measured.
func onTape(b *testing.B) (*sqs.Client, string) {
	client, url := onLocalaws(b)
	fill(b, client, url, 10)
	out, err := client.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"ApproximateReceiveCount", "SentTimestamp"}})
	if err != nil || len(out.Messages) != 10 {
		b.Fatal(err, len(out.Messages))
	}
	t := &tape{}
	for round := range 1000 { // ids recur, but only when long settled
		for i := range out.Messages {
			id := fmt.Sprintf("%08d-0000-0000-0000-%012d", round, i)
			out.Messages[i].MessageId, out.Messages[i].ReceiptHandle = &id, aws.String("handle/"+strings.Repeat(id, 5))
		}
		text, err := json.Marshal(map[string]any{"Messages": out.Messages})
		if err != nil {
			b.Fatal(err)
		}
		t.receives = append(t.receives, text)
	}
	for n := range 11 {
		var done []map[string]string
		for i := range n {
			done = append(done, map[string]string{"Id": strconv.Itoa(i)})
		}
		text, err := json.Marshal(map[string]any{"Successful": done})
		if err != nil {
			b.Fatal(err)
		}
		t.deletes = append(t.deletes, text)
	}
	return sqs.New(client.Options(), func(o *sqs.Options) { o.HTTPClient = &http.Client{Transport: t} }), url
}

type tape struct {
	receives, deletes [][]byte
	next              atomic.Uint64
}

func (t *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return nil, err
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".ReceiveMessage"):
		return reply(r, t.receives[t.next.Add(1)%uint64(len(t.receives))]), nil
	case strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DeleteMessageBatch"):
		return reply(r, t.deletes[bytes.Count(body, []byte(`"ReceiptHandle"`))]), nil
	default:
		return reply(r, []byte(`{}`)), nil
	}
}
