// Package release packages the project's services: a deployment package for
// each program that runs as a Lambda function, an OCI image for every program,
// and a listing of them.
//
// It promises that the output directory is replaced as a whole or not at all,
// and that equal sources and one Go release make equal bytes of everything in
// it, but for the references of what was pushed. Nothing is pushed before
// everything is built and written. One image that a registry refuses keeps no
// other from being pushed, and what was pushed is listed. A push that is repeated
// sends what is missing.
package release

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tributary-dev/tributary/deploy/package/internal/compile"
	"github.com/tributary-dev/tributary/deploy/package/internal/function"
	"github.com/tributary-dev/tributary/deploy/package/internal/image"
)

// ListingFile is the listing's name in the output directory.
const ListingFile = "artifacts.json"

// functionArch is what the relay's function runs on.
const functionArch = "arm64"

// Config says what to package, and where to.
type Config struct {
	Programs []compile.Program
	// Architectures of the images, arm64 or amd64, in the index's order.
	Architectures []string
	// Out is the directory that is made or replaced. It is refused where it
	// holds something other than an earlier listing.
	Out string
	// Push is what the repositories' names begin with: images go to
	// <Push>/<program>. Nothing is pushed where it is empty.
	Push string
	// Cache is Go's build cache; the user's if empty.
	Cache string
	// Report is told what begins. It may be nil.
	Report func(step string)
}

// Run packages the programs.
func Run(ctx context.Context, c Config) (Listing, error) {
	if c.Report == nil {
		c.Report = func(string) {}
	}
	listing := Listing{Go: compile.Release(runtime.Version()), Functions: make(map[string]Function), Images: make(map[string]Image)}
	if err := c.validate(); err != nil {
		return Listing{}, err
	}
	out, err := filepath.Abs(c.Out)
	if err != nil {
		return Listing{}, err
	}
	if err := replaceable(out); err != nil {
		return Listing{}, err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return Listing{}, err
	}
	partial, err := os.MkdirTemp(filepath.Dir(out), "."+filepath.Base(out)+"-")
	if err != nil {
		return Listing{}, err
	}
	defer func() { _ = os.RemoveAll(partial) }()
	if err := os.Chmod(partial, 0o755); err != nil {
		return Listing{}, err
	}
	indexes := make(map[string]v1.ImageIndex)
	for _, p := range c.Programs {
		if indexes[p.Name], err = c.program(ctx, p, partial, &listing); err != nil {
			return Listing{}, err
		}
	}
	if err := write(partial, listing); err != nil {
		return Listing{}, err
	}
	if err := replace(out, partial); err != nil {
		return Listing{}, err
	}
	if c.Push == "" {
		return listing, nil
	}
	refused := c.push(ctx, indexes, &listing)
	if err := write(out, listing); err != nil {
		refused = errors.Join(refused, err)
	}
	return listing, refused
}

// push uploads every image, and lists the references of those that arrived. All
// are tried: what is wrong with each is known after one run.
func (c Config) push(ctx context.Context, indexes map[string]v1.ImageIndex, listing *Listing) error {
	var refused []error
	for _, p := range c.Programs {
		repository, err := image.Repository(c.Push, p.Name)
		if err != nil {
			return err
		}
		c.Report("push " + repository.Name())
		reference, err := image.Push(ctx, repository, indexes[p.Name])
		if ctx.Err() != nil {
			return errors.Join(append(refused, fmt.Errorf("push %s: %w", repository, context.Cause(ctx)))...)
		}
		if err != nil {
			refused = append(refused, err)
			continue
		}
		one := listing.Images[p.Name]
		one.Reference = reference
		listing.Images[p.Name] = one
	}
	return errors.Join(refused...)
}

// validate reports what would be found out only after minutes of compiling.
func (c Config) validate() error {
	var problems []error
	if len(c.Architectures) == 0 {
		problems = append(problems, errors.New("architectures: none; want arm64, amd64 or both"))
	}
	for i, arch := range c.Architectures {
		switch {
		case arch != "arm64" && arch != "amd64":
			problems = append(problems, fmt.Errorf("architecture %q: want arm64 or amd64", arch))
		case slices.Contains(c.Architectures[:i], arch):
			problems = append(problems, fmt.Errorf("architecture %s: named twice", arch))
		}
	}
	if c.Push != "" {
		if _, err := image.Repository(c.Push, "program"); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// program packages one program into the directory and lists what it has become.
func (c Config) program(ctx context.Context, p compile.Program, dir string, listing *Listing) (v1.ImageIndex, error) {
	isFunction := strings.HasSuffix(p.Name, relaySuffix)
	architectures := c.Architectures
	if isFunction {
		architectures = append([]string{functionArch}, architectures...)
	}
	binaries := make(map[string][]byte)
	for _, arch := range architectures {
		if binaries[arch] != nil {
			continue
		}
		c.Report("compile " + p.Name + " for linux/" + arch)
		binary, err := compile.Binary(ctx, p, arch, c.Cache)
		if err != nil {
			return nil, err
		}
		binaries[arch] = binary
	}
	if isFunction {
		content, err := function.Zip(binaries[functionArch])
		if err != nil {
			return nil, fmt.Errorf("function %s: %w", p.Name, err)
		}
		name := p.Name + ".zip"
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return nil, err
		}
		sum := sha256.Sum256(content)
		listing.Functions[p.Name] = Function{File: name, Bytes: int64(len(content)), SHA256: base64.StdEncoding.EncodeToString(sum[:])}
	}
	c.Report("image " + p.Name)
	index, err := image.Index(p.Name, c.Architectures, binaries)
	if err != nil {
		return nil, err
	}
	if err := image.Write(filepath.Join(dir, p.Name), index); err != nil {
		return nil, err
	}
	digest, err := index.Digest()
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", p.Name, err)
	}
	size, err := image.Bytes(index)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", p.Name, err)
	}
	entry := Image{Layout: p.Name, Digest: digest.String(), Bytes: size}
	for _, arch := range c.Architectures {
		entry.Platforms = append(entry.Platforms, "linux/"+arch)
	}
	listing.Images[p.Name] = entry
	return index, nil
}

// write puts the listing into the directory, whole or not at all.
func write(dir string, listing Listing) error {
	content, err := json.MarshalIndent(listing, "", "  ")
	if err != nil {
		return err
	}
	partial := filepath.Join(dir, "."+ListingFile)
	if err := os.WriteFile(partial, append(content, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(partial, filepath.Join(dir, ListingFile))
}

// replaceable reports why the directory must stay: a mistyped path is not to
// take somebody's files away.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) || err == nil && len(entries) == 0 {
		return nil
	}
	if err == nil {
		if _, err = os.Stat(filepath.Join(dir, ListingFile)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("replace %s: it is in use and has no %s of an earlier run: name another directory: %w", dir, ListingFile, err)
}

// replace puts the finished directory where it belongs.
func replace(out, finished string) error {
	old := finished + ".old"
	if err := os.Rename(out, old); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := os.Rename(finished, out); err != nil {
		return err
	}
	return os.RemoveAll(old)
}
