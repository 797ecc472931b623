// Package httpapi is the stats service's REST API.
//
// It promises that a malformed request is answered with 400 and every problem
// it has, each by the name of its field, and that nothing of it was written;
// that every other refusal, an unknown path and a wrong method included, is an
// RFC 9457 problem document too; that a write which was answered with 503, or
// not at all, is completed by the same request sent again, and shows in no read
// as a part (such a repetition may be answered with 200 where the lost answer
// was 201); and that bodies use the data files' field names, with figures as
// decimal strings that no float has touched. Reads answer from this service's
// own tables alone. It does not authenticate: that is for whatever stands in
// front of it.
package httpapi
