// Package company is the profile service's own subject: companies, what their
// profiles may hold, and what a change of one means.
//
// It promises that a profile which passes Check fits into a change event with
// ample room (MaxStateBytes), and that a patch is RFC 7396's merge. It does not
// judge what a profile says: all fields are free strings, some empty, as the
// data has them. It knows no database and no HTTP.
package company
