// Package profilev1 is the contract company.profile/v1: what the profile
// service shares about a company.
//
// It promises the attributes' names and types for as long as the major version
// lasts; attributes may be added, none is removed or changes its type. It does
// not promise what the strings say: some companies have empty ones.
package profilev1

import "github.com/tributary-dev/tributary/pkg/contracts"

// Profile is a company's shared profile. A nil field is absent, which an empty
// string or an empty list is not.
type Profile struct {
	// Name is the company's name.
	Name string `json:"name"`
	// Sector is the company's sector in the Global Industry Classification
	// Standard (GICS).
	Sector *string `json:"sector,omitzero"`
	// SubIndustry is the company's sub-industry in the same standard.
	SubIndustry *string `json:"subIndustry,omitzero"`
	// Headquarters is where the company's headquarters are.
	Headquarters *string `json:"headquarters,omitzero"`
	// Tickers are the symbols the company's shares trade under, in the
	// owner's order.
	Tickers []string `json:"tickers,omitzero"`
	// Founded says when the company was founded; free text, mostly a year.
	Founded *string `json:"founded,omitzero"`
	// DateAdded is the day the company joined the index, mostly YYYY-MM-DD.
	DateAdded *string `json:"dateAdded,omitzero"`
}

// Contract is company.profile/v1.
var Contract = contracts.MustDescribe[Profile]("company.profile", 1)
