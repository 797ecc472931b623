package localaws

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"syscall"
)

// Transport returns a transport that calls the engine in memory, whatever
// host a request names. It needs no network, so that testing/synctest sees
// every goroutine of a call blocked or running. RoundTrip returns when the
// request's context ends, though the operation may still take effect, as with
// a real connection. A dropped connection (see Fault) is a *net.OpError, which
// the SDK retries.
func (e *Engine) Transport() http.RoundTripper { return transport{e} }

// HTTPClient returns a client over Transport.
func (e *Engine) HTTPClient() *http.Client { return &http.Client{Transport: e.Transport()} }

type transport struct{ engine *Engine }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := takeBody(r)
	if err != nil {
		return nil, err
	}
	ctx := r.Context()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if !t.engine.begin() {
		return nil, ErrClosed
	}
	served := (&http.Request{
		Method: r.Method, URL: r.URL, Header: r.Header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Host: cmp.Or(r.Host, r.URL.Host), RemoteAddr: inMemoryAddress,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}).WithContext(ctx)
	answered := make(chan *recorder, 1)
	go func() {
		defer t.engine.calls.Done()
		answered <- t.engine.record(served)
	}()
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case recorded := <-answered:
		if recorded == nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, &net.OpError{Op: "read", Net: "localaws", Err: syscall.ECONNRESET}
		}
		return recorded.response(r), nil
	}
}

// takeBody reads and closes a request's body, as a RoundTripper must.
func takeBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	if r.ContentLength > maxDynamoDBBodyBytes {
		// The engine answers that this is too long; it need not be read.
		return io.ReadAll(io.LimitReader(r.Body, maxDynamoDBBodyBytes+1))
	}
	return io.ReadAll(r.Body)
}

// record serves a request; nil means that the connection is dropped.
func (e *Engine) record(r *http.Request) (recorded *recorder) {
	defer func() {
		if fault := recover(); fault != nil {
			if fault != http.ErrAbortHandler {
				panic(fault)
			}
			recorded = nil
		}
	}()
	recorded = &recorder{header: make(http.Header, 5)}
	e.ServeHTTP(recorded, r)
	return recorded
}

// inMemoryAddress stands for the client's address on the in-memory transport.
const inMemoryAddress = "127.0.0.1:0"

// recorder is a response in memory.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

func (r *recorder) response(request *http.Request) *http.Response {
	r.WriteHeader(http.StatusOK)
	return &http.Response{
		Status: http.StatusText(r.status), StatusCode: r.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.header, Body: io.NopCloser(&r.body), ContentLength: int64(r.body.Len()),
		Request: request,
	}
}
