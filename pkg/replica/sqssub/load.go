package sqssub

import "time"

// Further loops start and end by how many of the ten messages that they ask
// for receives bring. SQS may return fewer than are there
// ("MaxNumberOfMessages", API reference of ReceiveMessage), so neither ten nor
// any single answer decides: deviations from a middle are summed up, as a
// cumulative sum test does. Two full receives in a row speak for another loop,
// or three of nine, or a longer row that is seldom below seven: a backlog starts
// all loops in a few round trips, twice as many each time, while arrivals that
// one loop fetches five at a time start another by chance once in hundreds. One
// empty receive, two of one or two messages, or four of three end a
// loop; what SQS withholds now and then does not. The gap between the two
// middles keeps loops that share what is there, half each, from starting and
// ending in turn.
const (
	busyAbove, busyBy = 7, 5
	idleBelow, idleBy = 4, 4
)

// atOnce is how long the answer of a queue with messages may take. Messages
// that came after a longer poll have just arrived, and say nothing of others
// that wait.
const atOnce = time.Second

// furtherWait is how long the polls of further loops are. They are long ones,
// because short polls ask a part of SQS's servers only ("Amazon SQS short and
// long polling"), but end soon, because what trickles in meanwhile is spread
// over all polls under way.
const furtherWait = time.Second

// load is what the receives of one loop say about the need for loops.
type load struct{ busy, idle int }

// note takes in what a receive of ten brought. More says that another loop is
// worthwhile, less that this one is not.
func (l *load) note(messages int, took time.Duration) (more, less bool) {
	l.busy = max(0, l.busy+messages-busyAbove)
	l.idle = max(0, l.idle+idleBelow-messages)
	if took > atOnce {
		l.busy = 0
	}
	if more = l.busy >= busyBy; more {
		l.busy = 0
	}
	if less = l.idle >= idleBy; less {
		l.idle = 0
	}
	return more, less
}
