package localaws

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"hash/crc32"
	"maps"
	"net/http"
	"strconv"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const contentJSON = "application/x-amz-json-1.0"

// reply is an answer before it is written.
type reply struct {
	status     int
	body       []byte
	queryError string      // SQS's x-amzn-query-error
	snsError   *wire.Error // SNS's errors contain the request id: written last
}

// success marshals an operation's result.
func success(service Service, result any) reply {
	body, err := marshal(result)
	if err != nil {
		return failure(service, err)
	}
	return reply{status: http.StatusOK, body: body}
}

// marshal is json.Marshal without its HTML escapes, which only cost bytes.
func marshal(value any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// failure turns an error into the service's error body.
func failure(service Service, err error) reply {
	answered := asWireError(service, err)
	failed := reply{status: answered.HTTPStatus()}
	switch service {
	case SNS:
		failed.snsError = answered
		return failed
	case SQS:
		code := answered.QueryCode
		if code == "" {
			code = answered.Code
		}
		failed.queryError = code + ";" + fault(failed.status)
	}
	body := map[string]any{}
	maps.Copy(body, answered.Fields)
	body["__type"] = namespace(service, answered.Code) + "#" + answered.Code
	body["message"] = answered.Message
	if failed.body, err = marshal(body); err != nil {
		failed.status = http.StatusInternalServerError
		failed.body = []byte(`{"__type":"com.amazon.coral.service#InternalFailure"}`)
	}
	return failed
}

// fault says whose fault an error of this HTTP status is, in AWS's words.
func fault(status int) string {
	if status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// namespace is where an error's shape lives: with the service's own model, or
// with the framework in front of it.
func namespace(service Service, code string) string {
	switch code {
	case "ValidationException":
		return "com.amazon.coral.validate"
	case "ThrottlingException":
		return "com.amazon.coral.availability"
	case "SerializationException", "UnknownOperationException", "MissingAuthenticationTokenException",
		"InvalidParameterValueException", "MissingRequiredParameterException", "RequestEntityTooLargeException":
		return "com.amazon.coral.service"
	}
	if service == SQS {
		return "com.amazonaws.sqs"
	}
	return "com.amazonaws.dynamodb.v20120810"
}

// missingToken is the answer to a request without an Authorization header
// ("Common errors" of each service's API reference).
func missingToken(service Service) *wire.Error {
	const message = "Request is missing Authentication Token"
	switch service {
	case SNS:
		return &wire.Error{Code: "MissingAuthenticationToken", Message: message, Status: http.StatusForbidden}
	case SQS:
		return &wire.Error{Code: "MissingAuthenticationTokenException", QueryCode: "MissingAuthenticationToken", Message: message, Status: http.StatusForbidden}
	default:
		return wire.Errorf("MissingAuthenticationTokenException", message)
	}
}

// errorResponse is the query protocol's error document.
type errorResponse struct {
	XMLName   xml.Name `xml:"http://sns.amazonaws.com/doc/2010-03-31/ ErrorResponse"`
	Type      string   `xml:"Error>Type"`
	Code      string   `xml:"Error>Code"`
	Message   string   `xml:"Error>Message"`
	RequestID string   `xml:"RequestId"`
}

// answer writes a reply with the headers every answer has.
func (e *Engine) answer(w http.ResponseWriter, call Call, reply reply) {
	header := w.Header()
	if reply.snsError != nil {
		var err error
		reply.body, err = xml.Marshal(errorResponse{
			Type: fault(reply.status), Code: reply.snsError.Code,
			Message: reply.snsError.Message, RequestID: call.RequestID,
		})
		if err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	header["X-Amzn-Requestid"] = []string{call.RequestID}
	switch call.Service {
	case SNS:
		header["Content-Type"] = []string{"text/xml"}
	default:
		header["Content-Type"] = []string{contentJSON}
	}
	if call.Service == DynamoDB || call.Service == Streams {
		header["X-Amz-Crc32"] = []string{strconv.FormatUint(uint64(crc32.ChecksumIEEE(reply.body)), 10)}
	}
	if reply.queryError != "" {
		header["X-Amzn-Query-Error"] = []string{reply.queryError}
	}
	header["Content-Length"] = []string{strconv.Itoa(len(reply.body))}
	w.WriteHeader(reply.status)
	// A client that is gone does not read its answer; nothing is left to do.
	_, _ = w.Write(reply.body)
}
