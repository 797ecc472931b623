package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/logging"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
)

// Clients are the connections to the services.
type Clients struct {
	Region   string
	DynamoDB *dynamodb.Client
	Streams  *dynamodbstreams.Client
	SNS      *sns.Client
	SQS      *sqs.Client
	S3       *s3.Client
}

// Open reads the SDK's own configuration and makes the clients. What the SDK
// would log is dropped: errors are returned, and the rest (a checksum that an
// engine other than AWS gets wrong, a line for every call) is not for an
// operator's terminal.
func Open(ctx context.Context) (Clients, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}), config.WithServiceOptions(wholebody.ServiceOption))
	if err != nil {
		return Clients{}, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return Clients{}, errors.New("AWS configuration: there is no region; set AWS_REGION, to any region's name for an endpoint of your own")
	}
	return New(cfg), nil
}

// New makes the clients as the configuration says, its endpoints included.
func New(cfg aws.Config) Clients {
	return Clients{
		Region:   cfg.Region,
		DynamoDB: dynamodb.NewFromConfig(cfg),
		Streams:  dynamodbstreams.NewFromConfig(cfg),
		SNS:      sns.NewFromConfig(cfg),
		SQS:      sqs.NewFromConfig(cfg),
		// Buckets have host names of their own at AWS; a name below an endpoint of
		// one's own need not resolve.
		S3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil }),
	}
}

// Service is one of AWS's services, by the name that people give it.
type Service string

// The services.
const (
	DynamoDB Service = "DynamoDB"
	Streams  Service = "DynamoDB Streams"
	SNS      Service = "SNS"
	SQS      Service = "SQS"
	S3       Service = "S3"
)

// OnAWS is what a service without an endpoint of its own is reached at.
const OnAWS = "AWS"

// Endpoint returns where a service is reached: an URL, or OnAWS.
func (c Clients) Endpoint(service Service) string {
	var base *string
	switch service {
	case DynamoDB:
		base = c.DynamoDB.Options().BaseEndpoint
	case Streams:
		base = c.Streams.Options().BaseEndpoint
	case SNS:
		base = c.SNS.Options().BaseEndpoint
	case SQS:
		base = c.SQS.Options().BaseEndpoint
	case S3:
		base = c.S3.Options().BaseEndpoint
	}
	if base == nil {
		return OnAWS
	}
	return *base
}
