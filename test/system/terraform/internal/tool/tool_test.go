package tool

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// file writes a file below a directory, with the directories above it.
func file(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestMirrorIsFoundWhereItHasTheVersionForThisPlatform(t *testing.T) {
	platform := runtime.GOOS + "_" + runtime.GOARCH
	for _, row := range []struct {
		behaviour, holds string
		found            bool
	}{
		{"unpacked", "a/b/" + providerAddress + "/5.100.0/" + platform + "/provider", true},
		{"packed", "a/" + providerAddress + "/terraform-provider-aws_5.100.0_" + platform + ".zip", true},
		{"the place itself", providerAddress + "/5.100.0/" + platform + "/provider", true},
		{"another version", "a/" + providerAddress + "/5.99.0/" + platform + "/provider", false},
		{"another platform", "a/" + providerAddress + "/5.100.0/plan9_mips/provider", false},
		{"another registry", "a/registry.example.com/hashicorp/aws/5.100.0/" + platform + "/provider", false},
		{"too deep to be looked for", "a/b/c/d/e/f/" + providerAddress + "/5.100.0/" + platform + "/provider", false},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			dir := t.TempDir()
			file(t, dir, row.holds, "")
			found := search([]string{filepath.Join(dir, "nowhere"), dir}, "5.100.0")
			if (found != "") != row.found {
				t.Fatalf("found %q, want one: %t", found, row.found)
			}
			if row.found && !holds(found, "5.100.0") {
				t.Errorf("%s is not the folder that has %s in it", found, providerHost)
			}
		})
	}
}

func TestWhatIsNotOnThePathIsReportedWithAdvice(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Find(t.Context(), "versions.tf", t.TempDir())
	var missing *Missing
	if !errors.As(err, &missing) || missing.Advice == "" {
		t.Errorf("got %v, want what is missing and what to do", err)
	}
}

func TestCopyLeavesBehindWhatTerraformWrote(t *testing.T) {
	root, to := t.TempDir(), t.TempDir()
	kept := []string{
		"deploy/terraform/modules/table/main.tf", "deploy/terraform/modules/table/tests/a.tftest.hcl",
		"deploy/terraform/services/stats/.terraform.lock.hcl", "services/stats/replication.yaml", "pkg/contracts/schema/a.v1.json",
	}
	left := []string{
		"deploy/terraform/modules/table/.terraform/providers/x", "deploy/terraform/modules/table/.terraform.lock.hcl",
		"deploy/terraform/services/stats/terraform.tfstate", "deploy/terraform/services/stats/terraform.tfstate.backup",
		"services/stats/go.mod", "services/stats/internal/app/replication.yaml", "pkg/contracts/go.mod",
	}
	for _, name := range append(append([]string{}, kept...), left...) {
		file(t, root, name, name)
	}
	if err := Copy(root, to); err != nil {
		t.Fatal(err)
	}
	for _, name := range kept {
		if text, err := os.ReadFile(filepath.Join(to, filepath.FromSlash(name))); err != nil || string(text) != name {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(to, filepath.FromSlash(name))); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s was copied (%v)", name, err)
		}
	}
}

func TestPlainTextHasNoFrames(t *testing.T) {
	out := Output{Text: "╷\n│ Error: Resource postcondition failed\n│ \n│   nobody publishes\n│   it here\n╵\n"}
	if got, want := out.Plain(), "Error: Resource postcondition failed nobody publishes it here"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := out.reason(), "Resource postcondition failed nobody publishes it here"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
