// Package company is the stats service's own subject: the market figures of a
// company, one row per date and ticker, and the summary kept of them.
//
// It promises that a figure is the decimal that came in, digit for digit, that
// a row of an older date never takes the place of a newer one, nor an older
// version of a row that of a newer one, and that the same versions of rows give
// the same summary in whatever order and however often they arrive, as long as
// each version of a row has one content. It knows no database, no HTTP and
// nothing about companies but their key: a company's name and sector belong to
// the profile service, and what is here of them is a copy.
package company
