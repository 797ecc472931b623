package contracts_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Every service and every tool imports contracts. What contracts imports,
// everybody builds, and a service that only reads events must not come to
// depend on AWS, on a message router or on another service through it.
func TestContractsImportNothingButTheStandardLibraryAndDecimals(t *testing.T) {
	const ours = "github.com/tributary-dev/tributary/pkg/contracts"
	allowed := []string{ours, ours + "/profilev1", ours + "/catalog", "github.com/cockroachdb/apd/v3"}
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ours, ours+"/profilev1", ours+"/catalog").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	found := strings.Fields(string(out))
	if !slices.Contains(found, ours) {
		t.Fatalf("go list does not know this package: %s", out)
	}
	for _, path := range found {
		if slices.Contains(allowed, path) {
			continue
		}
		reason := "everybody who reads events would build it; keep it in tests or below internal/schemagen"
		switch {
		case strings.Contains(path, "aws"):
			reason = "contracts say what travels, not by what: AWS is the adapters' in package replica"
		case strings.Contains(path, "watermill"), strings.Contains(path, "cloudevents"):
			reason = "the wire format must not follow a library's; tests show that others can read it"
		case strings.HasPrefix(path, "github.com/tributary-dev/"):
			reason = "contracts is at the bottom: services and replica depend on it, never the other way round"
		}
		t.Errorf("contracts imports %s: %s", path, reason)
	}
}
