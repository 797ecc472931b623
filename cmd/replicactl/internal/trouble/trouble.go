// Package trouble says of a call to AWS that failed what was wrong, on what, and
// what to do about it.
//
// It promises to name the right that is missing, the Region in which something
// does not exist, and whether waiting helps; the cause stays in the error's
// chain. It knows the errors that an operator can do something about, tells any
// other as the service did, and makes no call but for credentials.
package trouble

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/rights"
)

// told is an error in a person's words.
type told struct {
	text  string
	cause error
}

func (e *told) Error() string { return e.text }
func (e *told) Unwrap() error { return e.cause }

// The codes of what an operator can do something about ("Common error types" of
// each service's API reference; "Error handling with DynamoDB").
var (
	refused = []string{"ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId",
		"InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "RequestExpired", "SignatureDoesNotMatch", "UnrecognizedClientException"}
	absent = []string{"AWS.SimpleQueueService.NonExistentQueue", "NotFound", "NotFoundException", "QueueDoesNotExist", "ResourceNotFoundException"}
)

// Tell tells why a call of the service failed. on is what the call was about:
// "table companies", "queue stats-company-profile-v1". The right that is missing
// is only told of clients of rights.Told. A nil error, and the end of the
// caller's context, stay as they are.
func Tell(c connect.Clients, service connect.Service, on string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	tell := func(format string, args ...any) error {
		return &told{fmt.Sprintf("%s: ", service) + fmt.Sprintf(format, args...), err}
	}
	if denied := rights.In(err); denied != nil {
		return tell("you have no right to %s on %s: %s (%s); run it as somebody who has, or have the right added", denied.Right, on, denied.Said, denied.Code)
	}
	if host, unknown := errors.AsType[*net.DNSError](err); unknown && host.IsNotFound && c.Endpoint(service) == connect.OnAWS {
		return tell("there is no host %s, so that %s is probably no Region: correct AWS_REGION or the profile's", host.Name, c.Region)
	}
	api, answered := errors.AsType[smithy.APIError](err)
	if !answered {
		return c.Explain(service, err)
	}
	said := fmt.Sprintf("%s (%s)", api.ErrorMessage(), api.ErrorCode())
	switch code := api.ErrorCode(); {
	case slices.Contains(refused, code):
		return tell("the credentials are not accepted: %s; log in again, or correct AWS_PROFILE or AWS_ACCESS_KEY_ID and what belongs to it", said)
	case throttles(code):
		return tell("calls on %s are throttled: %s; wait a minute, then run it again", on, said)
	case slices.Contains(absent, code):
		return tell("%s does not exist in %s: %s; if that is the Region and the account meant, apply the Terraform root that makes it (or replicactl bootstrap)", on, c.Region, said)
	case api.ErrorFault() == smithy.FaultServer:
		return tell("a call on %s failed at AWS: %s; run it again", on, said)
	}
	return tell("%s: %s", on, said)
}

func throttles(code string) bool {
	_, known := awsretry.DefaultThrottleErrorCodes[code]
	return known
}

// Credentials returns an error that says what to do if there are none to be
// had. They are kept, so that the calls to come do not ask again.
func Credentials(ctx context.Context, c connect.Clients) error {
	provider := c.DynamoDB.Options().Credentials
	if provider == nil || aws.IsCredentialsProvider(provider, (*aws.AnonymousCredentials)(nil)) {
		return nil
	}
	_, err := provider.Retrieve(ctx)
	if err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return &told{fmt.Sprintf("AWS credentials: none were found, or they are not to be had: %v; log in (aws sso login), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, to anything for an endpoint of your own", err), err}
}
