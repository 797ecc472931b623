package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const batchExecuteStatement = "DynamoDB_20120810.BatchExecuteStatement"

// spoiling is what goes wrong with one statement while its neighbours pass,
// inside an answer of HTTP 200, which the SDK takes for a success.
type spoiling string

const (
	unspoilt spoiling = ""
	// throttled is a statement that was not run ("BatchStatementError",
	// DynamoDB API reference: ThrottlingError).
	throttled spoiling = "throttled"
	// answerLost is one that was run, and answered as if nobody knew
	// (InternalServerError).
	answerLost spoiling = "run, and answered with an error"
)

// statementCalls makes calls of BatchExecuteStatement of localaws, and has
// single statements fail on the way: it takes throttled ones out of the call
// and puts their errors into the answer, and replaces the answers of others.
type statementCalls struct {
	host      string
	transport http.RoundTripper
}

// call is the body of a BatchExecuteStatement or of its answer, of which only
// the list is looked into.
type call struct {
	fields map[string]json.RawMessage
	list   []json.RawMessage
}

func readCall(body []byte, list string) (c call, err error) {
	if err := json.Unmarshal(body, &c.fields); err != nil {
		return c, err
	}
	return c, json.Unmarshal(c.fields[list], &c.list)
}

// with is the body with another list.
func (c call) with(name string, list []json.RawMessage) ([]byte, error) {
	encoded, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	c.fields[name] = encoded
	return json.Marshal(c.fields)
}

func (s statementCalls) serve(w http.ResponseWriter, r *http.Request, spoil func() spoiling) {
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // the client is gone, or cut off
	}
	request, err := readCall(asked, "Statements")
	if err != nil {
		http.Error(w, fmt.Sprintf("the proxy does not understand the call: %v", err), http.StatusBadRequest)
		return
	}
	how := make([]spoiling, len(request.list))
	var run []json.RawMessage
	for i, statement := range request.list {
		if how[i] = spoil(); how[i] != throttled {
			run = append(run, statement)
		}
	}
	answer := call{fields: map[string]json.RawMessage{}}
	if len(run) > 0 {
		status, body, err := s.forward(r, request, run)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if status != http.StatusOK {
			answerJSON(w, status, body)
			return
		}
		if answer, err = readCall(body, "Responses"); err != nil || len(answer.list) != len(run) {
			http.Error(w, fmt.Sprintf("the proxy does not understand the answer: %v", err), http.StatusBadGateway)
			return
		}
	}
	responses := make([]json.RawMessage, len(how))
	for i := range how {
		if how[i] == throttled {
			responses[i] = statementError(localaws.ThrottledStatement())
			continue
		}
		responses[i], answer.list = answer.list[0], answer.list[1:]
		if how[i] == answerLost {
			responses[i] = statementError(localaws.Unavailable(localaws.DynamoDB))
		}
	}
	body, err := answer.with("Responses", responses)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	answerJSON(w, http.StatusOK, body)
}

func statementError(e *wire.Error) json.RawMessage {
	return fmt.Appendf(nil, `{"Error":{"Code":%q,"Message":%q}}`, e.Code, e.Message)
}

// forward makes the call with those of its statements that are run. localaws
// does not look at signatures, which are of the whole call.
func (s statementCalls) forward(r *http.Request, request call, run []json.RawMessage) (status int, answer []byte, err error) {
	body, err := request.with("Statements", run)
	if err != nil {
		return 0, nil, err
	}
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", s.host, ""
	out.Body, out.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response, err := s.transport.RoundTrip(out)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}
