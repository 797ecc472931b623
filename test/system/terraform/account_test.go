package terraform

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/test/system/internal/engine"
	"github.com/tributary-dev/tributary/test/system/terraform/internal/gap"
	"github.com/tributary-dev/tributary/test/system/terraform/internal/tool"
)

const (
	region = "us-east-1"
	states = "tributary-states" // the bucket of the states
)

// account is one that moto plays.
type account struct {
	url      string // moto's
	endpoint string // what Terraform talks to: moto with its gaps filled
	network  map[string][]string
}

// startAccount starts moto, tries again where it does not come up, and makes
// what has to be there before the first apply: a bucket for the states, and a
// network. It ends with the test.
func startAccount(t *testing.T) account {
	t.Helper()
	moto, err := engine.StartMoto(t.Context())
	for range 2 {
		if err == nil || errors.Is(err, exec.ErrNotFound) {
			break
		}
		t.Logf("moto is started again: %v", err)
		moto, err = engine.StartMoto(t.Context())
	}
	if err != nil {
		t.Fatalf("NOT CHECKED: %v", err)
	}
	t.Cleanup(func() {
		if err := moto.Stop(); err != nil {
			t.Error(err)
		}
	})
	filler, err := gap.New(moto.URL)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(filler)
	t.Cleanup(server.Close)
	a := account{url: moto.URL, endpoint: server.URL}
	a.call(t, http.MethodPut, "/"+states, "s3", "")
	a.network = map[string][]string{
		"subnet_ids":         a.ids(t, "DescribeSubnets", "subnetId")[:2],
		"security_group_ids": a.ids(t, "DescribeSecurityGroups", "groupId")[:1],
	}
	return a
}

// ids asks EC2 for what every account has without making it.
func (a account) ids(t *testing.T, action, element string) []string {
	t.Helper()
	answer := a.call(t, http.MethodPost, "/", "ec2", "Version=2016-11-15&Action="+action)
	found := regexp.MustCompile("<"+element+">([^<]+)<").FindAllStringSubmatch(answer, -1)
	if len(found) < 2 && element == "subnetId" || len(found) == 0 {
		t.Fatalf("%s has %d of %s:\n%s", action, len(found), element, answer)
	}
	ids := make([]string, len(found))
	for i, match := range found {
		ids[i] = match[1]
	}
	return ids
}

// call makes a request that has to succeed.
func (a account) call(t *testing.T, method, path, service, body string) string {
	t.Helper()
	return a.do(t, method, path, service, body, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, http.StatusOK)
}

// do makes a request as the SDK would, but for the signature, which moto reads
// for the service's name alone, and fails the test where the answer has another
// status.
func (a account) do(t *testing.T, method, path, service, body string, headers map[string]string, status int) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, a.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=check/20260101/"+region+"/"+service+"/aws4_request, SignedHeaders=host, Signature=none")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status {
		t.Fatalf("%s %s %s: %s, want %d\n%s", service, method, path, response.Status, status, answer)
	}
	return string(answer)
}

// providerServices are those whose endpoints the roots use.
var providerServices = []string{
	"applicationautoscaling", "cloudwatch", "cloudwatchlogs", "dynamodb", "ecs", "iam", "kms", "lambda", "s3", "sns", "sqs", "ssm", "sts",
}

// overrides are the files that point a copy of the project at the account, by
// their place. Terraform merges a file named _override.tf into the others
// (Terraform, "Override Files").
func (a account) overrides() map[string]string {
	var provider strings.Builder
	provider.WriteString(`provider "aws" {
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  s3_use_path_style           = true
  max_retries                 = 3
  endpoints {
`)
	for _, service := range providerServices {
		fmt.Fprintf(&provider, "    %s = %q\n", service, a.endpoint)
	}
	provider.WriteString("  }\n}\n")
	ignore := func(resource, changes string) string {
		return fmt.Sprintf("resource %q \"this\" {\n  lifecycle {\n    ignore_changes = [%s]\n  }\n}\n", resource, changes)
	}
	return map[string]string{
		"services/profile": provider.String(),
		"services/stats":   provider.String(),
		"modules/relay":    ignore("aws_lambda_function", "logging_config"),
		"modules/consumer": ignore("aws_ecs_service", "desired_count, availability_zone_rebalancing, enable_ecs_managed_tags"),
	}
}

// service is a copy of one service's root, which keeps its state in the account.
type service struct {
	tf  *tool.Tool
	dir string
}

// open points the copy of a root at the account, and initialises it. Its
// variables are what a terraform.tfvars would have.
func (a account) open(t *testing.T, tf *tool.Tool, project, name string, further map[string]any) service {
	t.Helper()
	s := service{tf: tf, dir: filepath.Join(project, "deploy/terraform/services", name)}
	variables := map[string]any{
		"env": "check", "region": region, "network": a.network, "wait_for_tasks": false,
		"image": "registry.example.com/" + name + "@sha256:" + strings.Repeat("0", 64),
	}
	for variable, value := range further {
		variables[variable] = value
	}
	text, err := json.MarshalIndent(variables, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.dir, "check.auto.tfvars.json"), string(text))
	backend := filepath.Join(s.dir, "check.backend.hcl")
	write(t, backend, fmt.Sprintf(`bucket                      = %q
key                         = "check/%s.tfstate"
region                      = %q
endpoints                   = { s3 = %q }
use_path_style              = true
skip_credentials_validation = true
skip_metadata_api_check     = true
skip_requesting_account_id  = true
skip_region_validation      = true
`, states, name, region, a.url))
	initialise := []string{"init", "-no-color", "-backend-config=" + backend}
	must(t, tf, 0, s.dir, append(initialise, locked(t, s.dir)...)...)
	return s
}

// Exit codes of plan -detailed-exitcode.
const (
	nothingToDo = 0
	refused     = 1
)

func (s service) plan(t *testing.T, code int, further ...string) tool.Output {
	t.Helper()
	return must(t, s.tf, code, s.dir, append([]string{"plan", "-no-color", "-detailed-exitcode"}, further...)...)
}

func (s service) apply(t *testing.T, further ...string) {
	t.Helper()
	must(t, s.tf, 0, s.dir, append([]string{"apply", "-no-color", "-auto-approve"}, further...)...)
}

func (s service) destroy(t *testing.T, code int, further ...string) tool.Output {
	t.Helper()
	return must(t, s.tf, code, s.dir, append([]string{"destroy", "-no-color", "-auto-approve"}, further...)...)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// together runs steps beside each other and returns when all have ended. One
// that fails ends the test.
func together(t *testing.T, title string, steps map[string]func(*testing.T)) {
	t.Helper()
	ok := t.Run(title, func(t *testing.T) {
		for name, step := range steps {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				step(t)
			})
		}
	})
	if !ok {
		t.FailNow()
	}
}

// pack builds the relay's zip and returns its path.
func pack(ctx context.Context, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "./deploy/package", "-out", dir, "profile-relay")
	cmd.Dir = root
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("package the relay: %w:\n%s", err, output)
	}
	return filepath.Abs(filepath.Join(dir, "profile-relay.zip"))
}
