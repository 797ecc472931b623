// Package wholebody keeps the SDK from losing answers: it hands net/http the
// bodies of requests as bytes in memory.
//
// The SDK wraps each body so that it can be let go of while net/http still
// holds it (smithy-go v1.28.8, Request.Build), and closes it once the head of
// the answer is there (ClientHandler.Handle). net/http (Go 1.26) looks for the
// body's end only after it has sent the last byte. Where the answer is faster
// than that, it finds a closed body, whose WriteTo returns io.EOF, takes that
// for a failure to send, and closes the connection: at best between two
// requests, at worst in the middle of the answer. What the service has done by
// then stays done. Messages of a lost ReceiveMessage, for one, are invisible
// until their visibility timeout is over. Between two processes of one machine
// up to two receives in a hundred were lost in this way, and eight connections
// in a hundred calls (one receive loop, two cores). At the distances of AWS it
// should be rare.
//
// net/http does not know the SDK's wrapper for bytes in memory either, and
// sends head and body in two writes. With this package they leave in one, where
// they fit into the transport's write buffer (4 KiB unless
// http.Transport.WriteBufferSize says otherwise).
//
// # What it promises
//
// A body of known length arrives whole and once, or the request is not sent: a
// body that is shorter or longer than its Content-Length, or that cannot be
// read, is an error before the first byte. Head and body are otherwise what they
// were, the signature included. The SDK's body is read and closed before the
// request goes out and never touched again, so that the SDK may use its memory
// as it likes. net/http can repeat the body by itself where a connection turns
// out to be closed before anything was written to it, which costs none of the
// SDK's attempts.
//
// # What it does not promise
//
// Anything about bodies of unknown length, about those above 4 MiB, and about
// requests with trailers: they go through as they are, and so do those that
// net/http can repeat as they are. Answers that are lost for other reasons:
// whoever receives messages still needs a visibility timeout, and whoever
// publishes, duplicates that do no harm. A copy less: the body is copied once,
// since net/http may hold it for longer than the call takes.
//
// A body that can be repeated is also repeated where an answer redirects with
// 307 or 308, as the SDK's client means it to be (BuildableClient); without this
// package such an answer is an error. DynamoDB, SNS and SQS do not redirect.
package wholebody
