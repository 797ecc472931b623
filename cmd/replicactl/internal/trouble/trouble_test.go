package trouble_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/rights"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/trouble"
)

func api(code string, fault smithy.ErrorFault) error {
	return fmt.Errorf("operation error: %w", &smithy.GenericAPIError{Code: code, Message: "said so", Fault: fault})
}

func TestWhatWasWrongWhereAndWhatToDo(t *testing.T) {
	onAWS := connect.New(aws.Config{Region: "eu-west-1"})
	elsewhere := connect.New(aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://127.0.0.1:4566")})
	unknownHost := &net.OpError{Op: "dial", Err: &net.DNSError{Name: "dynamodb.eu-wset-1.amazonaws.com", IsNotFound: true, Err: "no such host"}}
	for behaviour, row := range map[string]struct {
		clients connect.Clients
		err     error
		want    string
	}{
		"a denied call names its right": {onAWS, &rights.Denied{Need: rights.Need{Right: "dynamodb:Query"}, Said: "said so", Code: "AccessDeniedException"},
			"DynamoDB: you have no right to dynamodb:Query on table t: said so (AccessDeniedException); run it as somebody who has, or have the right added"},
		"what is not there names the Region": {onAWS, api("ResourceNotFoundException", smithy.FaultClient),
			"DynamoDB: table t does not exist in eu-west-1: said so (ResourceNotFoundException); if that is the Region and the account meant, apply the Terraform root that makes it (or replicactl bootstrap)"},
		"what is throttled says to wait": {onAWS, api("ProvisionedThroughputExceededException", smithy.FaultClient),
			"DynamoDB: calls on table t are throttled: said so (ProvisionedThroughputExceededException); wait a minute, then run it again"},
		"credentials that ran out say to log in": {onAWS, api("ExpiredTokenException", smithy.FaultClient),
			"DynamoDB: the credentials are not accepted: said so (ExpiredTokenException); log in again, or correct AWS_PROFILE or AWS_ACCESS_KEY_ID and what belongs to it"},
		"what failed at AWS says to try again": {onAWS, api("InternalServerError", smithy.FaultServer),
			"DynamoDB: a call on table t failed at AWS: said so (InternalServerError); run it again"},
		"another answer names what it is about": {onAWS, api("ValidationException", smithy.FaultClient), "DynamoDB: table t: said so (ValidationException)"},
		"a Region that is none": {onAWS, unknownHost,
			"DynamoDB: there is no host dynamodb.eu-wset-1.amazonaws.com, so that eu-west-1 is probably no Region: correct AWS_REGION or the profile's"},
		"a host of one's own is no Region's": {elsewhere, unknownHost,
			"DynamoDB does not answer at http://127.0.0.1:4566: lookup dynamodb.eu-wset-1.amazonaws.com: no such host; start it there, or correct AWS_ENDPOINT_URL"},
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
