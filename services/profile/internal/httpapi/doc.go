// Package httpapi is the profile service's REST API.
//
// It promises that a malformed request is answered with 400 and every problem
// it has, each by the name of its field, and that nothing of it was written;
// that every other refusal, an unknown path and a wrong method included, is an
// RFC 9457 problem document too; and that versions work as ETags: If-Match and
// If-None-Match mean what RFC 9110 says, and a write under either never
// overwrites a state its sender has not seen. Bodies use the data files' field
// names; a field that is not known is refused by its name.
//
// It does not authenticate: that is for whatever stands in front of it. It does
// not promise that two states have two ETags in the moment between a write by
// something that knows nothing of versions and the relay's stamp.
package httpapi
