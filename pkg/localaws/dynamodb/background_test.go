package dynamodb_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
)

func TestItSweepsByItselfUntilClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service := dynamodb.New(dynamodb.Config{TTLSweepEvery: time.Minute})
		invoke := func(operation, body string) any {
			t.Helper()
			out, err := service.Invoke(t.Context(), operation, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		invoke("CreateTable", `{"TableName":"things","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"p","AttributeType":"S"}],"KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]}`)
		invoke("UpdateTimeToLive", `{"TableName":"things","TimeToLiveSpecification":{"AttributeName":"e","Enabled":true}}`)
		// synctest's clock begins with the year 2000, 946684800.
		invoke("PutItem", `{"TableName":"things","Item":{"p":{"S":"a"},"e":{"N":"946684830"}}}`)
		time.Sleep(59 * time.Second)
		synctest.Wait()
		if n, err := service.SweepTTL(t.Context()); n != 1 || err != nil {
			t.Fatalf("before its minute is over the sweep had been by: %d, %v", n, err)
		}
		invoke("PutItem", `{"TableName":"things","Item":{"p":{"S":"a"},"e":{"N":"946684830"}}}`)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n, err := service.SweepTTL(t.Context()); n != 0 || err != nil {
			t.Fatalf("after its minute the sweep had left %d, %v", n, err)
		}
		service.Close() // synctest fails the test if anything still runs
	})
}
