// Package architecture holds the rules of who may depend on whom, as tests.
package architecture
