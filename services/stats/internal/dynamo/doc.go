// Package dynamo keeps the stats service's own tables: company-stats,
// statistics and watchlists.
//
// It promises that a row and its company's summary are written together or not
// at all, that concurrent and repeated writes end as one of them alone would,
// and that the attributes copied from the owner (name, sector and their
// version) are read here and never written: an item of company-stats is changed
// by UpdateItem alone, because a whole Put would erase the copy. It does not
// apply changes of profiles; package profileview does, through the replica
// library. Everything here is safe for concurrent use.
package dynamo
