// Package explain says why a subscriber's copies of one item are as they are:
// what the source holds, what the stream still tells of it, where a change of it
// can be on its way, what every replica holds, and one sentence for each
// subscriber that says what is wrong and which command mends it.
//
// It promises to change nothing: no main queue is ever received from, since that
// counts as a delivery; letters of dead-letter queues are received for a moment,
// and visible again at once. What could not be read is said and hides nothing
// else. The verdict is a function of the facts alone.
//
// It does not promise one instant. The facts are gathered one after the other
// while changes flow, so that a verdict of something being on its way is worth
// a second look a minute later.
package explain
