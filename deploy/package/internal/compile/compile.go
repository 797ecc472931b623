// Package compile turns a Go command into the bytes of one static Linux binary.
//
// It promises that the bytes follow from the sources, the modules that go.sum
// names, the architecture and the Go release alone: not from the directory, the
// day, the machine, its caches, nor the environment and settings of whoever
// builds. The module is built by its own go.mod, outside of a workspace, as one
// who has nothing but this module builds it. What it returns needs no loader and
// no library, and is for the architecture asked for.
//
// It does not promise equal bytes from different Go releases: the packager is
// compiled by the release that it compiles with.
package compile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Program is a Go command of one module.
type Program struct {
	// Name is what the program is called: the last part of its package's path.
	Name string
	// Module is the directory with the module's go.mod.
	Module string
	// Package is the command's package, relative to Module, as in ./cmd/stats.
	Package string
}

// fetch are the settings that say where modules and toolchains come from and
// where they are kept. go.sum holds what comes to its hash, so that they have no
// say in the bytes; everything else that go reads from the environment has none
// either, since it is not passed on.
var fetch = []string{
	"GOAUTH", "GOCACHE", "GOINSECURE", "GOMODCACHE", "GONOPROXY", "GONOSUMDB",
	"GOPATH", "GOPRIVATE", "GOPROXY", "GOSUMDB", "GOVCS",
}

// Binary compiles the program for Linux on the architecture, arm64 or amd64. A
// cache other than the user's is used where the directory is given.
func Binary(ctx context.Context, p Program, arch, cache string) ([]byte, error) {
	binary, err := build(ctx, p, arch, cache)
	if err == nil {
		err = Check(binary, arch)
	}
	if err != nil {
		return nil, fmt.Errorf("compile %s for linux/%s: %w", p.Name, arch, err)
	}
	return binary, nil
}

func build(ctx context.Context, p Program, arch, cache string) ([]byte, error) {
	environment, err := environ(ctx, p.Module, arch)
	if err != nil {
		return nil, err
	}
	if cache != "" {
		environment = append(environment, "GOCACHE="+cache)
	}
	dir, err := os.MkdirTemp("", "tributary-compile-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, p.Name)
	// A build id would differ between builds that are equal in everything else;
	// symbols and DWARF are two fifths of the binary, and Go's traces need
	// neither.
	command := exec.CommandContext(ctx, "go", "build", "-mod=readonly", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -buildid=", "-o", file, p.Package)
	command.Dir, command.Env = p.Module, environment
	if out, err := command.CombinedOutput(); err != nil {
		return nil, said(ctx, err, out)
	}
	return os.ReadFile(file)
}

// fetchable is the form of the toolchains that there are to fetch.
var fetchable = regexp.MustCompile(`^go1\.[0-9]+(\.[0-9]+|rc[0-9]+)$`)

// Release is the Go release of a runtime.Version(), without the experiments that
// it may name: programs are compiled by the packager's release, and get none.
func Release(version string) string {
	version, _, _ = strings.Cut(version, " X:")
	version, _, _ = strings.Cut(version, "-X:")
	return version
}

// environ is the build's environment. GOENV=off, since "go env -w" would speak
// where a variable is empty.
func environ(ctx context.Context, dir, arch string) ([]string, error) {
	var environment []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GO") && !strings.HasPrefix(v, "CGO_") && !strings.HasPrefix(v, "PWD=") {
			environment = append(environment, v)
		}
	}
	command := exec.CommandContext(ctx, "go", append([]string{"env", "-json"}, fetch...)...)
	command.Dir = dir
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", said(ctx, err, stderr.Bytes()))
	}
	var settings map[string]string
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	for _, name := range fetch {
		if value := settings[name]; value != "" {
			environment = append(environment, name+"="+value)
		}
	}
	toolchain := "local"
	if release := Release(runtime.Version()); fetchable.MatchString(release) {
		toolchain = release
	}
	return append(environment, "GOENV=off", "GOWORK=off", "GOTOOLCHAIN="+toolchain, "CGO_ENABLED=0",
		"GOOS=linux", "GOARCH="+arch, "GOARM64=v8.0", "GOAMD64=v1", "PWD="+dir), nil
}

// said is the error with what the command wrote, which is all that explains it.
func said(ctx context.Context, err error, out []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if text := strings.TrimSpace(string(out)); text != "" {
		return errors.Join(err, errors.New(text))
	}
	return err
}
