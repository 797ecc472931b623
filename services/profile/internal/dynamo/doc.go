// Package dynamo keeps companies in the service's own DynamoDB table.
//
// It promises that every write advances the item's version, one that changes
// nothing included; that it takes place only on the version its decision was
// based on, and otherwise starts over from what is there now; that a write
// whose answer was lost is found again and not made twice; that a delete leaves
// a tombstone and a re-creation goes on from its version; and that put and patch
// leave attributes this service does not know alone. Versions are strictly
// increasing for a company as long as every writer goes through here or is
// stamped by the relay.
//
// It does not promise that a write whose caller gave up did not happen. Nor
// that a lost answer is found where another writer has overwritten its write
// already: the caller's precondition then decides about a second one, so that a
// put without any takes place again and one for a version is refused.
package dynamo
