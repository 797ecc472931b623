package localaws

import (
	"strconv"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// Call is one request that is about to run.
type Call struct {
	Service   Service
	Operation string
	// RequestID is what the answer's x-amzn-RequestId header will say.
	RequestID string
	// Sequence is the request's number among those of its operation, from 1,
	// since New or ResetRequests.
	Sequence int64
	// Attempt is which try of the SDK's this is, from 1; 0 where the client
	// does not say. InvocationID is the same for every attempt of one call.
	Attempt      int
	InvocationID string
	// Body is the request's body. It must not be changed or kept.
	Body []byte
}

// Drop says whether, and when, the connection breaks.
type Drop int

const (
	// DropNothing answers as usual.
	DropNothing Drop = iota
	// DropRequest breaks the connection before the operation runs: nothing
	// happens, and the client sees a transport error.
	DropRequest
	// DropResponse runs the operation and then breaks the connection: the
	// effect is there, and the client sees the same transport error.
	DropResponse
)

// Fault is what goes wrong with one call. The zero Fault lets it pass.
type Fault struct {
	// DelayBefore is waited before the operation runs, DelayAfter between its
	// effect and the answer. Both add to Config.Latency.
	DelayBefore, DelayAfter time.Duration
	// Error is answered instead of running the operation.
	Error *wire.Error
	// Drop breaks the connection.
	Drop Drop
	// Statement, if set, is asked about each statement of a
	// BatchExecuteStatement, in their order, and fails some of them while their
	// neighbours pass: that is how DynamoDB throttles statements, inside HTTP
	// 200, where the SDK does not retry. Calls of other operations never ask.
	Statement func(dynamodb.Statement) dynamodb.StatementFault
}

// Faults decides about one call. It is called concurrently, once per request,
// after the request was read and before anything else.
type Faults func(Call) Fault

// SetFaults makes every later call ask faults; nil turns faults off.
//
// Faults act on calls. What happens to single messages is decided by
// Config.DisturbSNS (deliveries from topics to queues) and Config.DisturbSQS
// (messages on their way into a standard queue), which lose, delay, reorder
// and duplicate.
func (e *Engine) SetFaults(faults Faults) {
	if faults == nil {
		e.faults.Store(nil)
		return
	}
	e.faults.Store(&faults)
}

// Throttled is the error by which a service refuses a request over its rate.
// The SDK retries each of them. DynamoDB and Streams answer
// ProvisionedThroughputExceededException ("Error handling with DynamoDB"),
// SNS ThrottlingException ("Common errors", SNS API reference), SQS
// RequestThrottled ("SendMessage", SQS API reference).
func Throttled(service Service) *wire.Error {
	switch service {
	case DynamoDB:
		return wire.Errorf("ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.")
	case Streams:
		return wire.Errorf("ProvisionedThroughputExceededException", "Rate exceeded for shard.")
	case SNS:
		return wire.Errorf("ThrottlingException", "Rate exceeded")
	default:
		return wire.Errorf("RequestThrottled", "Rate exceeded")
	}
}

// ThrottledStatement is how DynamoDB refuses one statement of a
// BatchExecuteStatement over its rate ("BatchStatementError", API reference).
// The SDK does not retry it.
func ThrottledStatement() *wire.Error {
	return wire.Errorf("ThrottlingError", "Throughput exceeds the current capacity of your table or index.")
}

// Unavailable is the error of a service that is out of order for a moment. The
// SDK retries it.
func Unavailable(service Service) *wire.Error {
	switch service {
	case DynamoDB, Streams:
		return &wire.Error{Code: "InternalServerError", Message: "Internal server error", Status: 500}
	case SNS:
		return &wire.Error{Code: "InternalError", Message: "An internal error occurred", Status: 500}
	default:
		return &wire.Error{Code: "ServiceUnavailable", Message: "The service is unavailable", Status: 503}
	}
}

// attempt reads the SDK's amz-sdk-request header ("attempt=2; max=3").
func attempt(header string) int {
	for part := range strings.SplitSeq(header, ";") {
		if number, ok := strings.CutPrefix(strings.TrimSpace(part), "attempt="); ok {
			n, err := strconv.Atoi(number)
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}
