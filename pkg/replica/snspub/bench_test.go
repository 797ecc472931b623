package snspub_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

// What a message costs beside the SDK's own calls: both lines make the same
// requests, ten messages each, against answers from memory; cpu-ns/msg is the
// whole process's time on all cores.
func BenchmarkPublish(b *testing.B) {
	const topic = "arn:aws:sns:us-east-1:000000000000:company-profile"
	client := sns.New(sns.Options{Region: "us-east-1", HTTPClient: &http.Client{Transport: tape{}},
		Credentials: credentials.NewStaticCredentialsProvider("localaws", "localaws", "")})
	messages := make([]*message.Message, 100)
	for i := range messages {
		messages[i] = message.NewMessage(fmt.Sprintf("0f4a1b4e-8d0a-4a6e-9d0a-%012d", i), []byte(strings.Repeat("x", 700)))
		messages[i].Metadata = message.Metadata{replica.MetadataChanged: `["name"]`, "type": "company.profile.changed.v1",
			"operation": "upsert", "origin": "live", "audience": "all"}
	}
	b.Run("bareSDK", func(b *testing.B) {
		measure(b, func(n int) {
			for start := 0; start < n; start += 10 {
				in := &sns.PublishBatchInput{TopicArn: aws.String(topic), PublishBatchRequestEntries: make([]types.PublishBatchRequestEntry, min(10, n-start))}
				for i := range in.PublishBatchRequestEntries {
					msg := messages[(start+i)%len(messages)]
					attributes := make(map[string]types.MessageAttributeValue, 6)
					for name, value := range msg.Metadata {
						attributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &value}
					}
					attributes["_watermill_message_uuid"] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &msg.UUID}
					in.PublishBatchRequestEntries[i] = types.PublishBatchRequestEntry{Id: aws.String(strconv.Itoa(i)),
						Message: aws.String(string(msg.Payload)), MessageAttributes: attributes}
				}
				if _, err := client.PublishBatch(context.Background(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
	b.Run("snspub", func(b *testing.B) {
		p, err := snspub.New(client, snspub.Config{LimitBytes: snspub.DefaultLimitBytes, MaxAttempts: 1})
		if err != nil {
			b.Fatal(err)
		}
		measure(b, func(n int) {
			for start := 0; start < n; start += len(messages) {
				if err := p.PublishContext(context.Background(), topic, messages[:min(len(messages), n-start)]...); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

func measure(b *testing.B, run func(n int)) {
	b.ReportAllocs()
	var before, after syscall.Rusage
	runtime.GC()
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	run(b.N)
	b.StopTimer()
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		b.Fatal(err)
	}
	cpu := func(u syscall.Rusage) int64 { return u.Utime.Nano() + u.Stime.Nano() }
	b.ReportMetric(float64(cpu(after)-cpu(before))/float64(b.N), "cpu-ns/msg")
}

// tape accepts every entry of a PublishBatch request.
type tape struct{}

func (tape) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	out.WriteString(`<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Failed/><Successful>`)
	for rest := string(body); ; {
		_, after, ok := strings.Cut(rest, ".Id=")
		if !ok {
			break
		}
		id, _, _ := strings.Cut(after, "&")
		out.WriteString(`<member><MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId><Id>` + id + `</Id></member>`)
		rest = after
	}
	out.WriteString(`</Successful></PublishBatchResult><ResponseMetadata><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishBatchResponse>`)
	return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"text/xml"}},
		Body: io.NopCloser(strings.NewReader(out.String())), ContentLength: int64(out.Len()), Request: r}, nil
}
