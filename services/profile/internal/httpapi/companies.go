package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

// companyBody is a company as the API answers it: the data files' fields, and
// the version, which is the ETag too. The version is left out where the item
// has none yet.
type companyBody struct {
	CIK string `json:"cik"`
	profilev1.Profile
	Version string `json:"version,omitempty"`
}

func newCompanyBody(c company.Company) companyBody {
	body := companyBody{CIK: c.CIK, Profile: c.Profile}
	if c.Version > 0 {
		body.Version = c.Version.String()
	}
	return body
}

// writeCompany answers with a company and its ETag.
func writeCompany(w http.ResponseWriter, status int, c company.Company) {
	setETag(w, c.Version)
	writeJSON(w, status, newCompanyBody(c))
}

// companyRequest is what the requests about one company have in common.
type companyRequest struct {
	cik        string
	conditions conditions
}

func readCompanyRequest(r *http.Request, p *problems) companyRequest {
	request := companyRequest{cik: r.PathValue("cik")}
	p.check("cik", company.CheckCIK(request.cik))
	readQuery(r, p)
	request.conditions = readConditions(r, p)
	return request
}

func (a *api) putCompany(w http.ResponseWriter, r *http.Request) {
	if !takes(w, r, "application/json") {
		return
	}
	var p problems
	request := readCompanyRequest(r, &p)
	body, ok := readBody(w, r, &p)
	if !ok {
		return
	}
	profile := decodeProfile(body, request.cik, &p)
	if len(p) > 0 {
		writeInvalid(w, p)
		return
	}
	c, created, err := a.companies.Put(r.Context(), request.cik, profile, request.conditions.precondition())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	writeCompany(w, status, c)
}

func (a *api) patchCompany(w http.ResponseWriter, r *http.Request) {
	if !takes(w, r, mergePatch) {
		return
	}
	var p problems
	request := readCompanyRequest(r, &p)
	body, ok := readBody(w, r, &p)
	if !ok {
		return
	}
	change := decodePatch(body, request.cik, &p)
	if len(p) > 0 {
		writeInvalid(w, p)
		return
	}
	c, err := a.companies.Patch(r.Context(), request.cik, change, request.conditions.precondition())
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	writeCompany(w, http.StatusOK, c)
}

func (a *api) getCompany(w http.ResponseWriter, r *http.Request) {
	var p problems
	request := readCompanyRequest(r, &p)
	if len(p) > 0 {
		writeInvalid(w, p)
		return
	}
	c, err := a.companies.Company(r.Context(), request.cik)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	switch state := (company.State{Exists: true, Version: c.Version}); {
	case !request.conditions.match.admits(state):
		a.refuse(w, r, company.ErrPrecondition)
	case !request.conditions.noneMatch.admitsNot(state):
		setETag(w, c.Version)
		w.WriteHeader(http.StatusNotModified)
	default:
		writeCompany(w, http.StatusOK, c)
	}
}

func (a *api) deleteCompany(w http.ResponseWriter, r *http.Request) {
	var p problems
	request := readCompanyRequest(r, &p)
	if len(p) > 0 {
		writeInvalid(w, p)
		return
	}
	if err := a.companies.Delete(r.Context(), request.cik, request.conditions.precondition()); err != nil {
		a.refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// companiesBody is one page. A page may have fewer companies than asked for,
// even none, and still a next one.
type companiesBody struct {
	Companies []companyBody `json:"companies"`
	// Unreadable names the companies whose stored state is no profile.
	Unreadable []string `json:"unreadable,omitempty"`
	Next       string   `json:"next,omitempty"`
}

// pageCursor says where a page begins; it is opaque to the client.
type pageCursor struct {
	After string `json:"after"`
}

// maxKeyBytes is the length of a partition key (AWS, "Quotas in Amazon
// DynamoDB").
const maxKeyBytes = 2048

func (a *api) getCompanies(w http.ResponseWriter, r *http.Request) {
	var p problems
	values := readQuery(r, &p, "limit", "cursor")
	limit := readLimit(values, &p)
	var cursor pageCursor
	if text, ok := values["cursor"]; ok {
		decoded, err := base64.RawURLEncoding.DecodeString(text[0])
		if err != nil || json.Unmarshal(decoded, &cursor) != nil || cursor.After == "" || len(cursor.After) > maxKeyBytes {
			p.add("cursor", `want the "next" of an earlier page, as it was given`)
		}
	}
	if len(p) > 0 {
		writeInvalid(w, p)
		return
	}
	page, err := a.companies.Companies(r.Context(), limit, cursor.After)
	if err != nil {
		a.refuse(w, r, err)
		return
	}
	body := companiesBody{Companies: make([]companyBody, 0, len(page.Companies)), Unreadable: page.Unreadable}
	for _, c := range page.Companies {
		body.Companies = append(body.Companies, newCompanyBody(c))
	}
	if len(page.Unreadable) > 0 {
		a.logger.ErrorContext(r.Context(), "stored profiles not readable", "route", r.Pattern, "companies", len(page.Unreadable), "first", page.Unreadable[0])
	}
	if page.Next != "" {
		next, err := json.Marshal(pageCursor{After: page.Next})
		if err != nil {
			a.refuse(w, r, err)
			return
		}
		body.Next = base64.RawURLEncoding.EncodeToString(next)
	}
	writeJSON(w, http.StatusOK, body)
}
