// Package rights says which of an operator's rights is missing, and what it is
// needed for.
//
// It promises that a call which AWS denies gives a *Denied that names the right
// as policies name it ("Actions, resources, and condition keys", Service
// Authorization Reference), the table, topic, queue or bucket, and the purpose
// where that was told. It checks nothing beforehand: AWS alone knows.
package rights

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
)

// Need is a right that a verb needs.
type Need struct {
	// Right is the action as policies name it: dynamodb:Scan.
	Right string
	// On is the name of the table, topic, queue or bucket; empty for any.
	On string
	// For is what it is needed for: "to read the items".
	For string
}

// Denied is a call that AWS denies.
type Denied struct {
	Need
	// Said is AWS's own text, and Code its error code.
	Said, Code string
	cause      error
}

func (e *Denied) Error() string {
	text := "you have no right to " + e.Right
	if e.On != "" {
		text += " on " + e.On
	}
	if e.For != "" {
		text += ", which is needed " + e.For
	}
	return fmt.Sprintf("%s: %s (%s)", text, e.Said, e.Code)
}

// Unwrap returns what the SDK made of it.
func (e *Denied) Unwrap() error { return e.cause }

// In returns the denied call in an error's chain; nil for none.
func In(err error) *Denied {
	denied, _ := errors.AsType[*Denied](err)
	return denied
}

// Told returns clients whose denied calls of DynamoDB, its streams, SNS, SQS and
// S3 give a *Denied, with what each right is needed for.
func Told(c connect.Clients, needs ...Need) connect.Clients {
	name := func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("TellRights", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			return out, metadata, tell(err, awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), in.Parameters, needs)
		}), middleware.After)
	}
	c.DynamoDB = dynamodb.New(c.DynamoDB.Options(), dynamodb.WithAPIOptions(name))
	c.Streams = dynamodbstreams.New(c.Streams.Options(), dynamodbstreams.WithAPIOptions(name))
	c.SNS = sns.New(c.SNS.Options(), sns.WithAPIOptions(name))
	c.SQS = sqs.New(c.SQS.Options(), sqs.WithAPIOptions(name))
	c.S3 = s3.New(c.S3.Options(), s3.WithAPIOptions(name))
	return c
}

// denials are the codes by which the services deny a call ("Common errors" of
// each service's API reference).
var denials = []string{"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "NotAuthorized"}

func tell(err error, service, operation string, in any, needs []Need) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || !slices.Contains(denials, api.ErrorCode()) {
		return err
	}
	denied := &Denied{Need: Need{Right: right(service, operation), On: on(in)}, Said: api.ErrorMessage(), Code: api.ErrorCode(), cause: err}
	for _, need := range needs {
		if need.Right == denied.Right && (need.On == "" || need.On == denied.On) {
			denied.For = need.For
			break
		}
	}
	return denied
}

// right is the action that allows an operation. Batches have that of their
// single calls at SNS and SQS, and S3 lists objects by that of their bucket
// ("Required permissions for Amazon S3 API operations").
func right(service, operation string) string {
	prefix := map[string]string{"DynamoDB": "dynamodb", "DynamoDB Streams": "dynamodb", "SNS": "sns", "SQS": "sqs", "S3": "s3"}[service]
	if prefix == "s3" && operation == "ListObjectsV2" {
		operation = "ListBucket"
	}
	if prefix == "sns" || prefix == "sqs" {
		operation = strings.TrimSuffix(operation, "Batch")
	}
	return prefix + ":" + operation
}

// on is the name of what a call is about: each input has it in one of a few
// fields.
func on(in any) string {
	input := reflect.Indirect(reflect.ValueOf(in))
	if input.Kind() != reflect.Struct {
		return ""
	}
	for _, field := range []string{"TableName", "TopicArn", "SubscriptionArn", "QueueName", "QueueUrl", "StreamArn", "Bucket"} {
		value := input.FieldByName(field)
		if !value.IsValid() {
			continue
		}
		text, ok := value.Interface().(*string)
		if !ok || aws.ToString(text) == "" {
			continue
		}
		switch field {
		case "TopicArn": // arn:aws:sns:region:account:name
			return (*text)[strings.LastIndexByte(*text, ':')+1:]
		case "QueueUrl": // https://sqs.region.amazonaws.com/account/name
			return (*text)[strings.LastIndexByte(*text, '/')+1:]
		}
		return *text
	}
	return ""
}
