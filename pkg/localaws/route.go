package localaws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Request body limits. DynamoDB takes 16 MiB a request ("BatchWriteItem", API
// reference); a message of 1 MiB grows at most sixfold when JSON escapes it
// and threefold when a form does.
const (
	maxDynamoDBBodyBytes  = 16<<20 + 64<<10
	maxMessagingBodyBytes = 8 << 20

	// maxTrustedBytes is how much memory a Content-Length alone reserves, and
	// maxDrainedBytes how much of a body that is too long is read to its end.
	maxTrustedBytes = 1 << 20
	maxDrainedBytes = 64 << 20
)

// jsonTargets are the X-Amz-Target prefixes of the JSON services.
var jsonTargets = map[string]Service{
	"DynamoDB_20120810":        DynamoDB,
	"DynamoDBStreams_20120810": Streams,
	"AmazonSQS":                SQS,
}

const (
	snsVersion  = "2010-03-31"
	contentForm = "application/x-www-form-urlencoded"
)

// ServeHTTP answers one AWS request, or one to the engine's own controls below
// /_localaws/.
func (e *Engine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, controlPath) {
		e.control.ServeHTTP(w, r)
		return
	}
	requestID := e.random.newID()
	call, form, err := e.read(r)
	call.RequestID = requestID
	if err != nil {
		e.answer(w, call, failure(call.Service, err))
		return
	}
	call.Sequence = e.requests.add(Operation{call.Service, call.Operation})
	ctx := wire.WithEndpoint(r.Context(), endpoint(r))

	var fault Fault
	if faults := e.faults.Load(); faults != nil {
		fault = (*faults)(call)
	}
	if fault.Statement != nil {
		ctx = dynamodb.WithStatementFaults(ctx, fault.Statement)
	}
	if e.pause(ctx, e.cfg.Latency+fault.DelayBefore) != nil || fault.Drop == DropRequest {
		panic(http.ErrAbortHandler)
	}
	var reply reply
	switch {
	case fault.Error != nil:
		reply = failure(call.Service, fault.Error)
	case r.Header.Get("Authorization") == "":
		reply = failure(call.Service, missingToken(call.Service))
	default:
		reply = e.run(ctx, call, form)
	}
	if ctx.Err() != nil || e.pause(ctx, fault.DelayAfter) != nil || fault.Drop == DropResponse {
		panic(http.ErrAbortHandler)
	}
	e.answer(w, call, reply)
}

// run runs the operation. A panic in it is a bug of this package: it is
// answered as an internal error, so that the client is not left waiting.
func (e *Engine) run(ctx context.Context, call Call, form url.Values) (answer reply) {
	defer func() {
		if fault := recover(); fault != nil {
			e.cfg.Logger.ErrorContext(ctx, "operation panicked", "service", string(call.Service), "operation", call.Operation, "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
			answer = failure(call.Service, fmt.Errorf("%s.%s panicked", call.Service, call.Operation))
		}
	}()
	if call.Service == SNS {
		xml, err := e.sns.Invoke(ctx, form)
		if err != nil {
			return failure(SNS, err)
		}
		return reply{status: http.StatusOK, body: xml}
	}
	result, err := e.json[call.Service].Invoke(ctx, call.Operation, call.Body)
	if err != nil {
		return failure(call.Service, err)
	}
	return success(call.Service, result)
}

// read finds out which operation a request asks for and reads its body. The
// form is SNS's.
func (e *Engine) read(r *http.Request) (Call, url.Values, error) {
	call := Call{
		Attempt:      attempt(r.Header.Get("Amz-Sdk-Request")),
		InvocationID: r.Header.Get("Amz-Sdk-Invocation-Id"),
	}
	target := r.Header.Get("X-Amz-Target")
	limit := int64(maxMessagingBodyBytes)
	if target != "" {
		prefix, operation, _ := strings.Cut(target, ".")
		service, ok := jsonTargets[prefix]
		if !ok {
			return call, nil, wire.Errorf("UnknownOperationException", "localaws has no service %q (X-Amz-Target)", prefix)
		}
		call.Service, call.Operation = service, operation
		if service == DynamoDB || service == Streams {
			limit = maxDynamoDBBodyBytes
		}
	}
	if r.Method != http.MethodPost {
		return call, nil, &wire.Error{Code: "UnknownOperationException", Status: http.StatusMethodNotAllowed,
			Message: fmt.Sprintf("localaws answers POST requests of the AWS SDKs for DynamoDB, DynamoDB Streams, SNS and SQS, not %s %s", r.Method, r.URL.Path)}
	}
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	media = strings.ToLower(strings.TrimSpace(media))
	isForm := target == "" && media == contentForm
	if isForm {
		call.Service = SNS // which answers in XML, as whoever sends forms expects
	}
	body, err := readBody(r, limit)
	if err != nil {
		return call, nil, err
	}
	call.Body = body
	if target != "" {
		if media != contentJSON {
			return call, nil, wire.Errorf("SerializationException", "localaws reads %s from %s, not %q", contentJSON, call.Service, media)
		}
		return call, nil, nil
	}
	if !isForm {
		return call, nil, wire.Errorf("UnknownOperationException", "localaws finds neither an X-Amz-Target header nor a form in the request (content type %q)", media)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return call, nil, wire.Errorf("MalformedQueryString", "the request's form does not parse: %v", err)
	}
	if r.URL.RawQuery != "" {
		return call, nil, wire.Errorf("MalformedQueryString", "localaws reads parameters from the request's body, not from its URL")
	}
	switch version := form.Get("Version"); version {
	case snsVersion:
		call.Operation = form.Get("Action")
		return call, form, nil
	case "2012-11-05":
		return call, nil, wire.Errorf("InvalidAction", "localaws speaks the JSON protocol for SQS, not the older query protocol in which %q came: use an SDK from November 2023 or later", form.Get("Action"))
	default:
		return call, nil, wire.Errorf("InvalidAction", "localaws has no service of version %q with an action %q", version, form.Get("Action"))
	}
}

func readBody(r *http.Request, limit int64) ([]byte, error) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return nil, wire.Errorf("SerializationException", "localaws reads uncompressed requests, not Content-Encoding %s", encoding)
	}
	tooLarge := &wire.Error{Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge,
		Message: fmt.Sprintf("the request is longer than %d bytes", limit)}
	var body bytes.Buffer
	if length := r.ContentLength; length > 0 && length <= limit {
		// What a client only promises to send takes little memory.
		body.Grow(int(min(length, maxTrustedBytes)) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(io.LimitReader(r.Body, limit+1)); err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	if int64(body.Len()) > limit {
		// A client that is still sending when the connection closes would not
		// see the answer.
		_, _ = io.CopyN(io.Discard, r.Body, maxDrainedBytes)
		return nil, tooLarge
	}
	return body.Bytes(), nil
}

// endpoint is the address the client used, which queue URLs repeat.
func endpoint(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil || r.URL.Scheme == "https" {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}

// asWireError returns the error as a service answers it; one that no service
// made is a fault of the service.
func asWireError(service Service, err error) *wire.Error {
	var answered *wire.Error
	if errors.As(err, &answered) {
		return answered
	}
	internal := *Unavailable(service)
	internal.Message = err.Error()
	internal.Cause = err
	return &internal
}
