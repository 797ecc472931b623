package subscribe

import (
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/module"
)

var serviceName = regexp.MustCompile(`^[a-z]([a-z0-9-]*[a-z0-9])?$`)

// maxServiceName leaves room for what names are made of with a service's: of
// IAM's 64 characters for a role, the environment has as many again.
const maxServiceName = 32

// Wrong is a name or an attribute that no workspace could have made right.
type Wrong struct{ text string }

func (e *Wrong) Error() string { return e.text }

func wrong(format string, args ...any) error { return &Wrong{fmt.Sprintf(format, args...)} }

// reserved are names that mean something else to the go command, or to filters.
var reserved = map[string]string{
	"all":      "the audience of changes that are for every subscriber",
	"internal": "a directory whose packages the go command lets nobody else import",
	"testdata": "a directory that the go command passes over",
	"vendor":   "a directory that the go command takes dependencies from",
}

// checkName says what is wrong with a new service's name in itself.
func checkName(name string) error {
	switch meaning := reserved[name]; {
	case !serviceName.MatchString(name):
		return wrong("service %q: a name has lower case letters, digits and hyphens, and begins with a letter: queues, tables and filters are named after it", name)
	case len(name) > maxServiceName:
		return wrong("service %s: the name has %d characters, and more than %d leave no room in the names that are made with it", name, len(name), maxServiceName)
	case meaning != "":
		return wrong("service %s: that is %s; name it otherwise", name, meaning)
	}
	return nil
}

// taken returns what stands where the new service is to be.
func (w *Workspace) taken(service, modulePath string) []error {
	const otherwise = "name the new one otherwise, or remove that first; nothing is ever written over"
	var problems []error
	for _, dir := range []string{path.Join(services, service), path.Join(roots, service)} {
		if _, err := os.Lstat(w.at(dir)); err == nil {
			problems = append(problems, fmt.Errorf("service %s: %s is there already; %s", service, dir, otherwise))
		} else if !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, fmt.Errorf("service %s: %w", service, err))
		}
	}
	entries, err := os.ReadDir(w.at(services))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		problems = append(problems, fmt.Errorf("service %s: %w", service, err))
	}
	for _, e := range entries {
		program := path.Join(services, e.Name(), "cmd", service)
		if _, err := os.Lstat(w.at(program)); err == nil && e.Name() != service {
			problems = append(problems, fmt.Errorf("service %s: %s is a program of that name, and images are named after programs; name the new one otherwise", service, program))
		}
	}
	if err := module.CheckImportPath(modulePath); err != nil {
		problems = append(problems, fmt.Errorf("module path: %w", err))
	} else if w.uses(modulePath) {
		problems = append(problems, fmt.Errorf("module path: the workspace has %s already; %s", modulePath, otherwise))
	}
	return problems
}

// at returns where a path of the workspace is.
func (w *Workspace) at(name string) string { return filepath.Join(w.Root, filepath.FromSlash(name)) }

// packageName makes a package's name of a service's.
func packageName(service string) string {
	name := strings.ReplaceAll(service, "-", "")
	// A main package cannot be imported, and the go command takes a file of a
	// package documentation for no Go file.
	if name == "main" || name == "documentation" || token.IsKeyword(name) {
		name += "service"
	}
	return name
}

// camel joins words by capitals: price-list is priceList.
func camel(words string) string {
	parts := strings.Split(words, "-")
	for i, p := range parts[1:] {
		if p != "" {
			parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
		}
	}
	return strings.Join(parts, "")
}

var (
	plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	// words are what one YAML or another takes for something else than text.
	words = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
)

// yamlText writes a text so that every version of YAML reads it as one.
func yamlText(text string) string {
	if plain.MatchString(text) && !slices.Contains(words, strings.ToLower(text)) {
		return text
	}
	return strconv.Quote(text)
}

func yamlList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = yamlText(t)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
