package trouble_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
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
		run(t.Context(), trouble.Watched(connect.New(localawstest.Config(engine)),
			trouble.Need{Right: "dynamodb:GetItem", On: "places", For: "to see how far a run is"},
			trouble.Need{Right: "dynamodb:GetItem", On: "canaries", For: "to see the canary"},
			trouble.Need{Right: "sns:Publish", For: "to send changes"}))
	})
}

func TestADeniedCallNamesTheRightItsObjectAndItsPurpose(t *testing.T) {
	denying(t, "AccessDeniedException", func(ctx context.Context, c connect.Clients) {
		for want, call := range map[string]func() error{
			"no right to dynamodb:GetItem on table places, which is needed to see how far a run is: no (AccessDeniedException)": func() error {
				_, err := c.DynamoDB.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("places"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}}})
				return err
			},
			"no right to dynamodb:GetItem on table canaries, which is needed to see the canary: no": func() error {
				_, err := c.DynamoDB.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("canaries"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}}})
				return err
			},
			"no right to dynamodb:Scan on table companies: no": func() error {
				_, err := c.DynamoDB.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("companies")})
				return err
			},
			"no right to dynamodb:ListStreams on table companies: no": func() error {
				_, err := c.Streams.ListStreams(ctx, &dynamodbstreams.ListStreamsInput{TableName: aws.String("companies")})
				return err
			},
			"no right to sqs:GetQueueAttributes on queue stats: no": func() error {
				_, err := c.SQS.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: aws.String(localawstest.Endpoint + "/000000000000/stats")})
				return err
			},
		} {
			wantTold(t, call(), want)
		}
	})
	denying(t, "AuthorizationError", func(ctx context.Context, c connect.Clients) {
		_, err := c.SNS.PublishBatch(ctx, &sns.PublishBatchInput{TopicArn: aws.String("arn:aws:sns:us-east-1:000000000000:changes"),
			PublishBatchRequestEntries: []snstypes.PublishBatchRequestEntry{{Id: aws.String("1"), Message: aws.String("x")}}})
		wantTold(t, err, "SNS: you have no right to sns:Publish on topic changes, which is needed to send changes: no (AuthorizationError)")
		if _, kept := errors.AsType[*snstypes.AuthorizationErrorException](err); !kept {
			t.Errorf("the service's error is not in the chain of %v", err)
		}
	})
}

func wantTold(t *testing.T, err error, want string) {
	t.Helper()
	got := trouble.Told(err)
	if got == nil || !strings.Contains(got.Error(), want) || strings.Contains(got.Error(), "operation error") {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if !errors.Is(got, err) {
		t.Error("the cause is lost")
	}
}

type answer func(*http.Request) (*http.Response, error)

func (a answer) Do(r *http.Request) (*http.Response, error) { return a(r) }

func TestADeniedBucketIsNamed(t *testing.T) {
	cfg := aws.Config{Region: "us-east-1", Credentials: aws.AnonymousCredentials{}, HTTPClient: answer(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Request: r,
			Body: io.NopCloser(strings.NewReader("<Error><Code>AccessDenied</Code><Message>no</Message></Error>"))}, nil
	})}
	c := trouble.Watched(connect.New(cfg), trouble.Need{Right: "s3:ListBucket", On: "failures", For: "to find the letters"})
	_, listing := c.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("failures")})
	_, reading := c.S3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("failures"), Key: aws.String("a")})
	for want, err := range map[string]error{
		"no right to s3:ListBucket on bucket failures, which is needed to find the letters: no (AccessDenied)": listing,
		"no right to s3:GetObject on bucket failures: no (AccessDenied)":                                       reading,
	} {
		wantTold(t, err, want)
	}
}

// What is around a call's error stays, each of several calls is told, and what is
// told already is not told twice.
func TestTheWordsAroundAFailedCallStay(t *testing.T) {
	denying(t, "ResourceNotFoundException", func(ctx context.Context, c connect.Clients) {
		_, scan := c.DynamoDB.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("companies")})
		_, query := c.DynamoDB.Query(ctx, &dynamodb.QueryInput{TableName: aws.String("watchlists"), IndexName: aws.String("by-cik")})
		const absent = " does not exist in us-east-1: no (ResourceNotFoundException); run replicactl bootstrap --apply"
		got := trouble.Told(fmt.Errorf("backfill: %w; run it again", errors.Join(fmt.Errorf("segment 1: %w", scan), query)))
		if want := "backfill: segment 1: DynamoDB: table companies" + absent + "\nDynamoDB: index by-cik of table watchlists" + absent + "; run it again"; got.Error() != want {
			t.Errorf("got  %v\nwant %s", got, want)
		}
		if again := trouble.Told(got); again != got {
			t.Errorf("told twice: %v", again)
		}
		if got := trouble.Tell(c, connect.DynamoDB, "the copies", scan); got.Error() != "DynamoDB: the copies"+absent {
			t.Errorf("got %v", got)
		}
		if odd := errors.New("odd"); trouble.Told(odd) != odd {
			t.Error("an error of nobody's call is told")
		}
	})
	if trouble.Told(nil) != nil || trouble.Told(context.Canceled) != context.Canceled {
		t.Error("no error, or an interruption, became one")
	}
}

// Clients may be watched by a verb and by what it calls; the purposes stay.
func TestWatchingTwiceKeepsWhatTheNeedsAreFor(t *testing.T) {
	denying(t, "AccessDeniedException", func(ctx context.Context, c connect.Clients) {
		_, err := trouble.Watched(c).DynamoDB.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("places"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}}})
		wantTold(t, err, "which is needed to see how far a run is")
	})
}

// The credentials of a role are had by a call of another service: what that one
// denies is no right of the call that they are for.
func TestARoleThatMayNotBeTakenIsNoRightOfTheCall(t *testing.T) {
	for behaviour, row := range map[string]struct {
		err  error
		want string
	}{
		"a role": {&smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: api("AccessDenied", smithy.FaultClient)},
			"AWS credentials: you have no right to sts:AssumeRole: said so (AccessDenied); correct AWS_PROFILE, or its role, or have that role trust you"},
		"a session that is over": {&smithy.OperationError{ServiceID: "SSO", OperationName: "GetRoleCredentials", Err: api("UnauthorizedException", smithy.FaultClient)},
			"AWS credentials: SSO GetRoleCredentials: said so (UnauthorizedException); log in again (aws sso login), or correct AWS_PROFILE"},
		"nothing at all": {errors.New("no profile"), "AWS credentials: none were found, or they are not to be had: no profile; log in (aws sso login), "},
	} {
		t.Run(behaviour, func(t *testing.T) {
			c := trouble.Watched(connect.New(aws.Config{Region: "us-east-1", Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, row.err
			}), HTTPClient: answer(func(*http.Request) (*http.Response, error) { return nil, errors.New("signed without credentials") })}))
			_, get := c.DynamoDB.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("places"), Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}}})
			_, list := c.S3.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("failures")})
			for _, err := range []error{get, list, trouble.Tell(c, connect.DynamoDB, "table places", get), trouble.Credentials(t.Context(), c)} {
				wantTold(t, err, row.want)
				if strings.Contains(trouble.Told(err).Error(), "dynamodb:") || !trouble.Everywhere(err) {
					t.Errorf("blamed on the call: %v", trouble.Told(err))
				}
			}
		})
	}
}
