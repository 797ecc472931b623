// Package app makes the profile service's two programs of their parts and runs
// them: the API, and the relay, under Lambda or with its own poller.
//
// It promises that everything the environment says is read and checked before
// anything starts, that every problem is reported at once by the variable's
// name, that a relay whose topic, tables, stream or dead-letter queue are
// missing, or whose credentials AWS does not take, says so and ends, while one
// that only cannot reach AWS says that, waits and is not ready meanwhile, and
// that Run returns after all its goroutines, with time for what is under way.
package app
