package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What no workspace could make right is wrong usage; what is in the way there is
// an error.
func TestSubscribeTellsWrongUsageFromWhatIsInTheWay(t *testing.T) {
	project, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	if err := os.WriteFile(filepath.Join(empty, "go.work"), []byte("go 1.26.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for behaviour, c := range map[string]struct {
		dir, service, contract, attributes string
		code                               int
		says                               string
	}{
		"a plan is made":                       {project, "check-newcomer", "company.profile/v1", "name", exitOK, ""},
		"a name that is none":                  {project, "News", "company.profile/v1", "name", exitUsage, "lower case"},
		"a contract that nobody has":           {project, "check-newcomer", "company.filing/v1", "name", exitUsage, "it knows company.profile/v1"},
		"an attribute that the contract lacks": {project, "check-newcomer", "company.profile/v1", "nmae", exitUsage, "its attributes are name"},
		"a service that is there":              {project, "stats", "company.profile/v1", "name", exitError, "services/stats is there already"},
		"a workspace that knows no owner":      {empty, "check-newcomer", "company.profile/v1", "name", exitError, "the contract's owner has to be known, by the workspace's manifests or by --manifest"},
	} {
		t.Run(behaviour, func(t *testing.T) {
			var out, complaints bytes.Buffer
			code := Run(t.Context(), []string{"subscribe", c.service, "--dir", c.dir, "--contract", c.contract, "--attributes", c.attributes}, &out, &complaints)
			if code != c.code || !strings.Contains(complaints.String(), c.says) {
				t.Errorf("exit code %d, want %d, with %q: %s", code, c.code, c.says, &complaints)
			}
		})
	}
}
