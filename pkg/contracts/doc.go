// Package contracts holds what services agree on: the change event that
// travels from an owner to its subscribers, the version that orders the
// states of one item, and the contracts that say which attributes are shared
// and what shape each has.
//
// It promises that an event decodes to exactly the state that was encoded,
// numbers of 38 digits, sets and binary included, that any CloudEvents 1.0
// reader can parse it, and that a missing or malformed field is refused by its
// name while unknown further fields are accepted. It does not say how events
// are moved or applied; package replica does.
package contracts
