package accounttest

// Owner is the manifest of a service that owns companies and publishes all that
// their contract has. Its last lines are of the publication.
const Owner = `
service: profile
tables:
  - name: companies
    partition_key: {name: cik, type: S}
    stream: true
    ttl_attribute: expiresAt
publishes:
  - contract: company.profile/v1
    table: companies
    key: {cik: "{cik}"}
`

// Stats is the manifest of a service that merges copies into its own items and
// fans them out. Its last lines are of the fan-out.
const Stats = `
service: stats
tables:
  - name: company-stats
    partition_key: {name: cik, type: S}
  - name: watchlists
    partition_key: {name: user, type: S}
    sort_key: {name: cik, type: S}
    indexes:
      - name: by-cik
        partition_key: {name: cik, type: S}
        sort_key: {name: user, type: S}
        projection: keys_only
        include: [profileVersion, profileMapping]
subscribes:
  - contract: company.profile/v1
    attributes: [name, sector]
    replicas:
      - table: company-stats
        key: {cik: subject}
        set: {companyName: name, sector: sector}
        version_attribute: profileVersion
        on_delete: clear
      - table: watchlists
        index: by-cik
        set: {companyName: name}
        version_attribute: profileVersion
        on_delete: clear
`
