package dynamodb_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamsdk "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
	"github.com/tributary-dev/tributary/pkg/localaws/streams"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// tester is what helpers need of a test, be it testing's or rapid's.
type tester interface {
	Helper()
	Fatal(args ...any)
	Cleanup(func())
}

// clock is a clock that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// rig is a service behind the real SDK clients.
type rig struct {
	*sdk.Client
	streams *streamsdk.Client
	service *dynamodb.Service
	clock   *clock
	http    *http.Client
}

func newRig(t tester) *rig {
	t.Helper()
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	st := streams.New(streams.Config{Now: c.Now})
	r := &rig{service: dynamodb.New(dynamodb.Config{Now: c.Now, Streams: st}), clock: c}
	t.Cleanup(r.service.Close)
	r.http = &http.Client{Transport: transport{"DynamoDB_20120810": r.service, "DynamoDBStreams_20120810": st}}
	keys := credentials.NewStaticCredentialsProvider("id", "secret", "")
	r.Client = sdk.New(sdk.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://localaws.test"), Credentials: keys, HTTPClient: r.http, RetryMaxAttempts: 1})
	r.streams = streamsdk.New(streamsdk.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://localaws.test"), Credentials: keys, HTTPClient: r.http, RetryMaxAttempts: 1})
	return r
}

// transport answers AWS JSON 1.0 requests from services in this process.
type transport map[string]wire.JSONService

func (tr transport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	api, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	status := http.StatusOK
	answer, err := tr[api].Invoke(req.Context(), operation, body)
	if err != nil {
		var e *wire.Error
		if !errors.As(err, &e) {
			return nil, err
		}
		fields := map[string]any{"__type": "com.amazonaws.dynamodb.v20120810#" + e.Code, "message": e.Message}
		maps.Copy(fields, e.Fields)
		answer, status = fields, e.HTTPStatus()
	}
	encoded, err := json.Marshal(answer)
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: status,
		Header:     http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body:       io.NopCloser(bytes.NewReader(encoded)),
		Request:    req,
	}, nil
}

// post sends a request no SDK client would make and returns the error code
// and message it gets.
func (r *rig) post(t *testing.T, operation, body string) (code, message string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://localaws.test", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	resp, err := r.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil {
		t.Fatal(err)
	}
	_, code, _ = strings.Cut(e.Type, "#")
	return code, e.Message
}

// wantError checks an SDK call's error: its code and a part of its message.
func wantError(t *testing.T, err error, code, part string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %s: %s", err, code, part)
	}
	if e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), part) {
		t.Fatalf("got %s: %s, want %s: %s", e.ErrorCode(), e.ErrorMessage(), code, part)
	}
}

type item = map[string]types.AttributeValue

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }

func key(hash string, rng ...string) []types.KeySchemaElement {
	k := []types.KeySchemaElement{{AttributeName: &hash, KeyType: types.KeyTypeHash}}
	for i := range rng {
		k = append(k, types.KeySchemaElement{AttributeName: &rng[i], KeyType: types.KeyTypeRange})
	}
	return k
}

func defs(pairs ...string) []types.AttributeDefinition {
	var list []types.AttributeDefinition
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, types.AttributeDefinition{AttributeName: &pairs[i], AttributeType: types.ScalarAttributeType(pairs[i+1])})
	}
	return list
}

func project(kind types.ProjectionType, also ...string) *types.Projection {
	return &types.Projection{ProjectionType: kind, NonKeyAttributes: also}
}

// things is the table most tests use: key p and s, a global index by-g of g
// and l with everything, one by-h of h with keys only, a local index by-l of
// l with keys only, and a stream of both images.
func things(name string) *sdk.CreateTableInput {
	return &sdk.CreateTableInput{
		TableName:            &name,
		AttributeDefinitions: defs("p", "S", "s", "S", "g", "S", "h", "S", "l", "N"),
		KeySchema:            key("p", "s"),
		BillingMode:          types.BillingModePayPerRequest,
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: aws.String("by-g"), KeySchema: key("g", "l"), Projection: project(types.ProjectionTypeAll)},
			{IndexName: aws.String("by-h"), KeySchema: key("h"), Projection: project(types.ProjectionTypeKeysOnly)},
		},
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{
			{IndexName: aws.String("by-l"), KeySchema: key("p", "l"), Projection: project(types.ProjectionTypeKeysOnly)},
		},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages},
	}
}

func (r *rig) create(t tester, in *sdk.CreateTableInput) {
	t.Helper()
	if _, err := r.CreateTable(context.Background(), in); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) put(t tester, table string, it item) {
	t.Helper()
	if _, err := r.PutItem(context.Background(), &sdk.PutItemInput{TableName: &table, Item: it}); err != nil {
		t.Fatal(err)
	}
}
