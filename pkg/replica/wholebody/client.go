package wholebody

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxBytes is the largest body that is held in memory a second time. SQS and
// SNS take 1 MiB a request; DynamoDB takes 16 MiB in one BatchWriteItem, where
// a copy would begin to count.
const maxBytes = 4 << 20

// Client returns a client that sends what inner would, with bodies in memory.
// It is safe for concurrent use if inner is.
//
// The SDK adjusts clients of its own type to AWS_DEFAULTS_MODE and to a
// service's timeouts, and AWS_CA_BUNDLE is an error with any other. In an
// aws.Config the client is therefore better left as it is, and wrapped for each
// service by ServiceOption.
func Client(inner aws.HTTPClient) aws.HTTPClient { return client{inner} }

type client struct{ inner aws.HTTPClient }

// Do sends the request; its body is closed in any case, as net/http does it.
func (c client) Do(request *http.Request) (*http.Response, error) {
	if passes(request) {
		return c.inner.Do(request)
	}
	content, err := read(request.Body, request.ContentLength)
	if err != nil {
		return nil, fmt.Errorf("body of %s %s: %w", request.Method, request.URL.Redacted(), err)
	}
	whole := request.WithContext(request.Context()) // the caller's request stays as it is
	// net/http looks into exactly this for bytes in memory.
	whole.Body = io.NopCloser(bytes.NewReader(content))
	whole.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
	return c.inner.Do(whole)
}

// passes reports whether a request is left alone: it has no body, or one that
// streams, or one that net/http can already repeat, which is in memory where
// net/http made the request.
func passes(request *http.Request) bool {
	return request.Body == nil || request.Body == http.NoBody || request.GetBody != nil ||
		request.ContentLength <= 0 || request.ContentLength > maxBytes || request.Trailer != nil
}

// read takes all of a body of the given length, and closes it.
func read(body io.ReadCloser, length int64) (content []byte, err error) {
	defer func() {
		if closing := body.Close(); closing != nil && err == nil {
			err = fmt.Errorf("close: %w", closing)
		}
	}()
	// ReadFrom wants room for MinRead bytes before it looks for the end.
	buffer := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead))
	_, err = buffer.ReadFrom(io.LimitReader(body, length+1)) // one more finds a body that is too long
	switch have := int64(buffer.Len()); {
	case err != nil:
		return nil, fmt.Errorf("read after %d of %d bytes: %w", have, length, err)
	case have > length:
		return nil, fmt.Errorf("longer than its Content-Length of %d bytes", length)
	case have < length:
		return nil, fmt.Errorf("ends after %d of the %d bytes of its Content-Length: %w", have, length, io.ErrUnexpectedEOF)
	}
	return buffer.Bytes(), nil
}
