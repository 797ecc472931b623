package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// load reads the manifests that --manifest names, or those it finds. Every
// problem of every manifest is in the error.
func (g *globals) load() ([]*manifest.Manifest, error) {
	paths, err := g.manifestPaths()
	if err != nil {
		return nil, err
	}
	var all []*manifest.Manifest
	var errs []error
	for _, path := range paths {
		m, err := manifest.Load(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, m)
	}
	return all, errors.Join(errs...)
}

func (g *globals) manifestPaths() ([]string, error) {
	if len(g.manifests) == 0 {
		return searchUpwards()
	}
	var paths []string
	for _, named := range g.manifests {
		about, err := os.Stat(named)
		if err != nil {
			return nil, fmt.Errorf("read manifest: %w", err)
		}
		if !about.IsDir() {
			paths = append(paths, named)
			continue
		}
		found := within(named)
		if len(found) == 0 {
			return nil, fmt.Errorf("read manifests in %s: there is none; one is called %s, there, in a directory there, or in services/*", named, manifest.FileName)
		}
		paths = append(paths, found...)
	}
	return unique(paths), nil
}

// within returns the manifests of a service's, a services' or a project's
// directory.
func within(directory string) []string {
	for _, pattern := range [][]string{{manifest.FileName}, {"*", manifest.FileName}, {"services", "*", manifest.FileName}} {
		// Glob's only error is a malformed pattern; the directory is escaped.
		found, _ := filepath.Glob(filepath.Join(append([]string{escape(directory)}, pattern...)...))
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// searchUpwards finds the project's manifests from anywhere inside it.
func searchUpwards() ([]string, error) {
	start, err := os.Getwd()
	if err != nil {
		return nil, fmt.Errorf("search manifests: %w", err)
	}
	for directory := start; ; directory = filepath.Dir(directory) {
		found, _ := filepath.Glob(filepath.Join(escape(directory), "services", "*", manifest.FileName)) // see within
		if len(found) > 0 {
			return shortened(start, found), nil
		}
		if directory == filepath.Dir(directory) {
			return nil, fmt.Errorf("search manifests: there is no services/*/%s in %s or above it; name them with --manifest", manifest.FileName, start)
		}
	}
}

// shortened makes paths relative to where the user is, as far as that goes:
// they are in every message about a manifest.
func shortened(from string, paths []string) []string {
	for i, path := range paths {
		if short, err := filepath.Rel(from, path); err == nil && len(short) < len(path) {
			paths[i] = short
		}
	}
	return paths
}

// unique drops paths that lead to a file for the second time.
func unique(paths []string) []string {
	var files []os.FileInfo
	return slices.DeleteFunc(paths, func(path string) bool {
		about, err := os.Stat(path)
		if err != nil {
			return false // Load says so
		}
		if slices.ContainsFunc(files, func(seen os.FileInfo) bool { return os.SameFile(seen, about) }) {
			return true
		}
		files = append(files, about)
		return false
	})
}

// escape makes a directory's name stand for itself in a pattern.
func escape(directory string) string {
	var escaped []rune
	for _, r := range directory {
		if r == '*' || r == '?' || r == '[' || r == '\\' && filepath.Separator == '/' {
			escaped = append(escaped, '\\')
		}
		escaped = append(escaped, r)
	}
	return string(escaped)
}
