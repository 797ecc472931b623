package app_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tributary-dev/tributary/services/stats/internal/statstest"
)

// A request whose headers are larger than any sensible one is refused; one with
// large headers is served.
func TestOversizedHeadersAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := statstest.New(t)
		w.CreateQueue(t)
		s := start(t, w)
		for size, want := range map[int]int{16 << 10: http.StatusOK, 64 << 10: http.StatusRequestHeaderFieldsTooLarge} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://stats.test/healthz", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Long", strings.Repeat("a", size))
			response, err := s.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if response.StatusCode != want {
				t.Errorf("a header of %d bytes: %d, want %d", size, response.StatusCode, want)
			}
		}
		s.end(t)
	})
}
