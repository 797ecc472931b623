package dynamo_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
)

// cut is a connection that ends in the middle of an answer.
type cut struct{}

func (cut) Do(*http.Request) (*http.Response, error) {
	body := io.MultiReader(strings.NewReader(`{"Item": {"ci`), iotest.ErrReader(io.ErrUnexpectedEOF)) // as net/http has it
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body)}, nil
}

// The SDK does not try again where an answer is cut, and whoever asked may.
func TestAnAnswerThatIsCutIsUnavailableForNow(t *testing.T) {
	client := dynamodb.New(dynamodb.Options{Region: "us-east-1", HTTPClient: cut{}, Credentials: aws.AnonymousCredentials{}})
	if _, err := dynamo.New(dynamo.Config{Client: client}).Company(t.Context(), "7"); !errors.Is(err, company.ErrUnavailable) {
		t.Error(err)
	}
}
