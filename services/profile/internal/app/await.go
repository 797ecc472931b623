package app

import (
	"context"
	"errors"
	"time"

	"github.com/aws/smithy-go"
)

// The delay between two looks at what the relay needs, which doubles.
const (
	firstLook = time.Second
	lastLook  = 10 * time.Second
)

const (
	// lookTimeout bounds one look: the SDK's HTTP client has no limit of its
	// own, and a peer that accepts a request and never answers would be waited
	// for without a word.
	lookTimeout = 20 * time.Second
	// lambdaLookTimeout leaves most of the ten seconds that Lambda gives a
	// function to start (AWS, "Understanding the Lambda execution environment
	// lifecycle").
	lambdaLookTimeout = 4 * time.Second
)

// await returns nil once nothing that the relay needs is known to lack, and at
// once with what no waiting mends. For as long as AWS cannot be asked it asks
// again, and tells note why, nil once it no longer waits. Where ctx ends first,
// the error is the context's.
func (n needs) await(ctx context.Context, note func(error)) error {
	waited := false
	for delay := firstLook; ; delay = min(2*delay, lastLook) {
		lacking, unseen := n.look(ctx, lookTimeout)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case lacking != nil:
			return lacking
		case unseen == nil:
			note(nil)
			if waited {
				n.logger.InfoContext(ctx, "AWS answers, and everything that is needed is there")
			}
			return nil
		}
		waited = true
		note(unseen)
		n.logger.WarnContext(ctx, "waiting for AWS: nothing is published until it answers", "retry", delay.String(), "error", unseen)
		timer := time.NewTimer(delay)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// denied reports whether a call failed for want of rights, by the codes that
// the three services use.
func denied(err error) bool {
	switch codeOf(err) {
	case "AccessDenied", "AccessDeniedException", "AuthorizationError", "AWS.SimpleQueueService.AccessDenied":
		return true
	}
	return false
}

// adviceOn says what to do about a refusal that no waiting mends, since it is
// the configuration's; nothing for any other error. The codes are those of AWS,
// "Common errors" of the SNS and SQS API references and "Error handling with
// DynamoDB".
func adviceOn(err error) string {
	switch codeOf(err) {
	case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidSecurity",
		"InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "IncompleteSignatureException",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"ExpiredToken", "ExpiredTokenException", "OptInRequired":
		return "AWS does not take the program's credentials: give it valid ones for this account and region, by AWS_PROFILE, AWS_ACCESS_KEY_ID and what goes with it, or a role"
	case "ValidationException", "ValidationError", "InvalidParameter", "InvalidParameterValue", "InvalidAddress":
		return "AWS takes no such name: mend TOPIC_ARN or RELAY_DLQ, or the manifest where they are not set"
	}
	return ""
}

func codeOf(err error) string {
	refusal, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return ""
	}
	return refusal.ErrorCode()
}
