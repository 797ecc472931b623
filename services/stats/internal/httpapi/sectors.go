package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
	"github.com/tributary-dev/tributary/services/stats/internal/dynamo"
)

// maxSectorBytes is the length of a partition key (AWS, "Quotas in Amazon
// DynamoDB").
const maxSectorBytes = 2048

type leaderboardBody struct {
	Sector  string             `json:"sector"`
	Entries []leaderboardEntry `json:"entries"`
	Next    string             `json:"next,omitempty"`
}

type leaderboardEntry struct {
	Rank       int             `json:"rank"`
	CIK        string          `json:"cik"`
	Name       *string         `json:"name,omitempty"`
	MarketCap  company.Decimal `json:"marketCap"`
	LatestDate string          `json:"latestDate"`
	Tickers    []string        `json:"tickers"`
}

// leaderboardCursor is the last entry of a page.
type leaderboardCursor struct {
	Sector    string          `json:"sector"`
	Rank      int             `json:"rank"`
	CIK       string          `json:"cik"`
	MarketCap company.Decimal `json:"marketCap"`
}

// maxRank is the greatest rank that a page may begin after: more companies than
// any sector has, and so few that ranks can be counted on from there.
const maxRank = 1_000_000_000

// wrong says why the cursor cannot be of this sector's leaderboard.
func (c leaderboardCursor) wrong(sector string) error {
	marketCap, err := company.ParseDecimal(string(c.MarketCap))
	switch {
	case c.Sector != sector:
		return errors.New("it is of another sector's leaderboard")
	case c.Rank < 1 || c.Rank > maxRank:
		return fmt.Errorf("its rank is not from 1 to %d", maxRank)
	case company.CheckCIK(c.CIK) != nil:
		return errors.New("it names no company")
	case err != nil || marketCap == "":
		return errors.New("it has no market capitalisation")
	}
	return nil
}

func (a *api) getLeaderboard(w http.ResponseWriter, r *http.Request) {
	sector := pathValue(r, "sector")
	var p problems
	if sector == "" || len(sector) > maxSectorBytes || !utf8.ValidString(sector) {
		p.add("sector", "want 1 to %d bytes of UTF-8, percent-encoded", maxSectorBytes)
	}
	values := readQuery(r, &p, "limit", "cursor")
	limit := readLimit(values, &p)
	var last leaderboardCursor
	var after *dynamo.Place
	if readCursor(values, &p, &last, func() error { return last.wrong(sector) }) {
		after = &dynamo.Place{CIK: last.CIK, MarketCap: last.MarketCap}
	}
	if len(p) > 0 {
		writeInvalid(w, p)
		return
	}
	ranked, more, err := a.store.Leaderboard(r.Context(), sector, limit, after)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	body := leaderboardBody{Sector: sector, Entries: make([]leaderboardEntry, 0, len(ranked))}
	for i, c := range ranked {
		body.Entries = append(body.Entries, leaderboardEntry{
			Rank: last.Rank + i + 1, CIK: c.CIK, Name: c.Profile.Name, MarketCap: c.Summary.MarketCap(),
			LatestDate: c.Summary.LatestDate(), Tickers: c.Summary.Tickers(),
		})
	}
	if more {
		end := body.Entries[len(body.Entries)-1]
		body.Next = encodeCursor(leaderboardCursor{Sector: sector, Rank: end.Rank, CIK: end.CIK, MarketCap: end.MarketCap})
	}
	writeJSON(w, http.StatusOK, body)
}
