// Package connect is the command line's way to AWS, or to another endpoint.
//
// It promises that the clients of all services are made once, from the SDK's own
// configuration, that request bodies arrive whole (package wholebody), and that
// an error of a call can be told in a person's words. It never changes anything
// and reads no credentials itself. Clients are safe for concurrent use.
package connect
