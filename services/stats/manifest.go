// Package stats holds what the stats service declares to the rest of the
// system: its manifest, as the service's own binaries carry it. The service
// itself is below internal and cmd.
package stats

import _ "embed"

// Manifest is the content of replication.yaml. It must not be modified.
//
//go:embed replication.yaml
var Manifest []byte
