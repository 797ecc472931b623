package architecture

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

const project = "../../.."

// document is a Markdown file, by its path in the project.
type document struct {
	path string
	// prose is its text without what stands in code, and code the text of its
	// code blocks and of its spans of code, one a line.
	prose, code string
}

// documents are the project's, by path, without hidden directories and bin.
func documents(t *testing.T) map[string]document {
	t.Helper()
	found := make(map[string]document)
	err := fs.WalkDir(os.DirFS(project), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "bin" || name != "." && strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".md":
			return nil
		}
		text, err := os.ReadFile(filepath.Join(project, name))
		prose, code := parted(string(text))
		found[name] = document{name, prose, code}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("only %d documents were found below %s", len(found), project)
	}
	return found
}

var span = regexp.MustCompile("`([^`\n]+)`")

// parted is a document's prose, headings in full, and its code.
func parted(text string) (prose, code string) {
	fenced := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(strings.TrimSpace(line), "```"):
			fenced = !fenced
		case fenced:
			code += line
		case strings.HasPrefix(line, "#"):
			prose += line
		default:
			for _, inner := range span.FindAllStringSubmatch(line, -1) {
				code += inner[1] + "\n"
			}
			prose += span.ReplaceAllString(line, "")
		}
	}
	return prose, code
}

// anchors are what a document's headings can be linked as, by GitHub's rules:
// letters, digits, hyphens and underscores in lower case, spaces as hyphens, and
// a number where there is more than one of a name.
func (d document) anchors() []string {
	var found []string
	count := make(map[string]int)
	for line := range strings.Lines(d.prose) {
		_, heading, isHeading := strings.Cut(line, "# ")
		if !isHeading || !strings.HasPrefix(line, "#") {
			continue
		}
		heading = link.ReplaceAllString(strings.TrimSpace(heading), "$1")
		anchor := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, heading)
		count[anchor]++
		if n := count[anchor] - 1; n > 0 {
			anchor = fmt.Sprintf("%s-%d", anchor, n)
		}
		found = append(found, anchor)
	}
	return found
}

var link = regexp.MustCompile(`\[([^\]]*)\]\(([^)\s]+)\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	all := documents(t)
	links := 0
	for _, d := range all {
		for _, match := range link.FindAllStringSubmatch(d.prose, -1) {
			target := match[2]
			if strings.Contains(target, ":") {
				continue // of the web
			}
			links++
			file, anchor, _ := strings.Cut(target, "#")
			place := d.path
			if file != "" {
				place = path.Join(path.Dir(d.path), file)
			}
			info, err := os.Stat(filepath.Join(project, place))
			if err != nil {
				t.Errorf("%s links to %s, and there is no %s", d.path, target, place)
				continue
			}
			if info.IsDir() { // shown with its README.md
				place = path.Join(place, "README.md")
			}
			if headings := all[place].anchors(); anchor != "" && !slices.Contains(headings, anchor) {
				t.Errorf("%s links to %s, and %s has only #%s", d.path, target, place, strings.Join(headings, ", #"))
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links were looked at", links)
	}
}

func TestDocumentsNameTargetsThatMakeHas(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join(project, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	targets := make(map[string]bool)
	for _, match := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllSubmatch(makefile, -1) {
		targets[string(match[1])] = true
	}
	named := 0
	for _, d := range documents(t) {
		for _, match := range regexp.MustCompile(`(?m)^\s*make ([a-z-]+)\b`).FindAllStringSubmatch(d.code, -1) {
			named++
			if !targets[match[1]] {
				t.Errorf("%s says make %s, and the Makefile has no such target", d.path, match[1])
			}
		}
	}
	if named < 10 {
		t.Errorf("only %d targets were looked at", named)
	}
}

// ECR makes no repository by itself, and make package pushes an image of every
// program. A service that was added since has its repository from whoever adds it.
func TestARepositoryIsMadeForEveryImage(t *testing.T) {
	loop := regexp.MustCompile(`(?m)^for name in (.*); do\n\s*aws ecr create-repository `).FindStringSubmatch(documents(t)["docs/deploy.md"].code)
	if loop == nil {
		t.Fatal("docs/deploy.md makes no repositories")
	}
	made := strings.Fields(loop[1])
	for _, service := range []string{"profile", "stats"} {
		dirs, err := filepath.Glob(filepath.Join(project, "services", service, "cmd", "*"))
		if err != nil || len(dirs) == 0 {
			t.Fatalf("no programs of %s: %v", service, err)
		}
		for _, dir := range dirs {
			program := filepath.Base(dir)
			if !slices.Contains(made, program) {
				t.Errorf("docs/deploy.md makes repositories for %q, and make package pushes %s too, which is then refused", made, program)
			}
			made = slices.DeleteFunc(made, func(name string) bool { return name == program })
		}
	}
	if len(made) > 0 {
		t.Errorf("docs/deploy.md makes repositories for %q, and there are no such programs", made)
	}
}

// Whoever follows a document signs in with the library that the push is made of.
func TestDocumentsSignInWithThePushersLibrary(t *testing.T) {
	module, err := os.ReadFile(filepath.Join(project, "deploy/package/go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	const library = "github.com/google/go-containerregistry"
	required := regexp.MustCompile(`(?m)^\s*` + library + ` (v\S+)$`).FindSubmatch(module)
	if required == nil {
		t.Fatalf("deploy/package does not require %s", library)
	}
	want, named := "go run "+library+"/cmd/crane@"+string(required[1])+" ", 0
	for _, d := range documents(t) {
		for line := range strings.Lines(d.code) {
			if strings.Contains(line, "crane@") || strings.Contains(line, "crane auth login -u") {
				named++
				if !strings.Contains(line, want) {
					t.Errorf("%s signs in with %s, want %s", d.path, strings.TrimSpace(line), want)
				}
			}
		}
	}
	if named < 2 {
		t.Errorf("only %d documents sign in", named)
	}
}

// An alarm that rings at night is looked for by its name.
func TestDeployNamesEveryAlarm(t *testing.T) {
	code := documents(t)["docs/deploy.md"].code
	alarm := regexp.MustCompile(`(?m)^ +([a-z][a-z-]+) += \{\n +(?:namespace|metric) +=`)
	alarms := 0
	for _, file := range []string{"relay/alarms.tf", "subscription/alarms.tf", "topic/main.tf"} {
		text, err := os.ReadFile(filepath.Join(modules, file))
		if err != nil {
			t.Fatal(err)
		}
		found := alarm.FindAllSubmatch(text, -1)
		if len(found) < 2 {
			t.Errorf("only %d alarms were found in %s", len(found), file)
		}
		for _, match := range found {
			alarms++
			if !strings.Contains(code, "-"+string(match[1])+"\n") {
				t.Errorf("docs/deploy.md does not say what to do when the alarm %s of %s rings", match[1], file)
			}
		}
	}
	if alarms < 14 {
		t.Errorf("only %d alarms were looked for", alarms)
	}
}
