// Package connect is the command line's way to AWS, or to another endpoint.
//
// It promises that the clients of all services are made once, from the SDK's own
// configuration, and that request bodies arrive whole (package wholebody). Package
// trouble tells the errors of their calls. It never changes anything and reads no
// credentials itself. Clients are safe for concurrent use.
package connect
