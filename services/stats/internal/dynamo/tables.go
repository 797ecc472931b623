package dynamo

// The tables and indexes, as the service's manifest declares them.
const (
	CompanyTable   = "company-stats"
	RowTable       = "statistics"
	WatchlistTable = "watchlists"

	SectorIndex = "by-sector"
)

// TableNames returns the tables this package reads and writes.
func TableNames() []string { return []string{CompanyTable, RowTable, WatchlistTable} }

// Attributes. The first group is written by the replica library alone.
const (
	attrName           = "companyName"
	attrSector         = "sector"
	attrSectorKey      = "sectorKey"
	attrProfileVersion = "profileVersion"

	attrCIK        = "cik"
	attrLatest     = "latest"
	attrLatestDate = "latestDate"
	attrMarketCap  = "marketCap"
	attrRevision   = "statsRevision"

	attrDateTicker = "dateTicker"
	attrRowVersion = "rowVersion"

	attrUser    = "user"
	attrAddedAt = "addedAt"
)
