// Package catalog lists every contract of this workspace. It is for tools that
// must read any event; a service imports the contracts it uses and nothing
// else. It promises that each contract with a package here is in the list.
package catalog

import (
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// All returns the catalog of every contract of this workspace.
func All() *contracts.Catalog {
	all, err := contracts.NewCatalog(profilev1.Contract)
	if err != nil { // two packages here describe one contract
		panic(err)
	}
	return all
}
