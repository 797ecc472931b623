package connect_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
)

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
