package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
)

// BenchmarkUpdateItem is a replica's version-conditioned upsert on a table
// with an index and a stream, request decoding included.
func BenchmarkUpdateItem(b *testing.B) {
	service := dynamodb.New(dynamodb.Config{})
	defer service.Close()
	invoke := func(operation, body string) {
		if _, err := service.Invoke(b.Context(), operation, []byte(body)); err != nil {
			b.Fatal(err)
		}
	}
	invoke("CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"},{"AttributeName":"g","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
		"GlobalSecondaryIndexes":[{"IndexName":"by-g","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}],
		"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}`)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		invoke("UpdateItem", fmt.Sprintf(`{"TableName":"things","Key":{"p":{"S":"item-%d"}},
			"UpdateExpression":"SET #n = :n, #s = :s, g = :s, #v = :v REMOVE deleted, expiresAt",
			"ConditionExpression":"attribute_not_exists(#v) OR #v < :v",
			"ExpressionAttributeNames":{"#n":"name","#s":"sector","#v":"version"},
			"ExpressionAttributeValues":{":n":{"S":"Name %d"},":s":{"S":"sector %d"},":v":{"N":"%d"}},
			"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`, i%1000, i, i%7, i+1))
	}
}

// BenchmarkBatchExecuteStatement is 25 version-conditioned updates in one call,
// request decoding included.
func BenchmarkBatchExecuteStatement(b *testing.B) {
	service := dynamodb.New(dynamodb.Config{})
	defer service.Close()
	invoke := func(operation, body string) {
		if _, err := service.Invoke(b.Context(), operation, []byte(body)); err != nil {
			b.Fatal(err)
		}
	}
	invoke("CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
		"AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}`)
	for i := range 1000 {
		invoke("PutItem", fmt.Sprintf(`{"TableName":"things","Item":{"p":{"S":"item-%d"}}}`, i))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		var statements []string
		for k := range 25 {
			statements = append(statements, fmt.Sprintf(`{"Statement":"UPDATE \"things\" SET \"name\"=? SET \"v\"=? REMOVE \"deleted\" WHERE \"p\"=? AND (\"v\" IS MISSING OR \"v\" < ?)",
				"Parameters":[{"S":"Name %d"},{"N":"%d"},{"S":"item-%d"},{"N":"%d"}],"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`, i, i+1, (i*25+k)%1000, i+1))
		}
		invoke("BatchExecuteStatement", `{"Statements":[`+strings.Join(statements, ",")+`]}`)
	}
}
