// Package reconcile compares one contract's source with one subscriber's
// replicas, item by item, and mends what differs.
//
//	pass 1    every source item against the item replicas' local items
//	pass 2    every item replica's copies, for those whose source item is gone
//	pass 3    every fan-out's copies against the source items of their subjects
//
// Each pass scans a table by parallel segments, consistently, and looks the
// other side up by BatchGetItem: a hundred items a request.
//
// # What it promises
//
// It reports no drift that is merely on its way. A difference is held, and after
// Config.Settle both sides are read once more: it is drift if the replica still
// does not hold at least the state the source had when the difference was first
// seen. So an item that changes all the time is no drift while its consumer
// keeps up, and is drift when its consumer is dead. Items that were not written
// within the last moments are compared exactly; one that is created or deleted
// behind the scan's back is left to the next run.
//
// A lower version is no drift where the copied content is equal, nor is a
// cleared copy or a replica's tombstone whose source item is deleted or gone; see
// replica.View.
//
// Repair is safe beside live changes and can be repeated. A copy that a change
// of the source's version would overwrite is repaired by publishing the
// source's current state to this subscriber alone; for one that it would not (it is
// ahead, equal with other content, or extra) the source is stamped above it,
// which every subscriber hears. What was repaired is read again until it is
// right; what is not within Config.VerifyTimeout is reported as not repaired.
//
// Memory is bounded at any table size: a page of each segment and the
// differences held, Config.MaxHeld of them at most; a scan that finds more
// waits. Findings are handed to Config.Found one by one and not kept.
//
// A run that is interrupted goes on where it was, on any machine: places are
// kept per segment, behind the first page with a difference that is still held,
// so that these are found again. Such a finding may be reported twice, and a run
// that is interrupted within Config.Settle of one begins again at its page.
// What a resumed run had compared before it does not compare again: Result.Earlier
// says how much that is, and Config.Restart compares everything anew. A run of
// which nothing was heard for Config.ResumeWithin begins anew by itself.
//
// # What it does not promise
//
// Function replicas are not compared: only the service's own code knows what
// they keep. Result.Functions names them. Items of the owner's that violate the
// contract are reported and not mended, since no subscriber can be told of them.
// Copies that a fan-out's index does not list any more are compared, as far as
// they name a subject, but no repair reaches them; items that it does not list
// and that never had a copy are none of the fan-out's.
package reconcile
