package crash

import (
	"fmt"
	"hash/crc32"
	"io"
	"log"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// throttle is an HTTP proxy in front of localaws, whose command has no control
// for it, that refuses a share of the calls over their rate, and of the calls
// of several statements a share of those.
type throttle struct {
	localAWS   *httputil.ReverseProxy
	statements statementCalls

	mu      sync.Mutex
	random  *rand.Rand
	share   float64 // of the calls
	ofEach  float64 // of the statements of a call
	refused map[localaws.Service]int
	spoilt  map[spoiling]int
}

func newThrottle(localAWS string, seed uint64) *throttle {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: localAWS})
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 256}
	// Clients that are gone or cut off are what the test is about: they are not
	// worth a log line, and their answer is a broken connection.
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	return &throttle{
		localAWS: proxy, statements: statementCalls{host: localAWS, transport: proxy.Transport},
		random:  rand.New(rand.NewPCG(seed, 3)),
		refused: map[localaws.Service]int{}, spoilt: map[spoiling]int{},
	}
}

// refuse sets the share of calls that is refused, and of the statements of the
// others.
func (h *throttle) refuse(calls, statements float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.share, h.ofEach = calls, statements
}

func (h *throttle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service := serviceOf(r)
	h.mu.Lock()
	refused := h.random.Float64() < h.share
	if refused {
		h.refused[service]++
	}
	h.mu.Unlock()
	switch {
	case refused:
	case r.Header.Get("X-Amz-Target") == batchExecuteStatement:
		h.statements.serve(w, r, h.spoil)
		return
	default:
		h.localAWS.ServeHTTP(w, r)
		return
	}
	answerError(w, service, localaws.Throttled(service))
}

// spoil draws what goes wrong with one statement.
func (h *throttle) spoil() spoiling {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.random.Float64() >= h.ofEach {
		return unspoilt
	}
	s := []spoiling{throttled, answerLost}[h.random.IntN(2)]
	h.spoilt[s]++
	return s
}

// serviceOf tells by the protocol: the JSON services name themselves in
// X-Amz-Target, SNS speaks the query protocol.
func serviceOf(r *http.Request) localaws.Service {
	switch target := r.Header.Get("X-Amz-Target"); {
	case strings.HasPrefix(target, "DynamoDB_"):
		return localaws.DynamoDB
	case strings.HasPrefix(target, "DynamoDBStreams_"):
		return localaws.Streams
	case strings.HasPrefix(target, "AmazonSQS."):
		return localaws.SQS
	}
	return localaws.SNS
}

// answerError answers as the service does: SNS in the query protocol's XML, the
// others in JSON ("Error handling with DynamoDB", Amazon DynamoDB Developer
// Guide; "Common errors", SNS API reference).
func answerError(w http.ResponseWriter, service localaws.Service, e *wire.Error) {
	if service == localaws.SNS {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(e.HTTPStatus())
		fmt.Fprintf(w, `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>throttled</RequestId></ErrorResponse>`, e.Code, e.Message)
		return
	}
	if service == localaws.SQS {
		w.Header().Set("x-amzn-query-error", e.Code+";Sender")
	}
	answerJSON(w, e.HTTPStatus(), fmt.Appendf(nil, `{"__type":"com.amazonaws#%s","message":%q}`, e.Code, e.Message))
}

func answerJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	// DynamoDB's answers have their checksum with them, which the SDK looks at.
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// counts are the calls that were refused, by service.
func (h *throttle) counts() map[localaws.Service]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.refused)
}

// statementCounts are the statements that were spoilt, by how.
func (h *throttle) statementCounts() map[spoiling]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.spoilt)
}
