package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

type watchlistBody struct {
	User      string        `json:"user"`
	Companies []watchedBody `json:"companies"`
	Next      string        `json:"next,omitempty"`
}

// watchedBody is an entry. Its name is left out where this service holds no
// live copy of the company's profile.
type watchedBody struct {
	CIK            string    `json:"cik"`
	Name           *string   `json:"name,omitempty"`
	ProfileVersion string    `json:"profileVersion,omitempty"`
	AddedAt        time.Time `json:"addedAt"`
}

func newWatchedBody(w company.Watched) watchedBody {
	return watchedBody{CIK: w.CIK, Name: w.Profile.Name, ProfileVersion: w.Profile.Version, AddedAt: w.AddedAt}
}

// watchlistCursor is the last entry of a page.
type watchlistCursor struct {
	User string `json:"user"`
	CIK  string `json:"cik"`
}

// wrong says why the cursor cannot be of this user's watchlist.
func (c watchlistCursor) wrong(user string) error {
	switch {
	case c.User != user:
		return errors.New("it is of another user's watchlist")
	case company.CheckCIK(c.CIK) != nil:
		return errors.New("it names no company")
	}
	return nil
}

func (a *api) putWatched(w http.ResponseWriter, r *http.Request) {
	user, cik, ok := watched(w, r)
	if !ok {
		return
	}
	entry, created, err := a.store.Watch(r.Context(), user, cik)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	writeJSON(w, status, newWatchedBody(entry))
}

func (a *api) deleteWatched(w http.ResponseWriter, r *http.Request) {
	user, cik, ok := watched(w, r)
	if !ok {
		return
	}
	if err := a.store.Unwatch(r.Context(), user, cik); err != nil {
		a.refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// watched reads the path of an entry and reports whether it is sound; if not,
// it has answered.
func watched(w http.ResponseWriter, r *http.Request) (user, cik string, ok bool) {
	user, cik = pathValue(r, "user"), pathValue(r, "cik")
	var p problems
	p.check("user", company.CheckUser(user))
	p.check("cik", company.CheckCIK(cik))
	readQuery(r, &p)
	if len(p) > 0 {
		writeInvalid(w, p)
		return "", "", false
	}
	return user, cik, true
}

func (a *api) getWatchlist(w http.ResponseWriter, r *http.Request) {
	user := pathValue(r, "user")
	var p problems
	p.check("user", company.CheckUser(user))
	values := readQuery(r, &p, "limit", "cursor")
	limit := readLimit(values, &p)
	var last watchlistCursor
	readCursor(values, &p, &last, func() error { return last.wrong(user) })
	if len(p) > 0 {
		writeInvalid(w, p)
		return
	}
	entries, more, err := a.store.Watchlist(r.Context(), user, limit, last.CIK)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	body := watchlistBody{User: user, Companies: make([]watchedBody, 0, len(entries))}
	for _, entry := range entries {
		body.Companies = append(body.Companies, newWatchedBody(entry))
	}
	if more {
		body.Next = encodeCursor(watchlistCursor{User: user, CIK: entries[len(entries)-1].CIK})
	}
	writeJSON(w, http.StatusOK, body)
}
