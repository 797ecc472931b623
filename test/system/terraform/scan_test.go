package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/test/system/terraform/internal/rendered"
)

var scanned = flag.Bool("scan", false, "scan every module and root with tfsec, and with trivy where it is on the PATH")

// tfsec is run at the version that is its last.
const tfsec = "github.com/aquasecurity/tfsec/cmd/tfsec@v1.28.14"

// finding is what a scanner says of a resource.
type finding struct {
	tool, severity, rule, resource, says string
}

func (f finding) String() string {
	return fmt.Sprintf("%s: %s %s: %s: %s", f.tool, f.severity, f.rule, f.resource, f.says)
}

// left are the findings of tfsec that stay, each with its reason. README.md of
// deploy/terraform tells them. Any other finding fails, whatever its severity,
// and so does one that is listed and no longer found.
var left = []struct {
	rule string
	says *regexp.Regexp
	why  string
}{
	{"aws-lambda-enable-tracing", regexp.MustCompile(``), "a change's way is told by replicactl explain; X-Ray would see one hop of it"},
	{"aws-s3-enable-bucket-logging", regexp.MustCompile(``), "it asks for a second bucket, whose log says what CloudTrail's data events do"},
	{"aws-iam-no-policy-wildcards", regexp.MustCompile(`^IAM policy document uses sensitive action 'logs:CreateLogStream' on wildcarded resource '[^*]+:\*'$`),
		"Lambda and ECS name the streams of a group; the group is named"},
}

// scanner is a program that rates a directory of configuration.
type scanner func(ctx context.Context, dir string) ([]finding, error)

// installTFSec builds tfsec, from the module cache where that has it.
func installTFSec(t *testing.T) scanner {
	t.Helper()
	bin := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "install", tfsec)
	cmd.Env = append(os.Environ(), "GOBIN="+bin, "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("NOT CHECKED: build %s: %v\n%s", tfsec, err, output)
	}
	return func(ctx context.Context, dir string) ([]finding, error) {
		text, err := report(exec.CommandContext(ctx, filepath.Join(bin, "tfsec"), dir, "--format", "json", "--no-color", "--no-module-downloads", "--no-ignores"))
		if err != nil {
			return nil, err
		}
		var said struct {
			Results []struct {
				Rule        string `json:"long_id"`
				Severity    string `json:"severity"`
				Resource    string `json:"resource"`
				Description string `json:"description"`
			} `json:"results"`
		}
		if err := json.Unmarshal(text, &said); err != nil {
			return nil, fmt.Errorf("read what tfsec says of %s: %w:\n%s", dir, err, text)
		}
		all := make([]finding, len(said.Results))
		for i, r := range said.Results {
			all[i] = finding{"tfsec", r.Severity, r.Rule, r.Resource, r.Description}
		}
		return all, nil
	}
}

// findTrivy returns nil where trivy is not on the PATH.
func findTrivy() scanner {
	program, err := exec.LookPath("trivy")
	if err != nil {
		return nil
	}
	return func(ctx context.Context, dir string) ([]finding, error) {
		text, err := report(exec.CommandContext(ctx, program, "config", "--quiet", "--format", "json", "--skip-check-update", dir))
		if err != nil {
			return nil, err
		}
		var said struct {
			Results []struct {
				Target            string
				Misconfigurations []struct {
					ID, Severity, Message string
					CauseMetadata         struct{ Resource string }
				}
			}
		}
		if err := json.Unmarshal(text, &said); err != nil {
			return nil, fmt.Errorf("read what trivy says of %s: %w:\n%s", dir, err, text)
		}
		var all []finding
		for _, r := range said.Results {
			for _, m := range r.Misconfigurations {
				all = append(all, finding{"trivy", m.Severity, m.ID, r.Target + " " + m.CauseMetadata.Resource, m.Message})
			}
		}
		return all, nil
	}
}

// report runs a scanner and returns what it writes. tfsec ends with 1 where it
// finds something.
func report(cmd *exec.Cmd) ([]byte, error) {
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	text, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || len(text) == 0) {
		return nil, fmt.Errorf("run %s: %w:\n%s", filepath.Base(cmd.Path), err, &complaints)
	}
	return text, nil
}

// grave reports whether a finding is one that the project does not ship.
func (f finding) grave() bool { return f.severity == "HIGH" || f.severity == "CRITICAL" }

// reason is why a finding stays, "" where nobody has said.
func (f finding) reason() string {
	for _, l := range left {
		if l.rule == f.rule && l.says.MatchString(f.says) {
			return l.why
		}
	}
	return ""
}

// TestScan scans each module and root by itself, since a scanner passes over
// modules behind a for_each of values that it does not know; the whole tree,
// which has modules without their callers; and each root with every value known,
// since it passes over policies that name what an apply makes.
func TestScan(t *testing.T) {
	if !*scanned {
		t.Skip("it needs Terraform, and builds tfsec: -scan")
	}
	t.Parallel()
	tf, project := terraform(t)
	scan := installTFSec(t)
	trivy := findTrivy()
	if trivy == nil {
		t.Log("NOT RUN: trivy is not on the PATH; tfsec alone scans")
	}
	dirs := append(folders(t, project), filepath.Join(project, "deploy/terraform"))
	states := make(map[string]rendered.State)
	for _, name := range []string{"profile", "stats"} {
		root := filepath.Join(project, "deploy/terraform/services", name)
		must(t, tf, 0, root, append([]string{"init", "-backend=false", "-no-color"}, locked(t, root)...)...)
		printed := must(t, tf, 0, root, "test", "-json", "-verbose", "-filter=tests/"+name+".tftest.hcl")
		state, err := rendered.Read(printed.Text)
		if err != nil {
			t.Fatal(err)
		}
		states[name] = state
		if err := os.RemoveAll(filepath.Join(root, ".terraform")); err != nil {
			t.Fatal(err) // tfsec would read the modules it lists, and no others
		}
		dirs = append(dirs, written(t, state))
	}

	var stays []string
	for _, dir := range dirs {
		found, err := scan(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if why := f.reason(); why == "" {
				t.Errorf("%s: %s", filepath.Base(dir), f)
			} else {
				stays = append(stays, f.rule)
			}
		}
		if trivy == nil {
			continue
		}
		if found, err = trivy(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			if f.grave() {
				t.Errorf("%s: %s", filepath.Base(dir), f)
			} else {
				t.Logf("%s: %s", filepath.Base(dir), f)
			}
		}
	}
	for _, l := range left {
		if !slices.Contains(stays, l.rule) {
			t.Errorf("%s is not found any more: take it out of the list, and out of README.md", l.rule)
		}
	}
	spoiled(t, project, states["profile"], scan, trivy)
}

// written puts a state into a directory, as configuration.
func written(t *testing.T, state rendered.State) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "main.tf"), string(state.Configuration()))
	return dir
}

// spoiled shows that the scans would see what they are for.
func spoiled(t *testing.T, project string, state rendered.State, scan, trivy scanner) {
	t.Helper()
	for behaviour, spoil := range map[string]struct {
		file, from, to, rule string
		trivy                bool // rates it as gravely
	}{
		"a queue in the clear":      {"modules/subscription/main.tf", "  kms_master_key_id          = module.key.id\n", "", "aws-sqs-enable-queue-encryption", true},
		"a topic in the clear":      {"modules/topic/main.tf", "  kms_master_key_id = module.key.arn\n", "", "aws-sns-enable-topic-encryption", true},
		"a table in the clear":      {"modules/table/main.tf", "  server_side_encryption {\n    enabled     = true", "  server_side_encryption {\n    enabled     = false", "aws-dynamodb-enable-at-rest-encryption", false},
		"a bucket with public ACLs": {"modules/relay/failures.tf", "block_public_acls       = true", "block_public_acls       = false", "aws-s3-block-public-acls", true},
		"a queue open to all": {"modules/subscription/main.tf", "Principal = { Service = \"sns.amazonaws.com\" }\n        Action    = \"sqs:SendMessage\"", "Principal = \"*\"\n        Action    = \"sqs:*\"",
			"aws-sqs-no-wildcards-in-policy-documents", false},
	} {
		path := filepath.Join(project, "deploy/terraform", filepath.FromSlash(spoil.file))
		sound, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(sound), spoil.from) {
			t.Fatalf("%s: %s has no\n%s", behaviour, spoil.file, spoil.from)
		}
		write(t, path, strings.ReplaceAll(string(sound), spoil.from, spoil.to))
		noticed(t, behaviour, spoil.rule, filepath.Dir(path), scan)
		if trivy != nil && spoil.trivy {
			noticed(t, behaviour, "", filepath.Dir(path), trivy)
		}
		write(t, path, string(sound))
	}
	// A right that only values show.
	for _, r := range state {
		if policy, ok := r.Values["policy"].(string); ok && r.Type == "aws_iam_role_policy" && strings.Contains(policy, `"dynamodb:PutItem"`) {
			r.Values["policy"] = strings.ReplaceAll(policy, `"dynamodb:PutItem"`, `"dynamodb:*"`)
		}
	}
	noticed(t, "a role that may do everything to a table", "aws-iam-no-policy-wildcards", written(t, state), scan)
}

// noticed fails the test where a scan does not report a grave finding of a rule,
// or of any.
func noticed(t *testing.T, behaviour, rule, dir string, scan scanner) {
	t.Helper()
	found, err := scan(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(found, func(f finding) bool { return (f.rule == rule || rule == "") && f.grave() && f.reason() == "" }) {
		t.Errorf("%s is not noticed: %v", behaviour, found)
	}
}
