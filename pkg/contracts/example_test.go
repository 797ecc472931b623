package contracts_test

import (
	"fmt"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// A change is published as one event and read back by its contract.
func Example() {
	state, err := contracts.Marshal(profilev1.Contract, profilev1.Profile{
		Name: "Abbott", Sector: new("Health Care"), Tickers: []string{"ABT"}, DateAdded: new(""),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	written := time.Date(2024, time.November, 7, 17, 20, 0, 0, time.UTC)
	body, err := contracts.Encode(&contracts.Change{
		Contract: profilev1.Contract, Operation: contracts.Upsert, Source: "/services/profile", Subject: "1800",
		Version: contracts.VersionAt(written), Origin: contracts.Live, Published: written.Add(time.Second),
		Changed: []string{"sector"}, Attributes: state,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	catalog, err := contracts.NewCatalog(profilev1.Contract)
	if err != nil {
		fmt.Println(err)
		return
	}
	change, err := contracts.Decode(body, catalog)
	if err != nil {
		fmt.Println(err)
		return
	}
	profile, err := contracts.Unmarshal[profilev1.Profile](change.Contract, change.Attributes)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(change.Operation, change.ID())
	fmt.Println(profile.Name, *profile.Sector, profile.Tickers, profile.Founded == nil, *profile.DateAdded == "")
	// Output:
	// upsert company.profile/v1/1800@1731000000000000
	// Abbott Health Care [ABT] true true
}
