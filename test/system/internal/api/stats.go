package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tributary-dev/tributary/test/system/internal/input"
)

// Stats is the stats service. It is safe for concurrent use.
type Stats struct{ caller }

// NewStats returns the service at a base URL.
func NewStats(base string) *Stats { return &Stats{newCaller(base)} }

// Company is what the stats service knows of a company. Name and Sector are the
// copy of the profile, nil where it holds none.
type Company struct {
	Name           *string `json:"name"`
	Sector         *string `json:"sector"`
	ProfileVersion string  `json:"profileVersion"`
	Statistics     []Row   `json:"statistics"`
}

// Row is the latest statistic of a ticker.
type Row struct {
	Date    string
	Ticker  string
	Figures map[string]string
}

// UnmarshalJSON reads a row: its identity, and the rest as figures.
func (r *Row) UnmarshalJSON(text []byte) error {
	var fields map[string]string
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	r.Date, r.Ticker = fields["date"], fields["ticker"]
	for _, name := range []string{"date", "ticker", "cik"} {
		delete(fields, name)
	}
	r.Figures = fields
	return nil
}

// PutStatistic stores a line of the statistics as the file has it.
func (s *Stats) PutStatistic(ctx context.Context, row input.Statistic) error {
	path := fmt.Sprintf("%s/statistics/%s/%s", companyPath(row.CIK), row.Date, url.PathEscape(row.Ticker))
	_, err := s.call(ctx, http.MethodPut, path, row.Figures)
	return err
}

// Company returns a company, nil if the service knows nothing of it.
func (s *Stats) Company(ctx context.Context, cik string) (*Company, error) {
	path := companyPath(cik) + "/statistics"
	a, err := s.call(ctx, http.MethodGet, path, nil, http.StatusNotFound)
	if err != nil || a.status == http.StatusNotFound {
		return nil, err
	}
	var c Company
	return &c, a.decode("GET "+s.base+path, &c)
}

// Watch puts a company on a user's watchlist.
func (s *Stats) Watch(ctx context.Context, user, cik string) error {
	_, err := s.call(ctx, http.MethodPut, "/watchlists/"+url.PathEscape(user)+companyPath(cik), nil)
	return err
}

// Watched is an entry of a watchlist. Name is the copy of the company's, nil
// where there is none.
type Watched struct {
	CIK  string  `json:"cik"`
	Name *string `json:"name"`
}

// Watchlist returns every entry of a user's watchlist.
func (s *Stats) Watchlist(ctx context.Context, user string) ([]Watched, error) {
	var all []Watched
	for cursor := ""; ; {
		path := "/watchlists/" + url.PathEscape(user) + "?limit=100"
		if cursor != "" {
			path += "&cursor=" + url.QueryEscape(cursor)
		}
		a, err := s.call(ctx, http.MethodGet, path, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			Companies []Watched `json:"companies"`
			Next      string    `json:"next"`
		}
		if err := a.decode("GET "+s.base+path, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Companies...)
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

// Ranked is a place on a leaderboard.
type Ranked struct {
	Rank      int     `json:"rank"`
	CIK       string  `json:"cik"`
	Name      *string `json:"name"`
	MarketCap string  `json:"marketCap"`
}

// Leaderboard returns the first places of a sector.
func (s *Stats) Leaderboard(ctx context.Context, sector string, places int) ([]Ranked, error) {
	path := "/sectors/" + url.PathEscape(sector) + "/leaderboard?limit=" + strconv.Itoa(places)
	a, err := s.call(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	var board struct {
		Entries []Ranked `json:"entries"`
	}
	return board.Entries, a.decode("GET "+s.base+path, &board)
}

// Metrics returns the service's metrics in Prometheus's text format.
func (s *Stats) Metrics(ctx context.Context) ([]byte, error) {
	a, err := s.call(ctx, http.MethodGet, "/metrics", nil)
	return a.body, err
}
