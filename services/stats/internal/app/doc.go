// Package app makes the stats service of its parts and runs it.
//
// It promises that everything the environment says is read and checked before
// anything starts, that every problem is reported at once by the variable's
// name, and that Run returns after all its goroutines: the API is stopped
// first, then the consumer, each with time for what is under way.
package app
