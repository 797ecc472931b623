package tool

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	// mirrorVariable names a filesystem mirror of providers.
	mirrorVariable = "TERRAFORM_MIRROR"

	providerHost    = "registry.terraform.io"
	providerAddress = providerHost + "/hashicorp/aws"
)

// The search for a mirror looks at directories down to a depth below each place,
// and at so many of them at most: it is a look, and no inventory.
const (
	searchDepth       = 4
	searchDirectories = 30_000
)

// usual are the places where people and images keep mirrors, the likeliest first.
func usual() []string {
	var places []string
	add := func(place string) {
		if place != "" {
			places = append(places, place)
		}
	}
	add(os.Getenv("TF_PLUGIN_CACHE_DIR"))
	if home, err := os.UserHomeDir(); err == nil {
		add(filepath.Join(home, ".terraform.d"))
		add(filepath.Join(home, ".local", "share", "terraform"))
	}
	return append(places, "/opt", "/srv", "/usr/local", "/usr/share", "/usr/lib", "/var/lib", "/var/cache", "/home")
}

// search returns the first folder below the places that holds the provider in
// the layout of a filesystem mirror, "" where none does.
func search(places []string, version string) string {
	for _, place := range places {
		found, seen := "", 0
		// What cannot be read is no mirror.
		_ = filepath.WalkDir(place, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return skip(entry)
			}
			if seen++; seen > searchDirectories {
				return fs.SkipAll
			}
			if entry.Name() == providerHost {
				if parent := filepath.Dir(path); holds(parent, version) {
					found = parent
					return fs.SkipAll
				}
				return fs.SkipDir
			}
			below, err := filepath.Rel(place, path)
			if err != nil || strings.Count(below, string(filepath.Separator)) >= searchDepth-1 {
				return fs.SkipDir
			}
			return nil
		})
		if found != "" {
			return found
		}
	}
	return ""
}

// skip goes on without an entry that is no directory, or cannot be read.
func skip(entry fs.DirEntry) error {
	if entry != nil && entry.IsDir() {
		return fs.SkipDir
	}
	return nil
}

// holds reports whether a folder is a filesystem mirror with the provider for
// this platform, unpacked or packed (Terraform, "CLI Configuration", explicit
// installation method configuration).
func holds(folder, version string) bool {
	platform := runtime.GOOS + "_" + runtime.GOARCH
	provider := filepath.Join(folder, filepath.FromSlash(providerAddress))
	for _, name := range []string{
		filepath.Join(provider, version, platform),
		filepath.Join(provider, fmt.Sprintf("terraform-provider-aws_%s_%s.zip", version, platform)),
	} {
		if _, err := os.Stat(name); err == nil {
			return true
		}
	}
	return false
}

// mirrorConfig is a CLI configuration by which Terraform takes the provider from
// a folder and from nowhere else.
func mirrorConfig(folder string) string {
	return fmt.Sprintf(`provider_installation {
  filesystem_mirror {
    path    = %q
    include = ["%s"]
  }
  direct {
    exclude = ["%s"]
  }
}
`, folder, providerAddress, providerAddress)
}
