// Package dynamo keeps the stats service's own tables: company-stats,
// statistics and watchlists.
//
// State merges by maximum version here as everywhere. A row has a version of
// its own, a hybrid logical clock that every write of the row advances on
// condition of the version it was based on; the company's summary keeps for
// each ticker the row of the greatest date and version. A row is written first
// and merged into the summary after that. Merging is commutative, associative
// and idempotent, so that concurrent and repeated PutRows of any rows end, once
// all have returned without an error, with the summary that the stored rows
// come to.
//
// A PutRow that ends with company.ErrUnavailable, or dies, has stored nothing,
// or the row alone, or both. The row comes first because this is the order in
// which such an end is harmless: reads answer from summaries alone, so that a
// row by itself is not seen by anybody until the same call, made again, finds
// it and completes the summary; a summary by itself would show figures that no
// row has. Nothing completes it but another call for that row.
//
// The attributes copied from the owner (name, sector and their version) are
// read here and never written: an item of company-stats is changed by UpdateItem
// alone, because a whole Put would erase the copy. Everything here is safe for
// concurrent use.
//
// It does not apply changes of profiles; package profileview does, through the
// replica library. It does not put rows of different dates or tickers in one
// order, and no two rows are written together. It needs clocks that differ by
// less than contracts.MaxAhead from one instance to another: a stored version
// that is further ahead counts as missing.
package dynamo
