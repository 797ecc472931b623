package subscribe

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

const (
	workFile   = "go.work"
	moduleFile = "go.mod"
	// services is where the workspace's services are, and roots where the
	// Terraform roots are that deploy them.
	services = "services"
	roots    = "deploy/terraform/services"
	// modules is where Tributary has its Terraform modules, below its root.
	modules = "deploy/terraform/modules"

	tributary = "github.com/tributary-dev/tributary/"
)

// needed are the modules that a subscriber is built on.
var needed = []string{tributary + "pkg/contracts", tributary + "pkg/localaws", tributary + "pkg/replica"}

// Workspace is a Go workspace that a subscriber can be added to.
type Workspace struct {
	// Root is the directory of go.work.
	Root    string
	file    *modfile.WorkFile
	text    []byte // of go.work, as it was read
	members []member
}

// member is a module of the workspace.
type member struct {
	path, dir string
	file      *modfile.File
}

// FindWorkspace returns the workspace that a directory is in.
func FindWorkspace(dir string) (*Workspace, error) {
	start, err := filepath.Abs(dir)
	if err == nil {
		start, err = filepath.EvalSymlinks(start)
	}
	if err != nil {
		return nil, fmt.Errorf("find workspace: %w", err)
	}
	for at := start; ; at = filepath.Dir(at) {
		text, err := os.ReadFile(filepath.Join(at, workFile))
		switch {
		case err == nil:
			return readWorkspace(at, text)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("find workspace: %w", err)
		case at == filepath.Dir(at):
			return nil, fmt.Errorf("find workspace: there is no %s in %s or above it; run this inside the project, or name its directory with --dir (go work init makes one)", workFile, start)
		}
	}
}

func readWorkspace(root string, text []byte) (*Workspace, error) {
	name := filepath.Join(root, workFile)
	file, err := modfile.ParseWork(name, text, nil)
	if err != nil {
		return nil, fmt.Errorf("read workspace: %w", err)
	}
	w := &Workspace{Root: root, file: file, text: text}
	for _, use := range file.Use {
		dir := filepath.FromSlash(use.Path)
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(root, dir)
		}
		name := filepath.Join(dir, moduleFile)
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read workspace: a module that %s uses: %w", workFile, err)
		}
		parsed, err := modfile.Parse(name, text, nil)
		if err != nil {
			return nil, fmt.Errorf("read workspace: %w", err)
		}
		if parsed.Module == nil {
			return nil, fmt.Errorf("read workspace: %s has no module line", name)
		}
		w.members = append(w.members, member{parsed.Module.Mod.Path, dir, parsed})
	}
	return w, nil
}

// servicesPath returns the module path below which the workspace's services
// are: that of services/x, without the x.
func (w *Workspace) servicesPath() (string, error) {
	var found []string
	for _, m := range w.members {
		if filepath.Dir(m.dir) == filepath.Join(w.Root, services) && path.Base(m.path) == filepath.Base(m.dir) {
			found = append(found, path.Dir(m.path))
		}
	}
	slices.Sort(found)
	switch found = slices.Compact(found); len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("module path: no module of the workspace is in %s/, from which it would follow; say it with --module, as in --module example.com/shop/services/news", services)
	default:
		return "", fmt.Errorf("module path: the services have several, %s; say the new one with --module", strings.Join(found, " and "))
	}
}

// locate returns the directory of a module that the workspace uses, or that one
// of its modules replaces by a directory.
func (w *Workspace) locate(modulePath string) (string, error) {
	for _, m := range w.members {
		if m.path == modulePath {
			return m.dir, nil
		}
	}
	for _, m := range w.members {
		for _, r := range m.file.Replace {
			if r.Old.Path != modulePath || r.New.Version != "" {
				continue
			}
			if dir := filepath.FromSlash(r.New.Path); filepath.IsAbs(dir) {
				return dir, nil
			}
			return filepath.Join(m.dir, filepath.FromSlash(r.New.Path)), nil
		}
	}
	return "", fmt.Errorf("module %s: the workspace neither uses nor replaces it; add Tributary's checkout with go work use", modulePath)
}

// uses says whether a module of that path is in the workspace.
func (w *Workspace) uses(modulePath string) bool {
	return slices.ContainsFunc(w.members, func(m member) bool { return m.path == modulePath })
}

// with returns go.work with one more module.
func (w *Workspace) with(dir string) ([]byte, error) {
	file, err := modfile.ParseWork(workFile, w.text, nil)
	if err != nil {
		return nil, err
	}
	if err := file.AddUse("./"+dir, ""); err != nil {
		return nil, err
	}
	file.SortBlocks()
	file.Cleanup()
	return modfile.Format(file.Syntax), nil
}

// from returns the way from a directory of the workspace to another one, as a
// go.mod and a Terraform file have it.
func (w *Workspace) from(dir, to string) string {
	if real, err := filepath.EvalSymlinks(to); err == nil {
		to = real
	}
	way, err := filepath.Rel(filepath.Join(w.Root, filepath.FromSlash(dir)), to)
	if err != nil { // another volume
		return filepath.ToSlash(to)
	}
	if way = filepath.ToSlash(way); !strings.HasPrefix(way, "../") {
		way = "./" + way
	}
	return way
}
