package release

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tributary-dev/tributary/deploy/package/internal/compile"
)

// A program with this ending is a Lambda function too, since relays are: the
// same binary finds out what started it.
const relaySuffix = "-relay"

// Programs are the commands of the services below root, services/*/cmd/*, by
// name; those with these names, where there are any.
func Programs(root string, only []string) ([]compile.Program, error) {
	dirs, err := filepath.Glob(filepath.Join(root, "services", "*", "cmd", "*"))
	if err != nil {
		return nil, fmt.Errorf("list services of %s: %w", root, err)
	}
	var programs []compile.Program
	homes := make(map[string]string)
	for _, dir := range dirs {
		if sources, err := filepath.Glob(filepath.Join(dir, "*.go")); err != nil || len(sources) == 0 {
			continue
		}
		name, module := filepath.Base(dir), filepath.Dir(filepath.Dir(dir))
		if other, taken := homes[name]; taken {
			return nil, fmt.Errorf("program %s: both %s and %s have one; images are named after programs, rename one", name, other, module)
		}
		homes[name] = module
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		programs = append(programs, compile.Program{Name: name, Module: module, Package: "./cmd/" + name})
	}
	for _, name := range only {
		if homes[name] == "" {
			return nil, fmt.Errorf("program %s: no service below %s has a cmd/%s; there are %s", name, filepath.Join(root, "services"), name, strings.Join(names(homes), ", "))
		}
	}
	if len(programs) == 0 {
		return nil, fmt.Errorf("list services of %s: %w: no services/*/cmd/*; run this in the project's root", root, os.ErrNotExist)
	}
	slices.SortFunc(programs, func(a, b compile.Program) int { return strings.Compare(a.Name, b.Name) })
	return programs, nil
}

func names[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
