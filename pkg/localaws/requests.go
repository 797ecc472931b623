package localaws

import (
	"maps"
	"sync"
)

// Service names one of the four services in a Call and in Requests.
type Service string

// The four services.
const (
	DynamoDB Service = "dynamodb"
	Streams  Service = "streams"
	SNS      Service = "sns"
	SQS      Service = "sqs"
)

// Operation is one operation of one service, such as {SQS, "ReceiveMessage"}.
type Operation struct {
	Service Service
	Name    string
}

func (o Operation) String() string { return string(o.Service) + "." + o.Name }

// Requests counts requests by operation. Every HTTP request counts, so an
// attempt the SDK repeats counts again, and so does one that a fault or an
// error answers.
type Requests map[Operation]int64

// Of returns the count of one operation.
func (r Requests) Of(service Service, operation string) int64 {
	return r[Operation{service, operation}]
}

// Total returns the count over the given services, all of them if none is
// given.
func (r Requests) Total(services ...Service) int64 {
	var total int64
	for operation, count := range r {
		if len(services) == 0 {
			total += count
			continue
		}
		for _, service := range services {
			if operation.Service == service {
				total += count
			}
		}
	}
	return total
}

// Since returns what was counted after an earlier snapshot, operations without
// a new request left out.
func (r Requests) Since(earlier Requests) Requests {
	since := Requests{}
	for operation, count := range r {
		if d := count - earlier[operation]; d != 0 {
			since[operation] = d
		}
	}
	return since
}

// maxCountedOperations bounds the counters' memory against clients that make
// operation names up; the four services have fewer than 150 operations.
const maxCountedOperations = 1000

type requestCounter struct {
	mu     sync.Mutex
	counts Requests
}

// add counts one request and returns the operation's new count.
func (c *requestCounter) add(operation Operation) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = Requests{}
	}
	if _, known := c.counts[operation]; !known && len(c.counts) >= maxCountedOperations {
		operation.Name = "(others)"
	}
	c.counts[operation]++
	return c.counts[operation]
}

func (c *requestCounter) snapshot() Requests {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		return Requests{}
	}
	return maps.Clone(c.counts)
}

func (c *requestCounter) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = nil
}

// Requests returns how many requests each operation has had since New or
// ResetRequests.
func (e *Engine) Requests() Requests { return e.requests.snapshot() }

// ResetRequests sets every count to zero.
func (e *Engine) ResetRequests() { e.requests.reset() }
