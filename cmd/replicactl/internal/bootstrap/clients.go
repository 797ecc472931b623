package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

// Clients are the connections to the three services.
type Clients struct {
	Region   string
	DynamoDB *dynamodb.Client
	SNS      *sns.Client
	SQS      *sqs.Client
}

// NewClients connects as the configuration says, the SDK's variables for
// endpoints included.
func NewClients(cfg aws.Config) Clients {
	return Clients{Region: cfg.Region, DynamoDB: dynamodb.NewFromConfig(cfg), SNS: sns.NewFromConfig(cfg), SQS: sqs.NewFromConfig(cfg)}
}

// onAWS is what a service without an endpoint of its own is reached at.
const onAWS = "AWS"

func (c Clients) endpoints() map[string]string {
	return map[string]string{
		"dynamodb": endpoint(c.DynamoDB.Options().BaseEndpoint),
		"sns":      endpoint(c.SNS.Options().BaseEndpoint),
		"sqs":      endpoint(c.SQS.Options().BaseEndpoint),
	}
}

func endpoint(base *string) string {
	if base == nil {
		return onAWS
	}
	return *base
}

// callError is what became of a call, without the SDK's wrapping: a person
// reads it.
type callError struct {
	service  string
	endpoint string
	cause    error
}

func (e *callError) Error() string {
	var api smithy.APIError
	if errors.As(e.cause, &api) {
		return fmt.Sprintf("%s: %s (%s)", e.service, api.ErrorMessage(), api.ErrorCode())
	}
	var network *net.OpError
	if errors.As(e.cause, &network) {
		at := e.endpoint
		if at == onAWS {
			at = "its AWS endpoint"
		}
		return fmt.Sprintf("%s does not answer at %s: %v; start it there, or correct AWS_ENDPOINT_URL", e.service, at, network.Err)
	}
	return e.service + ": " + e.cause.Error()
}

func (e *callError) Unwrap() error { return e.cause }

func (c Clients) call(service string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	names := map[string]string{"dynamodb": "DynamoDB", "sns": "SNS", "sqs": "SQS"}
	return &callError{service: names[service], endpoint: c.endpoints()[service], cause: err}
}

func (c Clients) dynamoCall(err error) error { return c.call("dynamodb", err) }
func (c Clients) snsCall(err error) error    { return c.call("sns", err) }
func (c Clients) sqsCall(err error) error    { return c.call("sqs", err) }

// declines reports whether an endpoint that is not AWS does not know a value
// that AWS takes. On AWS such an error is one.
func declines(endpoint string, err error) bool {
	var api smithy.APIError
	if endpoint == onAWS || !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "InvalidAttributeValue", "InvalidAttributeName", "InvalidParameterValue", "InvalidParameter":
		return true
	}
	return false
}
