package wholebody_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
)

// Each attempt of the SDK sends the whole body, under a signature that is right
// for it.
func TestEveryAttemptIsWholeAndSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		n := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			bodies = append(bodies, string(body))
			if got, want := r.Header.Get("Authorization"), signature(t, r, body); got != want {
				t.Errorf("attempt %d is signed\n%s, want\n%s", len(bodies), got, want)
			}
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			if len(bodies) < 3 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			_, _ = io.WriteString(w, `{"MessageId":"1","MD5OfMessageBody":"900150983cd24fb0d6963f7d28e17f72"}`)
		}))
		queues := sqs.New(sqs.Options{
			Region: "us-east-1", BaseEndpoint: aws.String("http://queues.test"), Credentials: keys,
			HTTPClient: wholebody.Client(n.client()), RetryMaxAttempts: 3,
		})
		if _, err := queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String("http://queues.test/1/q"), MessageBody: aws.String("abc")}); err != nil {
			t.Fatal(err)
		}
		if len(bodies) != 3 || bodies[0] != bodies[1] || bodies[1] != bodies[2] || !strings.Contains(bodies[0], `"abc"`) {
			t.Errorf("attempts sent %q", bodies)
		}
		if n.dialled.Load() != 1 {
			t.Errorf("%d connections", n.dialled.Load())
		}
	})
}

// signature signs what arrived once more.
func signature(t *testing.T, r *http.Request, body []byte) string {
	t.Helper()
	_, list, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
	list, _, _ = strings.Cut(list, ",")
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := http.NewRequest(r.Method, "http://"+r.Host+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	again.ContentLength = r.ContentLength
	for name, values := range r.Header {
		if slices.Contains(strings.Split(list, ";"), strings.ToLower(name)) {
			again.Header[name] = values
		}
	}
	credentials, err := keys.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, again, hex.EncodeToString(hash[:]), "sqs", "us-east-1", at); err != nil {
		t.Fatal(err)
	}
	return again.Header.Get("Authorization")
}

// One option reaches the clients of all services, which have types of their own
// for it.
func TestTheOptionWrapsEachServicesClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := serve(t, answerApart(10*time.Millisecond))
		n.lateness = time.Millisecond
		cfg := aws.Config{
			Region: "us-east-1", BaseEndpoint: aws.String("http://queues.test"), Credentials: keys,
			HTTPClient:     n.client(),
			ServiceOptions: []func(string, any){wholebody.ServiceOption},
		}
		clients := map[string]any{
			"SQS":      sqs.NewFromConfig(cfg).Options().HTTPClient,
			"SNS":      sns.NewFromConfig(cfg).Options().HTTPClient,
			"DynamoDB": dynamodb.NewFromConfig(cfg).Options().HTTPClient,
			"Streams":  dynamodbstreams.NewFromConfig(cfg).Options().HTTPClient,
		}
		for service, client := range clients {
			if _, adjustable := client.(*awshttp.BuildableClient); adjustable {
				t.Errorf("%s has the SDK's client as it is", service)
			}
		}
		queues := sqs.NewFromConfig(cfg, func(o *sqs.Options) { o.RetryMaxAttempts = 1 })
		for range 3 {
			if _, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String("http://queues.test/1/q")}); err != nil {
				t.Fatal(err)
			}
		}
		if n.dialled.Load() != 1 {
			t.Errorf("%d connections", n.dialled.Load())
		}
	})
}

// AWS_DEFAULTS_MODE and a service's timeouts change only clients of the SDK's own
// type, which at that time it has to be still.
func TestTheOptionComesAfterTheSDKsOwnAdjustments(t *testing.T) {
	cfg := aws.Config{
		Region: "us-east-1", HTTPClient: awshttp.NewBuildableClient(), DefaultsMode: aws.DefaultsModeInRegion,
		ServiceOptions: []func(string, any){func(_ string, options any) {
			if timeout := options.(*sqs.Options).HTTPClient.(*awshttp.BuildableClient).GetTransport().TLSHandshakeTimeout; timeout != 1100*time.Millisecond {
				t.Errorf("the client has not been adjusted before the option: %s", timeout)
			}
		}},
	}
	_ = sqs.NewFromConfig(cfg)
}

func TestOptionsWithoutAClientStayAsTheyAre(t *testing.T) {
	type unrelated struct{ HTTPClient string }
	other := &unrelated{"as it was"}
	for _, options := range []any{nil, 1, *other, other, (*unrelated)(nil), &struct{ client *inner }{}} {
		wholebody.ServiceOption("Any", options)
	}
	if other.HTTPClient != "as it was" {
		t.Errorf("the client is %q", other.HTTPClient)
	}
	var none sqs.Options
	if wholebody.ServiceOption("SQS", &none); none.HTTPClient != nil {
		t.Errorf("no client became %T", none.HTTPClient)
	}
}
