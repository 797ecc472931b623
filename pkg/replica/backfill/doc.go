// Package backfill loads the source's current state into one subscriber, over
// the topic that all share: for a subscriber that is new, that has been away for
// longer than messages live, or whose manifest gained an attribute.
//
// It promises that, once the subscriber's queue has drained, every item that the
// owner's table held when the run began, tombstones included, is in its replicas
// at that version or a later one; or is reported as rejected, with the reason.
// It may run at any time, also while live changes flow, several times, and
// several times at once: a message of it is a state with its version, which
// replicas merge as they do any other. It may be killed between any two calls
// and goes on where it was, on any machine, having published some changes twice;
// one of which nothing was heard for Config.ResumeWithin begins anew instead.
// Nobody but the subscriber receives a message of it.
//
// Items without a valid version are stamped first; a stamp goes through the
// stream, so that every subscriber hears of it, as it should have before.
//
// Nothing is published before a canary has come through the subscription's
// filter: a filter policy not yet in force would swallow the backfill without
// an error.
//
// It does not promise that items the source has removed, and of which not even
// a tombstone is left, disappear from the replicas: reconcile finds those.
package backfill
