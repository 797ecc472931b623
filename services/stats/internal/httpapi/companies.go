package httpapi

import (
	"errors"
	"io"
	"net/http"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

// companyBody is what GET /companies/{cik}/statistics answers. Name and sector
// are left out where this service holds no live copy of the profile; an empty
// string is one that the owner holds as empty.
type companyBody struct {
	CIK            string        `json:"cik"`
	Name           *string       `json:"name,omitempty"`
	Sector         *string       `json:"sector,omitempty"`
	ProfileVersion string        `json:"profileVersion,omitempty"`
	Statistics     []company.Row `json:"statistics"`
}

func (a *api) putRow(w http.ResponseWriter, r *http.Request) {
	row := company.Row{CIK: pathValue(r, "cik"), Date: pathValue(r, "date"), Ticker: pathValue(r, "ticker")}
	var p problems
	p.check("cik", company.CheckCIK(row.CIK))
	p.check("date", company.CheckDate(row.Date))
	p.check("ticker", company.CheckTicker(row.Ticker))
	readQuery(r, &p)
	body, ok := readBody(w, r, &p)
	if !ok {
		return
	}
	if body != nil {
		row.Figures = decodeRow(body, row, &p)
	}
	if len(p) > 0 {
		writeInvalid(w, p)
		return
	}
	created, err := a.store.PutRow(r.Context(), row)
	if errors.Is(err, company.ErrTooManyTickers) {
		writeProblem(w, http.StatusConflict, "The company has the largest number of tickers already; another one is not taken.")
		return
	}
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	writeJSON(w, status, row)
}

func (a *api) getCompany(w http.ResponseWriter, r *http.Request) {
	cik := pathValue(r, "cik")
	var p problems
	p.check("cik", company.CheckCIK(cik))
	readQuery(r, &p)
	if len(p) > 0 {
		writeInvalid(w, p)
		return
	}
	c, err := a.store.Company(r.Context(), cik)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, companyBody{
		CIK: cik, Name: c.Profile.Name, Sector: c.Profile.Sector, ProfileVersion: c.Profile.Version,
		Statistics: c.Summary.Rows(cik),
	})
}

// readBody reads the whole body. It reports false where it has answered
// already, as the body is over the limit; a body that ends early is a problem
// and gives nil.
func readBody(w http.ResponseWriter, r *http.Request, p *problems) ([]byte, bool) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		writeTooLarge(w, tooLarge.Limit)
		return nil, false
	case err != nil:
		p.add("body", "the body ends too early")
		return nil, true
	}
	return body, true
}
