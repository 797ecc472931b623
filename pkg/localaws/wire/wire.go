// Package wire holds what the four local services share on the wire: AWS's
// error shape and strict decoding of JSON requests.
//
// It promises that a request field no service knows is refused by its name,
// and that an Error reaches the SDK with the code the SDK turns into a typed
// error. It does not route requests; package localaws does.
package wire

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Error is an error as an AWS service answers it.
type Error struct {
	// Code is the error's shape name, such as ResourceNotFoundException. For
	// SQS it is the JSON protocol's shape (QueueDoesNotExist).
	Code string
	// QueryCode is SQS's older code for the same error, sent in the
	// x-amzn-query-error header (AWS.SimpleQueueService.NonExistentQueue).
	// Empty where it equals Code.
	QueryCode string
	// Message is what the service says.
	Message string
	// Status is the HTTP status, 400 if zero.
	Status int
	// Fields are further members of the error's shape (Item,
	// CancellationReasons), marshalled beside the message.
	Fields map[string]any
	// Cause, if set, is what the service answers about on the inside; it is
	// never sent.
	Cause error
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// HTTPStatus returns Status, or 400 where it is zero.
func (e *Error) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Errorf makes an Error of the given code with status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// JSONService is a service that speaks AWS JSON 1.0: DynamoDB, DynamoDB
// Streams and SQS. Invoke is safe for concurrent use.
type JSONService interface {
	// Invoke runs one operation ("PutItem") on a request body. The result is
	// marshalled as the response. An error that is not an *Error is answered
	// as an InternalServerError. An operation the service does not have is an
	// UnknownOperationException that names it.
	Invoke(ctx context.Context, operation string, body []byte) (any, error)
}

// UnknownOperation is the error for an operation a service does not have.
func UnknownOperation(service, operation string) *Error {
	return Errorf("UnknownOperationException", "localaws has no operation %s.%s", service, operation)
}

// Decode decodes a JSON request body into the given input struct. A field
// the struct lacks, also one in another case, is refused with the given error
// code by its name; a wrong type, bytes that are not UTF-8 and trailing bytes
// are a SerializationException. Of a member given twice the last one counts.
func Decode(code string, body []byte, into any) error {
	if !utf8.Valid(body) {
		return Errorf("SerializationException", "the request body is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		var apiErr *Error
		if errors.As(err, &apiErr) {
			return apiErr
		}
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return Errorf(code, "localaws does not know the parameter %s", name)
		}
		return &Error{Code: "SerializationException", Message: describe(err)}
	}
	w := walk{text: body}
	if w.next() != '{' {
		return Errorf("SerializationException", "the request body is null, not an object")
	}
	if w.value(knownMembers(reflect.TypeOf(into))); w.found {
		return Errorf(code, "localaws does not know the parameter %q", w.unknown)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Errorf("SerializationException", "the request body goes on after its JSON value")
	}
	return nil
}

// describe says what is wrong with a body in the caller's words, not in those
// of Go's types.
func describe(err error) string {
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return fmt.Sprintf("the parameter %s has a %s, which is not what it takes", wrongType.Field, wrongType.Value)
	case errors.As(err, &wrongType):
		return fmt.Sprintf("the request body is a %s, not an object", wrongType.Value)
	case errors.Is(err, io.EOF):
		return "the request has no body"
	default:
		return strings.TrimPrefix(err.Error(), "json: ")
	}
}
