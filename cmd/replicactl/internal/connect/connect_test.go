package connect_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
)

func TestErrorsAreToldInAPersonsWords(t *testing.T) {
	elsewhere := connect.New(aws.Config{Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:4566")})
	onAWS := connect.New(aws.Config{Region: "us-east-1"})
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized"}
	for _, row := range []struct {
		behaviour string
		got       error
		want      string
	}{
		{"an answer of AWS is its message and code", onAWS.Explain(connect.SQS, denied), "SQS: not authorized (AccessDenied)"},
		{"an endpoint that is not there is named", elsewhere.Explain(connect.Streams, refused),
			"DynamoDB Streams does not answer at http://127.0.0.1:4566: connection refused; start it there, or correct AWS_ENDPOINT_URL"},
		{"AWS's own endpoint has no name", onAWS.Explain(connect.SNS, refused), "SNS does not answer at its AWS endpoint: connection refused; start it there, or correct AWS_ENDPOINT_URL"},
		{"anything else is told as it is", onAWS.Explain(connect.DynamoDB, errors.New("odd")), "DynamoDB: odd"},
	} {
		if row.got.Error() != row.want {
			t.Errorf("%s: %v", row.behaviour, row.got)
		}
	}
	if err := onAWS.Explain(connect.SQS, denied); !errors.Is(err, denied) {
		t.Error("the cause is lost")
	}
	if err := onAWS.Explain(connect.SQS, context.Canceled); err != context.Canceled {
		t.Errorf("an interruption became %v", err)
	}
	if onAWS.Explain(connect.SQS, nil) != nil {
		t.Error("no error became one")
	}
}

func TestEveryServiceKnowsItsEndpoint(t *testing.T) {
	clients := connect.New(aws.Config{Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:4566")})
	for _, service := range []connect.Service{connect.DynamoDB, connect.Streams, connect.SNS, connect.SQS, connect.S3} {
		if got := clients.Endpoint(service); got != "http://127.0.0.1:4566" {
			t.Errorf("%s is at %s", service, got)
		}
		if got := connect.New(aws.Config{Region: "us-east-1"}).Endpoint(service); got != connect.OnAWS {
			t.Errorf("%s is at %s", service, got)
		}
	}
}

func TestWithoutARegionNothingIsOpened(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nowhere")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	if _, err := connect.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "set AWS_REGION") {
		t.Errorf("got %v", err)
	}
}
