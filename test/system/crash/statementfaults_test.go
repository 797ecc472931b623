package crash

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// What the proxy says of a statement has to be what DynamoDB would mean by it:
// a success was written, a throttled one was not, and one of which nobody knows
// was written here.
func TestSpoiltStatementsMeanWhatTheySay(t *testing.T) {
	engine := localaws.New(localaws.Config{})
	defer engine.Close()
	server := httptest.NewServer(engine)
	defer server.Close()
	h := newThrottle(strings.TrimPrefix(server.URL, "http://"), 1)
	proxy := httptest.NewServer(h)
	defer proxy.Close()
	given := credentials.NewStaticCredentialsProvider("local", "local", "")
	client := func(url string) *dynamodb.Client {
		return dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: aws.String(url), Credentials: given, Retryer: aws.NopRetryer{}})
	}
	const table = "table"
	direct, spoilt := client(server.URL), client(proxy.URL)
	if _, err := direct.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String(table), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}); err != nil {
		t.Fatal(err)
	}
	h.refuse(0.5, 0.6)
	said := map[string]int{}
	for n := range 12 {
		in := &dynamodb.BatchExecuteStatementInput{}
		for i := range 1 + 2*n {
			in.Statements = append(in.Statements, types.BatchStatementRequest{
				Statement:  aws.String(`INSERT INTO "table" VALUE {'id': ?}`),
				Parameters: []types.AttributeValue{&types.AttributeValueMemberS{Value: fmt.Sprint(n, "-", i)}},
			})
		}
		out, err := spoilt.BatchExecuteStatement(t.Context(), in)
		for attempt := 0; err != nil && attempt < 100; attempt++ {
			out, err = spoilt.BatchExecuteStatement(t.Context(), in)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Responses) != len(in.Statements) {
			t.Fatalf("%d answers to %d statements", len(out.Responses), len(in.Statements))
		}
		for i, response := range out.Responses {
			code := "none"
			if response.Error != nil {
				code = string(response.Error.Code)
			}
			said[code]++
			item, err := direct.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String(table), Key: map[string]types.AttributeValue{"id": in.Statements[i].Parameters[0]}})
			if err != nil {
				t.Fatal(err)
			}
			if written := len(item.Item) > 0; written == (code == "ThrottlingError") {
				t.Errorf("statement %d of %d was answered with %s, and written: %t", i, len(in.Statements), code, written)
			}
		}
	}
	counts := h.statementCounts()
	if len(said) != 3 || said["none"] < 10 || said["ThrottlingError"] < 10 || said["InternalServerError"] < 10 ||
		counts[throttled] != said["ThrottlingError"] || counts[answerLost] != said["InternalServerError"] {
		t.Errorf("answers %v, counted %v", said, counts)
	}
}
