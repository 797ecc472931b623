package rights_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/rights"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// denying answers every call with an error code.
func denying(t *testing.T, code string, run func(context.Context, connect.Clients)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		engine.SetFaults(func(localaws.Call) localaws.Fault {
			return localaws.Fault{Error: &wire.Error{Code: code, Message: "no", Status: http.StatusForbidden}}
		})
		run(t.Context(), rights.Told(connect.New(localawstest.Config(engine)),
			rights.Need{Right: "dynamodb:GetItem", On: "places", For: "to see how far a run is"},
			rights.Need{Right: "dynamodb:GetItem", On: "canaries", For: "to see the canary"},
			rights.Need{Right: "sns:Publish", For: "to send changes"}))
	})
}

func TestADeniedCallNamesTheRightItsObjectAndItsPurpose(t *testing.T) {
	denying(t, "AccessDeniedException", func(ctx context.Context, c connect.Clients) {
		for want, call := range map[string]func() error{
			"no right to dynamodb:GetItem on places, which is needed to see how far a run is: no (AccessDeniedException)": func() error {
				_, err := c.DynamoDB.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("places"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}}})
				return err
			},
			"no right to dynamodb:GetItem on canaries, which is needed to see the canary: no": func() error {
				_, err := c.DynamoDB.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("canaries"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}}})
				return err
			},
			"no right to dynamodb:Scan on companies: no": func() error {
				_, err := c.DynamoDB.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("companies")})
				return err
			},
			"no right to dynamodb:ListStreams on companies: no": func() error {
				_, err := c.Streams.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: aws.String("companies")})
				return err
			},
			"no right to sqs:GetQueueAttributes on stats: no": func() error {
				_, err := c.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(localawstest.Endpoint + "/000000000000/stats")})
				return err
			},
		} {
			err := call()
			if rights.In(err) == nil || !strings.Contains(rights.In(err).Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
	})
	denying(t, "AuthorizationError", func(ctx context.Context, c connect.Clients) {
		_, err := c.SNS.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: aws.String("arn:aws:sns:us-east-1:000000000000:changes"),
			PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{{Id: aws.String("1"), Message: aws.String("x")}}})
		denied := rights.In(err)
		if denied == nil || denied.Right != "sns:Publish" || denied.On != "changes" || denied.For != "to send changes" {
			t.Errorf("got %v", err)
		}
		if _, kept := errors.AsType[*snstypes.AuthorizationErrorException](err); !kept {
			t.Errorf("the service's error is not in the chain of %v", err)
		}
	})
}

type answer func(*http.Request) (*http.Response, error)

func (a answer) Do(r *http.Request) (*http.Response, error) { return a(r) }

func TestADeniedBucketIsNamed(t *testing.T) {
	cfg := aws.Config{Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: answer(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Request: r,
			Body: io.NopCloser(strings.NewReader("<Error><Code>AccessDenied</Code><Message>no</Message></Error>"))}, nil
	})}
	c := rights.Told(connect.New(cfg), rights.Need{Right: "s3:ListBucket", On: "failures", For: "to find the letters"})
	_, listing := c.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("failures")})
	_, reading := c.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("failures"), Key: aws.String("a")})
	for want, err := range map[string]error{
		"no right to s3:ListBucket on failures, which is needed to find the letters: no (AccessDenied)": listing,
		"no right to s3:GetObject on failures: no (AccessDenied)":                                       reading,
	} {
		if rights.In(err) == nil || !strings.Contains(rights.In(err).Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestOtherErrorsStayAsTheyAre(t *testing.T) {
	denying(t, "ResourceNotFoundException", func(ctx context.Context, c connect.Clients) {
		_, err := c.DynamoDB.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("companies")})
		if _, kept := errors.AsType[*types.ResourceNotFoundException](err); !kept || rights.In(err) != nil {
			t.Errorf("got %v", err)
		}
	})
	if rights.In(nil) != nil {
		t.Error("nothing was denied")
	}
}
