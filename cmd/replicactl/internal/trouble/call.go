package trouble

import (
	"context"
	"fmt"
	"iter"
	"reflect"
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

// call is one that failed.
type call struct {
	clients   connect.Clients
	service   connect.Service
	operation string // empty where it is not known
	on        string // "table companies"; empty where the call does not say
	purpose   string
	cause     error
}

// Unwrap returns what the SDK made of it.
func (f *call) Unwrap() error { return f.cause }

const watching = "TellTrouble"

// Watched returns clients of which Told tells the calls that fail, with what each
// of the needs is for. Clients that are watched already keep what they were told.
func Watched(c connect.Clients, needs ...Need) connect.Clients {
	told := c
	mark := func(stack *middleware.Stack) error {
		if _, already := stack.Initialize.Get(watching); already {
			return nil
		}
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc(watching, func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			if err != nil {
				err = failed(told, awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), in.Parameters, needs, err)
			}
			return out, metadata, err
		}), middleware.After)
	}
	c.DynamoDB = dynamodb.New(c.DynamoDB.Options(), dynamodb.WithAPIOptions(mark), func(o *dynamodb.Options) { o.Credentials = credentials(o.Credentials) })
	c.Streams = dynamodbstreams.New(c.Streams.Options(), dynamodbstreams.WithAPIOptions(mark), func(o *dynamodbstreams.Options) { o.Credentials = credentials(o.Credentials) })
	c.SNS = sns.New(c.SNS.Options(), sns.WithAPIOptions(mark), func(o *sns.Options) { o.Credentials = credentials(o.Credentials) })
	c.SQS = sqs.New(c.SQS.Options(), sqs.WithAPIOptions(mark), func(o *sqs.Options) { o.Credentials = credentials(o.Credentials) })
	c.S3 = s3.New(c.S3.Options(), s3.WithAPIOptions(mark), func(o *s3.Options) { o.Credentials = credentials(o.Credentials) })
	return c
}

func failed(c connect.Clients, service, operation string, in any, needs []Need, cause error) *call {
	kind, name := about(in)
	f := &call{clients: c, service: connect.Service(service), operation: operation, on: strings.TrimSpace(kind + " " + name), cause: cause}
	for _, need := range needs {
		if need.Right == f.action() && (need.On == "" || need.On == name) {
			f.purpose = need.For
			break
		}
	}
	return f
}

// failures are the calls in an error's chain, with the SDK's errors of them.
func failures(err error) iter.Seq2[*smithy.OperationError, *call] {
	return func(yield func(*smithy.OperationError, *call) bool) { walk(err, yield) }
}

func walk(err error, yield func(*smithy.OperationError, *call) bool) bool {
	switch e := err.(type) {
	case *smithy.OperationError:
		failed, watched := e.Err.(*call)
		return !watched || yield(e, failed)
	case interface{ Unwrap() error }:
		return walk(e.Unwrap(), yield)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			if !walk(one, yield) {
				return false
			}
		}
	}
	return true
}

// right is the right to make the call, on what and for what.
func (f *call) right() string {
	text := f.action()
	if f.on != "" {
		text += " on " + f.on
	}
	if f.purpose != "" {
		text += ", which is needed " + f.purpose
	}
	return text
}

// action is what allows the operation. Batches have that of their single calls at
// SNS and SQS, and S3 lists objects by that of their bucket ("Required permissions
// for Amazon S3 API operations").
func (f *call) action() string {
	prefix := map[connect.Service]string{connect.DynamoDB: "dynamodb", connect.Streams: "dynamodb", connect.SNS: "sns", connect.SQS: "sqs", connect.S3: "s3"}[f.service]
	operation := f.operation
	switch f.service {
	case connect.SNS, connect.SQS:
		operation = strings.TrimSuffix(operation, "Batch")
	case connect.S3:
		if operation == "ListObjectsV2" {
			operation = "ListBucket"
		}
	}
	return prefix + ":" + operation
}

// about is what a call is about: each input has it in one of a few fields.
func about(in any) (kind, name string) {
	input := reflect.Indirect(reflect.ValueOf(in))
	if input.Kind() != reflect.Struct {
		return "", ""
	}
	text := func(field string) string {
		value := input.FieldByName(field)
		if !value.IsValid() {
			return ""
		}
		pointer, _ := value.Interface().(*string)
		return aws.ToString(pointer)
	}
	for _, names := range [][2]string{{"TableName", "table"}, {"QueueName", "queue"}, {"Bucket", "bucket"}} {
		if name := text(names[0]); name != "" {
			if index := text("IndexName"); index != "" {
				return fmt.Sprintf("index %s of table", index), name
			}
			return names[1], name
		}
	}
	// arn:aws:sns:region:account:topic:id
	if _, after, ok := strings.Cut(text("SubscriptionArn"), ":sns:"); ok {
		if parts := strings.Split(after, ":"); len(parts) == 4 {
			return "a subscription of topic", parts[2]
		}
	}
	if topic := text("TopicArn"); topic != "" { // arn:aws:sns:region:account:name
		return "topic", topic[strings.LastIndexByte(topic, ':')+1:]
	}
	if queue := text("QueueUrl"); queue != "" { // https://sqs.region.amazonaws.com/account/name
		return "queue", queue[strings.LastIndexByte(queue, '/')+1:]
	}
	if stream := text("StreamArn"); stream != "" { // arn:aws:dynamodb:region:account:table/name/stream/label
		if parts := strings.Split(stream, "/"); len(parts) > 1 {
			return "the stream of table", parts[1]
		}
	}
	if batch := input.FieldByName("RequestItems"); batch.Kind() == reflect.Map && batch.Len() == 1 {
		return "table", batch.MapKeys()[0].String()
	}
	return "", ""
}
