package subscribe

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

//go:embed templates
var templates embed.FS

// Config says which subscriber is to be written.
type Config struct {
	// Workspace is what it is added to. Required.
	Workspace *Workspace
	// Set has the workspace's manifests: the contract's owner must be among
	// them. Required.
	Set *target.Set
	// Service is the new service's name.
	Service string
	// Contract is the contract's id.
	Contract string
	// Attributes are those to be copied.
	Attributes []string
	// Table is the table of the copies; <service>-<contract> by default.
	Table string
	// Module is the new module's path; by default beside the other services.
	Module string
	// TerraformSource is the source of the Terraform module subscriber; by
	// default Tributary's, by a relative path.
	TerraformSource string
}

// File is a file to be written.
type File struct {
	// Path is where, in the workspace, with slashes.
	Path    string
	Content []byte
}

// Plan is a subscriber that can be written.
type Plan struct {
	workspace *Workspace
	// Files are the new files, by path, and Work is what go.work is to be.
	Files []File
	Work  []byte
	// Module is the new module's path, and Table the table of the copies.
	Module, Table string
}

// subscriber is what the templates are filled with.
type subscriber struct {
	Service, Package, Module        string
	Contract, Topic, Owner, Queue   string
	ContractImport, ContractPackage string
	ContractType                    string
	Shared, Attributes              []string
	AttributeList                   string
	Table, ControlTable, Key        string
	VersionAttribute, Expires       string
	Example                         []field
	Other                           string
	Siblings                        []sibling
	ModuleSource, ManifestPath      string
}

// sibling is a module that the new one replaces by a directory.
type sibling struct{ Path, Relative string }

// New makes a subscriber, in memory. The error has everything that is in its
// way.
func New(cfg Config) (*Plan, error) {
	s, err := describe(cfg)
	if err != nil {
		return nil, err
	}
	p := &Plan{workspace: cfg.Workspace, Module: s.Module, Table: s.Table}
	if p.Files, err = render(s); err != nil {
		return nil, err
	}
	if p.Work, err = cfg.Workspace.with(path.Join(services, s.Service)); err != nil {
		return nil, fmt.Errorf("add to %s: %w", workFile, err)
	}
	return p, sound(p.Files, cfg.Set)
}

// describe finds out everything that is to be written.
func describe(cfg Config) (*subscriber, error) {
	if err := checkName(cfg.Service); err != nil {
		return nil, err
	}
	var problems []error
	note := func(err error) {
		if err != nil {
			problems = append(problems, err)
		}
	}
	w := cfg.Workspace
	s := &subscriber{
		Service: cfg.Service, Package: packageName(cfg.Service), Module: cfg.Module,
		Contract: cfg.Contract, Attributes: cfg.Attributes, AttributeList: strings.Join(cfg.Attributes, ", "),
		Table: cfg.Table, ControlTable: cfg.Service + "-replication-control",
		ManifestPath: path.Join(strings.Repeat("../", strings.Count(roots, "/")+2), services, cfg.Service, manifest.FileName),
	}
	if s.Module == "" {
		prefix, err := w.servicesPath()
		note(err)
		s.Module = path.Join(prefix, cfg.Service)
	}
	problems = append(problems, w.taken(cfg.Service, s.Module)...)
	note(s.of(cfg))
	note(s.stand(w, cfg.TerraformSource))
	return s, errors.Join(problems...)
}

// of fills in what follows from the contract.
func (s *subscriber) of(cfg Config) error {
	known, ok := cfg.Set.Catalog().ByID(cfg.Contract)
	if !ok {
		var ids []string
		for _, c := range cfg.Set.Catalog().All() {
			ids = append(ids, c.ID())
		}
		return wrong("contract %s: this replicactl was built without it; it knows %s; a contract of your own is a package like pkg/contracts/profilev1, listed in pkg/contracts/catalog, and then replicactl is built again",
			cfg.Contract, strings.Join(ids, ", "))
	}
	owner, err := cfg.Set.Publication(cfg.Contract)
	if err != nil {
		return err
	}
	var unknown []string
	for i, name := range cfg.Attributes {
		if _, ok := known.Lookup(name); !ok {
			unknown = append(unknown, name)
		} else if slices.Contains(cfg.Attributes[:i], name) {
			return wrong("attributes %s: it is there twice; name each once", name)
		}
	}
	if len(unknown) > 0 {
		return wrong("attributes %s: %s has none of that name; its attributes are %s", strings.Join(unknown, ", "), known.ID(), strings.Join(known.Names(), ", "))
	}
	if len(cfg.Attributes) == 0 {
		return wrong("attributes: there is none to copy; those of %s are %s", known.ID(), strings.Join(known.Names(), ", "))
	}
	s.Topic, s.Owner, s.Shared = owner.Publication.Topic, owner.Service(), known.Names()
	s.Queue = cfg.Service + "-" + s.Topic
	s.ContractImport = known.GoType().PkgPath()
	s.ContractPackage, s.ContractType, _ = strings.Cut(known.GoType().String(), ".")
	if s.Table == "" {
		s.Table = cfg.Service + "-" + manifest.TopicName(known.Name)
	}
	s.VersionAttribute = camel(known.Name[strings.LastIndexByte(known.Name, '.')+1:]) + "Version"
	s.Expires = manifest.BookkeepingFor(s.VersionAttribute).ExpiresAt
	for _, s.Key = range []string{"subject", "id", "key"} {
		if !slices.Contains(cfg.Attributes, s.Key) {
			break
		}
	}
	s.Example, s.Other = example(known, cfg.Attributes), unsubscribed(known, cfg.Attributes)
	return nil
}

// stand fills in where the new service stands: the ways to what it is built on.
func (s *subscriber) stand(w *Workspace, terraformSource string) error {
	var problems []error
	for _, modulePath := range needed {
		dir, err := w.locate(modulePath)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		s.Siblings = append(s.Siblings, sibling{modulePath, w.from(path.Join(services, s.Service), dir)})
	}
	if s.ModuleSource = terraformSource; s.ModuleSource != "" || len(problems) > 0 {
		return errors.Join(problems...)
	}
	here := []string{w.Root}
	if dir, err := w.locate(tributary + "pkg/replica"); err == nil {
		here = append(here, filepath.Join(dir, "..", ".."))
	}
	for _, root := range here {
		dir := filepath.Join(root, filepath.FromSlash(modules), "subscriber")
		if _, err := os.Stat(dir); err == nil {
			s.ModuleSource = w.from(path.Join(roots, s.Service), dir)
			return nil
		}
	}
	return fmt.Errorf("terraform module subscriber: %s has none; say its source with --terraform-source, as in --terraform-source 'git::https://example.com/tributary.git//%s/subscriber'", strings.Join(here, " and "), modules)
}

// render fills the templates.
func render(s *subscriber) ([]File, error) {
	var files []File
	err := fs.WalkDir(templates, "templates", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := templates.ReadFile(name)
		if err != nil {
			return err
		}
		content, err := fill(name, string(text), s)
		if err != nil {
			return err
		}
		files = append(files, File{destination(name, s.Service), content})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("write subscriber %s: %w", s.Service, err)
	}
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}

func fill(name, text string, s *subscriber) ([]byte, error) {
	parsed, err := template.New(name).Delims("«", "»").
		Funcs(template.FuncMap{"yaml": yamlText, "list": yamlList}).Parse(text)
	if err != nil {
		return nil, err
	}
	var filled bytes.Buffer
	if err := parsed.Execute(&filled, s); err != nil {
		return nil, err
	}
	if !strings.HasSuffix(name, ".go.tmpl") {
		return filled.Bytes(), nil
	}
	return format.Source(filled.Bytes())
}

// destination is where a template's file goes.
func destination(name, service string) string {
	name = strings.TrimSuffix(strings.TrimPrefix(name, "templates/"), ".tmpl")
	if rest, ok := strings.CutPrefix(name, "terraform/"); ok {
		return path.Join(roots, service, renamed(rest, service))
	}
	return path.Join(services, service, renamed(strings.TrimPrefix(name, "service/"), service))
}

// renamed gives the files whose names depend on the service, or begin with a
// dot, which an embedded one's does not, the names they have in the workspace.
func renamed(name, service string) string {
	switch name {
	case "cmd/main.go":
		return path.Join("cmd", service, "main.go")
	case "terraform.lock.hcl":
		return ".terraform.lock.hcl"
	case "service.tftest.hcl":
		return path.Join("tests", service+".tftest.hcl")
	}
	return name
}

// sound checks the new manifest as lint does, alone and with the others.
func sound(files []File, set *target.Set) error {
	at := slices.IndexFunc(files, func(f File) bool { return path.Base(f.Path) == manifest.FileName })
	m, err := manifest.Parse(files[at].Path, files[at].Content)
	if err != nil {
		return fmt.Errorf("the manifest that would be written is not sound: %w", err)
	}
	var problems []error
	for _, p := range manifest.Problems(errors.Join(m.CheckContracts(set.Catalog()), m.Advise(), manifest.CheckTogether(append(set.Manifests(), m)))) {
		if p.File == files[at].Path {
			problems = append(problems, p)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("the manifest that would be written is not sound: %w", err)
	}
	return nil
}
