package sns

import "sync"

// Counters is how many messages went where since the service was made. Topics
// and subscriptions that are gone keep theirs.
type Counters struct {
	// Topics is by topic ARN.
	Topics map[string]TopicCounters
	// Subscriptions is by subscription ARN.
	Subscriptions map[string]SubscriptionCounters
}

// TopicCounters counts a topic's messages, not requests.
type TopicCounters struct {
	// Published were accepted, FIFO duplicates not counted.
	Published int64
	// Deduplicated were accepted by a FIFO topic and not delivered again.
	Deduplicated int64
}

// SubscriptionCounters counts notifications, copies that Config.Disturb asked
// for included. They are what CloudWatch shows of a topic ("Monitoring Amazon
// SNS topics using CloudWatch"), here by subscription.
type SubscriptionCounters struct {
	// Delivered reached the queue.
	Delivered int64
	// FilteredOut did not match the filter policy.
	FilteredOut int64
	// Attempts were made, those that failed included.
	Attempts int64
	// Failed were given up, after a client-side error or the last retry.
	Failed int64
	// Redriven are failed ones that reached the dead-letter queue.
	Redriven int64
	// Lost are failed ones without a dead-letter queue, or that it refused too,
	// and those Config.Disturb dropped.
	Lost int64
}

// tally keeps the counters under its own lock, so that counting never waits
// for a request.
type tally struct {
	mu            sync.Mutex
	topics        map[string]*TopicCounters
	subscriptions map[string]*SubscriptionCounters
}

func newTally() *tally {
	return &tally{topics: map[string]*TopicCounters{}, subscriptions: map[string]*SubscriptionCounters{}}
}

// topic makes a topic's counters if it has none.
func (c *tally) topic(arn string) { c.countTopic(arn, func(*TopicCounters) {}) }

func (c *tally) countTopic(arn string, change func(*TopicCounters)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	counters := c.topics[arn]
	if counters == nil {
		counters = &TopicCounters{}
		c.topics[arn] = counters
	}
	change(counters)
}

func (c *tally) count(subscriptionARN string, change func(*SubscriptionCounters)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	counters := c.subscriptions[subscriptionARN]
	if counters == nil {
		counters = &SubscriptionCounters{}
		c.subscriptions[subscriptionARN] = counters
	}
	change(counters)
}

// Counters returns a copy of the counters.
func (s *Service) Counters() Counters {
	c := s.counts
	c.mu.Lock()
	defer c.mu.Unlock()
	out := Counters{Topics: map[string]TopicCounters{}, Subscriptions: map[string]SubscriptionCounters{}}
	for arn, counters := range c.topics {
		out.Topics[arn] = *counters
	}
	for arn, counters := range c.subscriptions {
		out.Subscriptions[arn] = *counters
	}
	return out
}
