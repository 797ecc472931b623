package profiletest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
)

// Records returns everything in the stream of the companies' table, shard by
// shard, in the form in which Lambda delivers it: the wire form of GetRecords.
func (w *World) Records(t testing.TB) []events.DynamoDBEventRecord {
	t.Helper()
	table, err := w.Database.DescribeTable(context.Background(), &dynamodb.DescribeTableInput{TableName: aws.String(w.Publication.Table)})
	if err != nil {
		t.Fatal(err)
	}
	arn := aws.ToString(table.Table.LatestStreamArn)
	var stream struct {
		StreamDescription struct{ Shards []struct{ ShardId string } }
	}
	w.streams(t, "DescribeStream", map[string]any{"StreamArn": arn}, &stream)
	var all []events.DynamoDBEventRecord
	for _, shard := range stream.StreamDescription.Shards {
		var at struct{ ShardIterator string }
		w.streams(t, "GetShardIterator", map[string]any{"StreamArn": arn, "ShardId": shard.ShardId, "ShardIteratorType": "TRIM_HORIZON"}, &at)
		for iterator := at.ShardIterator; iterator != ""; {
			var page struct {
				Records           []events.DynamoDBEventRecord
				NextShardIterator string
			}
			w.streams(t, "GetRecords", map[string]any{"ShardIterator": iterator}, &page)
			if len(page.Records) == 0 {
				break
			}
			all = append(all, page.Records...)
			iterator = page.NextShardIterator
		}
	}
	return all
}

func (w *World) streams(t testing.TB, operation string, input map[string]any, output any) {
	t.Helper()
	body, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, localawstest.Endpoint, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810."+operation)
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=localaws/20240101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	response, err := w.AWS.HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %s %v", operation, response.Status, answer, err)
	}
	if err := json.Unmarshal(answer, output); err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
}
