package wholebody_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
)

// unrepeatable is a body of which net/http alone would know nothing.
func unrepeatable(t *testing.T, url, body string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, struct{ io.Reader }{strings.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = int64(len(body))
	return request
}

// A server may close an idle connection at the moment it is used again. Nothing
// was written then, and net/http repeats the request by itself.
func TestAConnectionThatClosedBeforeUseCostsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		n := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			bodies = append(bodies, string(body))
		}))
		n.silent = true
		client := wholebody.Client(n.client())
		for _, body := range []string{"first", "second"} {
			response, err := client.Do(unrepeatable(t, "http://queues.test/", body))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
		}
		if got := strings.Join(bodies, ", "); got != "first, second" || n.dialled.Load() != 2 {
			t.Errorf("arrived: %s, over %d connections", got, n.dialled.Load())
		}
	})
}

// Expect: 100-continue holds the body back until the server asks for it.
func TestABodyWaitsForTheServerToAskForIt(t *testing.T) {
	for _, row := range []struct {
		behaviour string
		status    int
		arrives   bool
	}{
		{"asked for", http.StatusOK, true},
		{"refused by the head alone", http.StatusExpectationFailed, false},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got string
				n := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if row.arrives {
						body, _ := io.ReadAll(r.Body)
						got = string(body)
					}
					w.Header().Set("Connection", "close")
					w.WriteHeader(row.status)
				}))
				request := unrepeatable(t, "http://queues.test/", "body")
				request.Header.Set("Expect", "100-continue")
				response, err := wholebody.Client(n.client()).Do(request)
				if err != nil {
					t.Fatal(err)
				}
				_ = response.Body.Close()
				writes := map[bool]int64{true: 2, false: 1}[row.arrives] // the head, then perhaps the body
				if response.StatusCode != row.status || (got == "body") != row.arrives || n.writes.Load() != writes {
					t.Errorf("status %d, body %q, %d writes, want %d", response.StatusCode, got, n.writes.Load(), writes)
				}
			})
		})
	}
}

// net/http can repeat the body, and so follows what the SDK's client lets it.
func TestARedirectTakesTheBodyAlong(t *testing.T) {
	for _, status := range []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		synctest.Test(t, func(t *testing.T) {
			var arrived string
			n := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.URL.Path == "/" {
					http.Redirect(w, r, "/there", status)
					return
				}
				arrived = r.Method + " " + r.URL.Path + " " + string(body)
			}))
			response, err := wholebody.Client(n.client()).Do(unrepeatable(t, "http://queues.test/", "body"))
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if arrived != "POST /there body" {
				t.Errorf("%d: arrived %q", status, arrived)
			}
		})
	}
}
