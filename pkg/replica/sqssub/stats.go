package sqssub

import "sync/atomic"

// Stats are totals since New over all subscriptions, but for the two gauges.
type Stats struct {
	// Held and Settling are gauges: messages not yet settled, or asked for; and
	// those whose delete or return is under way.
	Held, Settling int
	// Receives counts receive requests, ReceiveErrors those that failed.
	Receives, ReceiveErrors uint64
	// Received counts messages, Joined the deliveries joined with a message
	// still held.
	Received, Joined uint64
	HandedOut        uint64
	Acked, Nacked    uint64
	// Deleted and Undeleted are the fates of acked and dead-lettered messages.
	Deleted, Undeleted uint64
	// GivenBack counts messages made visible again, DeadLettered those moved to
	// a dead-letter queue, Extended the extensions.
	GivenBack, DeadLettered, Extended uint64
	// Batch requests by kind.
	DeleteRequests, VisibilityRequests, SendRequests uint64
}

type counts struct {
	receives, receiveErrors, received, joined, handedOut, acked, nacked, deleted, undeleted,
	givenBack, deadLettered, extended, deleteRequests, visibilityRequests, sendRequests atomic.Uint64
}

// Stats returns the totals so far.
func (s *Subscriber) Stats() Stats {
	c := &s.counts
	stats := Stats{
		Receives: c.receives.Load(), ReceiveErrors: c.receiveErrors.Load(),
		Received: c.received.Load(), Joined: c.joined.Load(), HandedOut: c.handedOut.Load(),
		Acked: c.acked.Load(), Nacked: c.nacked.Load(), Deleted: c.deleted.Load(), Undeleted: c.undeleted.Load(),
		GivenBack: c.givenBack.Load(), DeadLettered: c.deadLettered.Load(), Extended: c.extended.Load(),
		DeleteRequests: c.deleteRequests.Load(), VisibilityRequests: c.visibilityRequests.Load(), SendRequests: c.sendRequests.Load(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for sub := range s.subscriptions {
		held, settling := sub.room.counts()
		stats.Held += held
		stats.Settling += settling
	}
	return stats
}
