package connect

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/aws/smithy-go"
)

// callError is what became of a call, without the SDK's wrapping: a person
// reads it.
type callError struct {
	service  Service
	endpoint string
	cause    error
}

func (e *callError) Error() string {
	var api smithy.APIError
	if errors.As(e.cause, &api) {
		return fmt.Sprintf("%s: %s (%s)", e.service, api.ErrorMessage(), api.ErrorCode())
	}
	var network *net.OpError
	if errors.As(e.cause, &network) {
		at := e.endpoint
		if at == OnAWS {
			at = "its AWS endpoint"
		}
		return fmt.Sprintf("%s does not answer at %s: %v; start it there, or correct AWS_ENDPOINT_URL", e.service, at, network.Err)
	}
	return fmt.Sprintf("%s: %v", e.service, e.cause)
}

func (e *callError) Unwrap() error { return e.cause }

// Explain tells a service's error in a person's words; the cause stays in its
// chain. A nil error, and the end of the caller's context, stay as they are.
func (c Clients) Explain(service Service, err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	return &callError{service: service, endpoint: c.Endpoint(service), cause: err}
}
