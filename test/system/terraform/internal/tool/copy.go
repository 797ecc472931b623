package tool

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// lockFile holds the hashes of the providers.
const lockFile = ".terraform.lock.hcl"

// Copy copies the Terraform configuration of the project at root, and what it
// reads (the manifests and the contracts' schemas), to the same places below
// another directory. What Terraform has left behind in the project stays there,
// and so do the lock files of modules, which only roots have.
func Copy(root, to string) error {
	for _, part := range []string{"deploy/terraform", "services", "pkg/contracts/schema"} {
		from := filepath.Join(root, filepath.FromSlash(part))
		err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			below, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			slashed := filepath.ToSlash(below)
			switch {
			case entry.Name() == ".terraform" || entry.IsDir() && part == "services" && strings.Count(slashed, "/") > 1:
				return fs.SkipDir
			case entry.IsDir():
				return os.MkdirAll(filepath.Join(to, below), 0o755)
			case !entry.Type().IsRegular(), part == "services" && entry.Name() != "replication.yaml",
				entry.Name() == lockFile && strings.Contains(slashed, "/modules/"),
				strings.Contains(entry.Name(), ".tfstate"), strings.HasSuffix(entry.Name(), ".tfplan"):
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(to, below), text, 0o644)
		})
		if err != nil {
			return fmt.Errorf("copy the configuration: %w", err)
		}
	}
	return nil
}
