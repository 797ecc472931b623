// Package trouble says of a call to AWS that failed what was wrong, on what, and
// what to do about it.
//
// It promises to name the right that is missing as policies name it ("Actions,
// resources, and condition keys", Service Authorization Reference), with what it
// is needed for where that was told; the Region in which something does not
// exist; and whether waiting helps. The cause stays in the error's chain. It knows
// the errors that an operator can do something about, tells any other as the
// service did, and makes no call but for credentials: AWS alone knows beforehand
// what it would deny.
package trouble

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	awsretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
)

// told is an error in a person's words.
type told struct {
	text  string
	cause error
}

func (e *told) Error() string { return e.text }
func (e *told) Unwrap() error { return e.cause }

// The codes of what an operator can do something about ("Common error types" of
// each service's API reference; "Error handling with DynamoDB"; "Error
// responses", Amazon S3 API Reference).
var (
	denials = []string{"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "NotAuthorized"}
	refused = []string{"ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken",
		"InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException", "RequestExpired", "SignatureDoesNotMatch", "UnrecognizedClientException"}
	absent = []string{"AWS.SimpleQueueService.NonExistentQueue", "NoSuchBucket", "NotFound", "NotFoundException", "QueueDoesNotExist", "ResourceNotFoundException"}
	abroad = []string{"AuthorizationHeaderMalformed", "PermanentRedirect"}
)

// Tell tells why a call of the service failed. on is what the call was about:
// "table companies", "queue stats-company-profile-v1". A right that is missing is
// named where the call was one of Watched clients. A nil error, and the end of the
// caller's context, stay as they are.
func Tell(c connect.Clients, service connect.Service, on string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	failed := call{cause: err}
	if made, ok := errors.AsType[*call](err); ok {
		failed = *made
	}
	failed.clients, failed.service, failed.on = c, service, on
	return &told{failed.Error(), err}
}

// Told tells every failed call of Watched clients that is in an error's chain, and
// leaves the words around them as they are. Telling twice changes nothing. A nil
// error, and the end of the caller's context, stay as they are.
func Told(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	text := err.Error()
	for operation, failed := range failures(err) {
		text = strings.Replace(text, operation.Error(), failed.Error(), 1)
	}
	if text == err.Error() {
		return err
	}
	return &told{text, err}
}

// Everywhere reports whether any other call would have failed as this one did:
// nothing answers, or nobody is let in.
func Everywhere(err error) bool {
	if _, none := errors.AsType[*noCredentials](err); none {
		return true
	}
	api, answered := errors.AsType[smithy.APIError](err)
	return !answered || slices.Contains(refused, api.ErrorCode())
}

// Error tells the call.
func (f *call) Error() string {
	if none, ok := errors.AsType[*noCredentials](f.cause); ok {
		return none.Error()
	}
	if api, answered := errors.AsType[smithy.APIError](f.cause); answered {
		return fmt.Sprintf("%s: %s", f.service, f.answered(api))
	}
	if unanswered, ok := errors.AsType[*smithyhttp.RequestSendError](f.cause); ok {
		return f.unanswered(unanswered.Err)
	}
	if network, ok := errors.AsType[*net.OpError](f.cause); ok {
		return f.unanswered(network)
	}
	return fmt.Sprintf("%s: %v", f.service, f.cause)
}

// answered tells what AWS said.
func (f *call) answered(api smithy.APIError) string {
	about, calls := f.on, "on "+f.on
	if f.on == "" {
		about, calls = "what "+f.operation+" is about", "of "+f.operation
	}
	said := answer(api)
	switch code := api.ErrorCode(); {
	case slices.Contains(denials, code) && f.operation != "":
		return fmt.Sprintf("you have no right to %s: %s; run it as somebody who has, or have the right added", f.right(), said)
	case slices.Contains(refused, code):
		return fmt.Sprintf("the credentials are not accepted: %s; log in again, or correct AWS_PROFILE or AWS_ACCESS_KEY_ID and what belongs to it", said)
	case throttles(code):
		return fmt.Sprintf("calls %s are throttled: %s; wait a minute", calls, said)
	case slices.Contains(absent, code):
		return fmt.Sprintf("%s %s: %s; %s", about, nowhere(f.clients), said, meant(f.clients, f.service))
	case f.service == connect.S3 && slices.Contains(abroad, code):
		return fmt.Sprintf("%s is not in %s: %s; correct AWS_REGION", about, f.clients.Region, said)
	case api.ErrorFault() == smithy.FaultServer:
		return fmt.Sprintf("a call %s failed at AWS: %s; wait a minute, it passes as a rule", calls, said)
	case f.on == "":
		return said
	}
	return f.on + ": " + said
}

// unanswered tells that nobody did.
func (f *call) unanswered(why error) string {
	at := f.clients.Endpoint(f.service)
	if host, unknown := errors.AsType[*net.DNSError](why); unknown && host.IsNotFound && at == connect.OnAWS {
		return fmt.Sprintf("%s: there is no host %s, so that %s is probably no Region: correct AWS_REGION or the profile's", f.service, host.Name, f.clients.Region)
	}
	if network, ok := errors.AsType[*net.OpError](why); ok {
		why = network.Err
	} else if sent, ok := errors.AsType[*url.Error](why); ok {
		why = sent.Err
	}
	if at == connect.OnAWS {
		return fmt.Sprintf("%s does not answer in %s: %v; see that this machine reaches AWS", f.service, f.clients.Region, why)
	}
	return fmt.Sprintf("%s does not answer at %s: %v; start it there, or correct AWS_ENDPOINT_URL", f.service, at, why)
}

// Absent tells of something that is known not to exist.
func Absent(c connect.Clients, service connect.Service, what string) string {
	return fmt.Sprintf("%s %s: %s", what, nowhere(c), meant(c, service))
}

func nowhere(c connect.Clients) string { return "does not exist in " + c.Region }

// meant is the advice where something is absent, which it is too in a Region or an
// account that was not meant.
func meant(c connect.Clients, service connect.Service) string {
	switch {
	case service == connect.S3:
		return "correct its name, AWS_REGION, or the profile whose account it is in"
	case c.Endpoint(service) == connect.OnAWS:
		return "if that is the Region and the account meant, " + Provide(c, service)
	}
	return Provide(c, service)
}

// Provide is the advice to make what a manifest declares.
func Provide(c connect.Clients, service connect.Service) string {
	if c.Endpoint(service) == connect.OnAWS {
		return "apply the Terraform root that makes it"
	}
	return "run replicactl bootstrap --apply"
}

// answer is what AWS said.
func answer(api smithy.APIError) string {
	if api.ErrorMessage() == "" {
		return api.ErrorCode()
	}
	return fmt.Sprintf("%s (%s)", api.ErrorMessage(), api.ErrorCode())
}

func throttles(code string) bool {
	_, known := awsretry.DefaultThrottleErrorCodes[code]
	return known
}
