package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
)

// Sectors and users are free texts: whatever one is, its percent-encoded form
// is a segment of the path.
func TestEveryTextIsASegment(t *testing.T) {
	s := newService(t)
	for _, text := range []string{"/", "//", "a/b", "/a", "a/", "%2F", "%", "%25", " ", "+", "?#&;=", "*", "{user}", "ü \u202e", "leaderboard", "😀"} {
		t.Run(text, func(t *testing.T) {
			var ranked struct{ Sector *string }
			response, body := s.call(t, "GET", "/sectors/"+url.PathEscape(text)+"/leaderboard", "")
			if err := json.Unmarshal([]byte(body), &ranked); err != nil || response.StatusCode != http.StatusOK || ranked.Sector == nil || *ranked.Sector != text {
				t.Errorf("leaderboard: %d %s", response.StatusCode, body)
			}
			list := "/watchlists/" + url.PathEscape(text)
			if response, body := s.call(t, "PUT", list+"/companies/7", ""); response.StatusCode != http.StatusCreated {
				t.Errorf("watch: %d %s", response.StatusCode, body)
			}
			var watched struct {
				User      string
				Companies []struct{ CIK string }
			}
			response, body = s.call(t, "GET", list, "")
			if err := json.Unmarshal([]byte(body), &watched); err != nil || response.StatusCode != http.StatusOK || watched.User != text || len(watched.Companies) != 1 {
				t.Errorf("watchlist: %d %s", response.StatusCode, body)
			}
			if response, body := s.call(t, "DELETE", list+"/companies/7", ""); response.StatusCode != http.StatusNoContent {
				t.Errorf("unwatch: %d %s", response.StatusCode, body)
			}
		})
	}
}
