package contracts

import (
	"errors"
	"fmt"
	"slices"
)

// Catalog is a set of contracts, to decode events with. It is immutable and
// safe to use concurrently; a nil Catalog has no contracts.
type Catalog struct {
	contracts []*Contract
	byID      map[string]*Contract
	byType    map[string]eventType
}

type eventType struct {
	contract  *Contract
	operation Operation
}

// NewCatalog returns the catalog of these contracts. Two of one name and major
// version are an error.
func NewCatalog(contracts ...*Contract) (*Catalog, error) {
	c := &Catalog{
		contracts: slices.Clone(contracts),
		byID:      make(map[string]*Contract, len(contracts)),
		byType:    make(map[string]eventType, 2*len(contracts)),
	}
	for _, contract := range contracts {
		if contract == nil {
			return nil, errors.New("catalog: a contract is nil")
		}
		id := contract.ID()
		if _, twice := c.byID[id]; twice {
			return nil, fmt.Errorf("catalog: contract %s is there twice", id)
		}
		c.byID[id] = contract
		c.byType[contract.ChangedType()] = eventType{contract, Upsert}
		c.byType[contract.DeletedType()] = eventType{contract, Delete}
	}
	return c, nil
}

// ByID returns the contract of that ID, such as "company.profile/v1".
func (c *Catalog) ByID(id string) (*Contract, bool) {
	if c == nil {
		return nil, false
	}
	contract, ok := c.byID[id]
	return contract, ok
}

// All returns the contracts in the order they were given.
func (c *Catalog) All() []*Contract {
	if c == nil {
		return nil
	}
	return slices.Clone(c.contracts)
}

// typed returns what an event of that type is.
func (c *Catalog) typed(name string) (eventType, bool) {
	if name == CanaryType {
		return eventType{nil, Canary}, true
	}
	if c == nil {
		return eventType{}, false
	}
	t, ok := c.byType[name]
	return t, ok
}
