package wholebody_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	smithyhttp "github.com/aws/smithy-go/transport/http"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
)

// Whatever the size of a body and the way it is read, the server gets it whole
// and once, with its length and the headers that say what it is.
func TestBodiesArriveWholeAndOnce(t *testing.T) {
	type arrival struct {
		body     []byte
		length   int64
		encoding string
	}
	arrivals := make(chan arrival, 2)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		arrivals <- arrival{body, r.ContentLength, r.Header.Get("Content-Encoding")}
	}))
	defer server.Close()
	client := wholebody.Client(server.Client())
	ways := map[string]func(io.Reader) io.Reader{
		"at once":           func(r io.Reader) io.Reader { return r },
		"byte by byte":      iotest.OneByteReader,
		"by halves":         iotest.HalfReader,
		"its end with data": iotest.DataErrReader,
	}
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(1, 64), rapid.IntRange(3000, 5000), rapid.IntRange(1, 200_000)).Draw(t, "bytes")
		body := make([]byte, size)
		for i := range body {
			body[i] = byte(i * 31 >> 3)
		}
		way := rapid.SampledFrom([]string{"at once", "byte by byte", "by halves", "its end with data"}).Draw(t, "read")
		encoding := rapid.SampledFrom([]string{"", "gzip"}).Draw(t, "encoding")
		source := &source{Reader: ways[way](bytes.NewReader(body))}
		request, err := http.NewRequest(http.MethodPost, server.URL, source)
		if err != nil {
			t.Fatal(err)
		}
		request.ContentLength = int64(size)
		if encoding != "" {
			request.Header.Set("Content-Encoding", encoding)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if request.Body != io.ReadCloser(source) || request.GetBody != nil || source.closed != 1 {
			t.Errorf("the caller's request has changed, or its body was closed %d times", source.closed)
		}
		got := <-arrivals
		if !bytes.Equal(got.body, body) || got.length != int64(size) || got.encoding != encoding || len(arrivals) > 0 {
			t.Errorf("%d bytes arrived as %d (Content-Length %d, encoding %q), and %d requests more", size, len(got.body), got.length, got.encoding, len(arrivals))
		}
	})
}

// source is a body that counts how often it is closed.
type source struct {
	io.Reader
	closed  int
	closing error
}

func (s *source) Close() error {
	s.closed++
	return s.closing
}

// inner is a client that keeps what it is asked to send.
type inner struct{ sent []*http.Request }

func (i *inner) Do(request *http.Request) (*http.Response, error) {
	i.sent = append(i.sent, request)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func TestABodyThatIsNotWholeIsNotSent(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, row := range []struct {
		behaviour string
		source    source
		length    int64
		cause     error
		text      string
	}{
		{"an error in the middle", source{Reader: io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(broken))}, 6, broken,
			"body of POST http://queues.test/1/q: read after 3 of 6 bytes: the disk is gone"},
		{"an error where the end should be", source{Reader: io.MultiReader(strings.NewReader("abcdef"), iotest.ErrReader(broken))}, 6, broken,
			"body of POST http://queues.test/1/q: read after 6 of 6 bytes: the disk is gone"},
		{"too short", source{Reader: strings.NewReader("abc")}, 6, io.ErrUnexpectedEOF,
			"body of POST http://queues.test/1/q: ends after 3 of the 6 bytes of its Content-Length: unexpected EOF"},
		{"too long", source{Reader: strings.NewReader("abcdefghi")}, 6, nil,
			"body of POST http://queues.test/1/q: longer than its Content-Length of 6 bytes"},
		{"an error of closing", source{Reader: strings.NewReader("abcdef"), closing: broken}, 6, broken,
			"body of POST http://queues.test/1/q: close: the disk is gone"},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			request, err := http.NewRequest(http.MethodPost, "http://queues.test/1/q", &row.source)
			if err != nil {
				t.Fatal(err)
			}
			request.ContentLength = row.length
			var inner inner
			response, err := wholebody.Client(&inner).Do(request)
			if err == nil || err.Error() != row.text || row.cause != nil && !errors.Is(err, row.cause) {
				t.Errorf("error %v, want %s", err, row.text)
			}
			if response != nil || len(inner.sent) > 0 || row.source.closed != 1 {
				t.Errorf("response %v, sent %d times, closed %d times", response, len(inner.sent), row.source.closed)
			}
		})
	}
}

func TestWhatStreamsOrIsWholeAlreadyGoesThroughUntouched(t *testing.T) {
	streaming := func(length int64, trailer http.Header) *http.Request {
		request, err := http.NewRequest(http.MethodPut, "http://queues.test/", &source{Reader: iotest.ErrReader(errors.New("read too early"))})
		if err != nil {
			t.Fatal(err)
		}
		request.ContentLength, request.Trailer = length, trailer
		return request
	}
	for behaviour, request := range map[string]*http.Request{
		"no body":            httptest.NewRequest(http.MethodGet, "http://queues.test/", nil),
		"an empty body":      {Method: http.MethodPost, Body: http.NoBody},
		"unknown length":     streaming(-1, nil),
		"length never set":   streaming(0, nil),
		"above 4 MiB":        streaming(4<<20+1, nil),
		"a trailer":          streaming(10, http.Header{"X-Checksum": nil}),
		"net/http's own one": newRequest(t, strings.NewReader("abc")),
	} {
		t.Run(behaviour, func(t *testing.T) {
			var inner inner
			if _, err := wholebody.Client(&inner).Do(request); err != nil {
				t.Fatal(err)
			}
			if len(inner.sent) != 1 || inner.sent[0] != request {
				t.Error("the request is another one")
			}
		})
	}
}

func newRequest(t *testing.T, body io.Reader) *http.Request {
	t.Helper()
	request, err := http.NewRequest(http.MethodPost, "http://queues.test/1/q", body)
	if err != nil {
		t.Fatal(err)
	}
	return request
}

// The SDK may use a body's memory again as soon as the call is over, while
// net/http may still be sending: what is sent must be a copy.
func TestTheBodyIsTheClientsOwn(t *testing.T) {
	memory := []byte("abcdef")
	plain, err := smithyhttp.NewStackRequest().(*smithyhttp.Request).SetStream(bytes.NewReader(memory))
	if err != nil {
		t.Fatal(err)
	}
	built := plain.Build(t.Context())
	var inner inner
	if _, err := wholebody.Client(&inner).Do(built); err != nil {
		t.Fatal(err)
	}
	copy(memory, "xxxxxx")
	sent := inner.sent[0]
	for range 2 {
		again, err := sent.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(again); err != nil || string(got) != "abcdef" {
			t.Errorf("a repetition has %q (%v)", got, err)
		}
	}
	if got, err := io.ReadAll(sent.Body); err != nil || string(got) != "abcdef" || sent.ContentLength != 6 {
		t.Errorf("%q of %d bytes (%v)", got, sent.ContentLength, err)
	}
}
