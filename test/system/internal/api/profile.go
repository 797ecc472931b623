package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/tributary-dev/tributary/test/system/internal/input"
)

// Profile is the profile service. It is safe for concurrent use.
type Profile struct{ caller }

// NewProfile returns the service at a base URL.
func NewProfile(base string) *Profile { return &Profile{newCaller(base)} }

// Put stores a company's whole profile and returns its new version.
func (p *Profile) Put(ctx context.Context, cik string, profile input.Profile) (version string, err error) {
	a, err := p.call(ctx, http.MethodPut, companyPath(cik), profile)
	if err != nil {
		return "", err
	}
	return strings.Trim(a.header.Get("ETag"), `"`), nil
}

// Delete deletes a company; one that is not there is fine.
func (p *Profile) Delete(ctx context.Context, cik string) error {
	_, err := p.call(ctx, http.MethodDelete, companyPath(cik), nil, http.StatusNotFound)
	return err
}

// Company returns a company's profile, nil if there is none.
func (p *Profile) Company(ctx context.Context, cik string) (*input.Profile, error) {
	a, err := p.call(ctx, http.MethodGet, companyPath(cik), nil, http.StatusNotFound)
	if err != nil || a.status == http.StatusNotFound {
		return nil, err
	}
	var profile input.Profile
	return &profile, a.decode("GET "+p.base+companyPath(cik), &profile)
}

func companyPath(cik string) string { return "/companies/" + url.PathEscape(cik) }
