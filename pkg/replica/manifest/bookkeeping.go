package manifest

// Bookkeeping names the attributes that travel with a version attribute.
type Bookkeeping struct {
	Version   string // the version itself
	Stamped   string // version given by a stamp; owners only
	Deleted   string // true on a tombstone
	ExpiresAt string // a tombstone's expiry, epoch seconds; the table's TTL attribute
	Mapping   string // fingerprint of the mapping; replicas only
}

// Names returns every name.
func (b Bookkeeping) Names() []string {
	return []string{b.Version, b.Stamped, b.Deleted, b.ExpiresAt, b.Mapping}
}

// BookkeepingFor derives the names from a version attribute's: "version" gives
// stampedVersion, deleted, expiresAt and mapping; "profileVersion" gives
// profileStampedVersion, profileDeleted and so on; any other name x gives
// xStamped, xDeleted and so on.
func BookkeepingFor(versionAttribute string) Bookkeeping {
	const version, suffix = "version", "Version"
	if versionAttribute == version {
		return Bookkeeping{Version: version, Stamped: "stampedVersion", Deleted: "deleted", ExpiresAt: "expiresAt", Mapping: "mapping"}
	}
	if n := len(versionAttribute) - len(suffix); n > 0 && versionAttribute[n:] == suffix {
		of := versionAttribute[:n]
		return Bookkeeping{Version: versionAttribute, Stamped: of + "StampedVersion", Deleted: of + "Deleted", ExpiresAt: of + "ExpiresAt", Mapping: of + "Mapping"}
	}
	of := versionAttribute
	return Bookkeeping{Version: of, Stamped: of + "Stamped", Deleted: of + "Deleted", ExpiresAt: of + "ExpiresAt", Mapping: of + "Mapping"}
}

// Bookkeeping returns the names of the source item's bookkeeping attributes.
func (p Publication) Bookkeeping() Bookkeeping {
	if p.VersionAttribute == "" {
		return BookkeepingFor(DefaultVersionAttribute)
	}
	return BookkeepingFor(p.VersionAttribute)
}

// Bookkeeping returns the names of the copy's bookkeeping attributes.
func (r Replica) Bookkeeping() Bookkeeping { return BookkeepingFor(r.VersionAttribute) }
