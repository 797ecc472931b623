package trouble_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
)

func api(code string, fault smithy.ErrorFault) error {
	return fmt.Errorf("operation error: %w", &smithy.GenericAPIError{Code: code, Message: "said so", Fault: fault})
}

func TestWhatWasWrongWhereAndWhatToDo(t *testing.T) {
	onAWS := connect.New(aws.Config{Region: "eu-west-1"})
	elsewhere := connect.New(aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://127.0.0.1:4566")})
	unknownHost := &net.OpError{Op: "dial", Err: &net.DNSError{Name: "dynamodb.eu-wset-1.amazonaws.com", IsNotFound: true, Err: "no such host"}}
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	for behaviour, row := range map[string]struct {
		clients connect.Clients
		err     error
		want    string
	}{
		"what is not there names the Region": {onAWS, api("ResourceNotFoundException", smithy.FaultClient),
			"DynamoDB: table t does not exist in eu-west-1: said so (ResourceNotFoundException); if that is the Region and the account meant, apply the Terraform root that makes it"},
		"what is not there elsewhere names bootstrap": {elsewhere, api("ResourceNotFoundException", smithy.FaultClient),
			"DynamoDB: table t does not exist in eu-west-1: said so (ResourceNotFoundException); run replicactl bootstrap --apply"},
		"what is throttled says to wait": {onAWS, api("ProvisionedThroughputExceededException", smithy.FaultClient),
			"DynamoDB: calls on table t are throttled: said so (ProvisionedThroughputExceededException); wait a minute"},
		"credentials that ran out say to log in": {onAWS, api("ExpiredTokenException", smithy.FaultClient),
			"DynamoDB: the credentials are not accepted: said so (ExpiredTokenException); log in again, or correct AWS_PROFILE or AWS_ACCESS_KEY_ID and what belongs to it"},
		"what failed at AWS says to try again": {onAWS, api("InternalServerError", smithy.FaultServer),
			"DynamoDB: a call on table t failed at AWS: said so (InternalServerError); wait a minute, it passes as a rule"},
		"another answer names what it is about": {onAWS, api("ValidationException", smithy.FaultClient), "DynamoDB: table t: said so (ValidationException)"},
		"a Region that is none": {onAWS, unknownHost,
			"DynamoDB: there is no host dynamodb.eu-wset-1.amazonaws.com, so that eu-west-1 is probably no Region: correct AWS_REGION or the profile's"},
		"a host of one's own is no Region's": {elsewhere, unknownHost,
			"DynamoDB does not answer at http://127.0.0.1:4566: lookup dynamodb.eu-wset-1.amazonaws.com: no such host; start it there, or correct AWS_ENDPOINT_URL"},
		"a Region that does not answer": {onAWS, refused,
			"DynamoDB does not answer in eu-west-1: connection refused; see that this machine reaches AWS"},
		"an endpoint that is not there": {elsewhere, refused,
			"DynamoDB does not answer at http://127.0.0.1:4566: connection refused; start it there, or correct AWS_ENDPOINT_URL"},
		"a handshake that takes too long": {onAWS, &smithyhttp.RequestSendError{Err: &url.Error{Op: "Post", URL: "https://x", Err: errors.New("TLS handshake timeout")}},
			"DynamoDB does not answer in eu-west-1: TLS handshake timeout; see that this machine reaches AWS"},
		"anything else is told as it is": {onAWS, errors.New("odd"), "DynamoDB: odd"},
	} {
		t.Run(behaviour, func(t *testing.T) {
			got := trouble.Tell(row.clients, connect.DynamoDB, "table t", row.err)
			if got.Error() != row.want {
				t.Errorf("got  %v\nwant %s", got, row.want)
			}
			if !errors.Is(got, row.err) {
				t.Error("the cause is lost")
			}
		})
	}
	if got := trouble.Tell(onAWS, connect.SQS, "queue q", context.Canceled); got != context.Canceled {
		t.Errorf("an interruption became %v", got)
	}
	if trouble.Tell(onAWS, connect.SQS, "queue q", nil) != nil {
		t.Error("no error became one")
	}
}

func TestBucketsThatAreElsewhere(t *testing.T) {
	c := connect.New(aws.Config{Region: "eu-west-1"})
	for code, want := range map[string]string{
		"PermanentRedirect": "S3: bucket b is not in eu-west-1: said so (PermanentRedirect); correct AWS_REGION",
		"NoSuchBucket":      "S3: bucket b does not exist in eu-west-1: said so (NoSuchBucket); correct its name, AWS_REGION, or the profile whose account it is in",
	} {
		if got := trouble.Tell(c, connect.S3, "bucket b", api(code, smithy.FaultClient)); got.Error() != want {
			t.Errorf("got  %v\nwant %s", got, want)
		}
	}
}

func TestWhetherOtherCallsWouldFailToo(t *testing.T) {
	for behaviour, row := range map[string]struct {
		err  error
		want bool
	}{
		"nothing answers":           {&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true},
		"credentials that ran out":  {api("ExpiredTokenException", smithy.FaultClient), true},
		"one right that is missing": {api("AccessDeniedException", smithy.FaultClient), false},
		"a table that is not there": {api("ResourceNotFoundException", smithy.FaultClient), false},
	} {
		if got := trouble.Everywhere(row.err); got != row.want {
			t.Errorf("%s: %v", behaviour, got)
		}
	}
}

func TestCredentialsThatAreNotToBeHad(t *testing.T) {
	none := errors.New("no role found")
	clients := func(provider aws.CredentialsProvider) connect.Clients {
		return connect.New(aws.Config{Region: "eu-west-1", Credentials: provider})
	}
	failing := clients(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, none }))
	if err := trouble.Credentials(t.Context(), failing); !errors.Is(err, none) || err.Error() != "AWS credentials: none were found, or they are not to be had: no role found; log in (aws sso login), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, to anything for an endpoint of your own" {
		t.Errorf("got %v", err)
	}
	for name, provider := range map[string]aws.CredentialsProvider{
		"none are asked for": nil, "anonymous": aws.AnonymousCredentials{},
		"there are some": aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
		}),
	} {
		if err := trouble.Credentials(t.Context(), clients(provider)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
