// Package replica keeps copies of a service's shared attributes right in every
// service that needs them.
package replica
