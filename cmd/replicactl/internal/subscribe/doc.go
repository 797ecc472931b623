// Package subscribe writes a new subscriber: a service that keeps copies of one
// contract, with its manifest, a test that plays changes through it, and the
// Terraform root that deploys it.
//
// It promises that what it writes builds, passes its test and lints as it is, in
// the workspace and alone, and that all of it is there or nothing: it is made
// aside and moved into place, the workspace's go.work last. It never writes over
// a file, go.work excepted, to which it adds a line.
//
// It does not promise that two runs at once in one workspace both succeed, and
// it does not ask AWS or the network for anything.
package subscribe
