package snspub

import "sync/atomic"

// Stats are totals since New.
type Stats struct {
	Requests, FailedRequests uint64
	// SentBytes counts every attempt.
	SentBytes uint64
	// Accepted and Failed count messages whose fate is known, Retried the
	// entries sent again.
	Accepted, Failed, Retried uint64
}

type counts struct {
	requests, failedRequests, sentBytes, accepted, failed, retried atomic.Uint64
}

func (c *counts) request(r Request) {
	c.requests.Add(1)
	c.sentBytes.Add(uint64(r.Bytes))
	if r.Err != nil {
		c.failedRequests.Add(1)
	}
}

func (c *counts) settle(accepted, failed int) {
	c.accepted.Add(uint64(accepted))
	c.failed.Add(uint64(failed))
}

// Stats returns the totals so far.
func (p *Publisher) Stats() Stats {
	return Stats{
		Requests: p.counts.requests.Load(), FailedRequests: p.counts.failedRequests.Load(),
		SentBytes: p.counts.sentBytes.Load(),
		Accepted:  p.counts.accepted.Load(), Failed: p.counts.failed.Load(), Retried: p.counts.retried.Load(),
	}
}
