package trouble

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
)

// noCredentials is that there are none to sign a call with, at its beginning or,
// since they run out, in the middle of a run.
type noCredentials struct{ cause error }

// Error names the right where it is one that is missing: it is STS's or the
// identity centre's, and none of the service that was called.
func (e *noCredentials) Error() string {
	operation, called := errors.AsType[*smithy.OperationError](e.cause)
	api, answered := errors.AsType[smithy.APIError](e.cause)
	if !called || !answered {
		return fmt.Sprintf("AWS credentials: none were found, or they are not to be had: %v; log in (aws sso login), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, to anything for an endpoint of your own", e.cause)
	}
	if code := api.ErrorCode(); slices.Contains(denials, code) || code == "ForbiddenException" { // GetRoleCredentials' of IAM Identity Center
		return fmt.Sprintf("AWS credentials: you have no right to %s:%s: %s; correct AWS_PROFILE, or its role, or have that role trust you",
			strings.ToLower(operation.ServiceID), operation.OperationName, answer(api))
	}
	return fmt.Sprintf("AWS credentials: %s %s: %s; log in again (aws sso login), or correct AWS_PROFILE", operation.ServiceID, operation.OperationName, answer(api))
}

func (e *noCredentials) Unwrap() error { return e.cause }

// marked marks what keeps credentials from being had: by the error of a call
// alone one cannot tell who denied what.
type marked struct{ aws.CredentialsProvider }

func (m *marked) Retrieve(ctx context.Context) (aws.Credentials, error) {
	credentials, err := m.CredentialsProvider.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &noCredentials{err}
	}
	return credentials, err
}

// credentials returns a provider whose errors are marked; those who are nobody
// stay nobody.
func credentials(provider aws.CredentialsProvider) aws.CredentialsProvider {
	if _, is := provider.(*marked); is || provider == nil || aws.IsCredentialsProvider(provider, (*aws.AnonymousCredentials)(nil)) {
		return provider
	}
	return &marked{provider}
}

// Credentials returns an error that says what to do if there are none to be
// had. They are kept, so that the calls to come do not ask again.
func Credentials(ctx context.Context, c connect.Clients) error {
	provider := credentials(c.DynamoDB.Options().Credentials)
	if _, somebody := provider.(*marked); !somebody {
		return nil
	}
	_, err := provider.Retrieve(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
