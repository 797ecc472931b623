package terraform

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/test/system/internal/api"
	"github.com/tributary-dev/tributary/test/system/internal/input"
	"github.com/tributary-dev/tributary/test/system/internal/stack"
	"github.com/tributary-dev/tributary/test/system/internal/stacktest"
)

// arrives bounds the way of one change. moto answers no statements, so that the
// consumer goes on item by item, and one core may serve all of this.
const arrives = 2 * time.Minute

var ports = stacktest.NewPorts(36_000)

func buildServices(t *testing.T, bin string) {
	t.Helper()
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := stacktest.Build(t.Context(), root, bin, "services/profile", "services/stats", "cmd/replicactl"); err != nil {
		t.Fatal(err)
	}
}

// replicates runs the services on what was applied, which they know by their
// manifests' names alone, and takes a company through them.
func (a account) replicates(t *testing.T, bin string) {
	environment := ports.Environment(t)
	environment["AWS_ENDPOINT_URL"], environment["AWS_REGION"] = a.url, region
	environment["DRAIN_TIMEOUT"] = "5s"
	aws, err := stack.PlanAWS(environment)
	if err != nil {
		t.Fatal(err)
	}
	env := aws.Environment(environment, "")
	running, err := stack.Open(t.Context(), t.TempDir(), func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := running.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	for name, variable := range map[string]string{stack.Profile: "PROFILE_ADDR", stack.Relay: "RELAY_ADDR", stack.Stats: "STATS_ADDR"} {
		err := running.Launch(stack.Command{
			Name: name, Path: filepath.Join(bin, name), Env: env, ReadyURL: stack.URL(environment[variable]) + "/readyz",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	owner, subscriber := api.NewProfile(stack.URL(environment["PROFILE_ADDR"])), api.NewStats(stack.URL(environment["STATS_ADDR"]))

	const cik = "320193"
	technology := "Information Technology"
	began := time.Now()
	put(t, owner, cik, input.Profile{Name: "Apple Computer", Sector: &technology})
	await(t, running, "the company is copied", func(ctx context.Context) (bool, error) {
		c, err := subscriber.Company(ctx, cik)
		return c != nil && is(c.Name, "Apple Computer") && is(c.Sector, technology), err
	})
	t.Logf("the first change took %.1f s", time.Since(began).Seconds())
	if err := subscriber.Watch(t.Context(), "ada", cik); err != nil {
		t.Fatal(err)
	}
	put(t, owner, cik, input.Profile{Name: "Apple", Sector: &technology})
	await(t, running, "the new name is in the watchlist", func(ctx context.Context) (bool, error) {
		watched, err := subscriber.Watchlist(ctx, "ada")
		return len(watched) == 1 && is(watched[0].Name, "Apple"), err
	})
	a.replicactl(t, bin, env)
	if err := owner.Delete(t.Context(), cik); err != nil {
		t.Fatal(err)
	}
	await(t, running, "the copy is cleared", func(ctx context.Context) (bool, error) {
		c, err := subscriber.Company(ctx, cik)
		return err == nil && (c == nil || c.Name == nil), err
	})
}

func is(got *string, want string) bool { return got != nil && *got == want }

func put(t *testing.T, owner *api.Profile, cik string, profile input.Profile) {
	t.Helper()
	if _, err := owner.Put(t.Context(), cik, profile); err != nil {
		t.Fatal(err)
	}
}

// await asks until the condition holds, and shows the processes' last words
// where it never does.
func await(t *testing.T, running *stack.Stack, what string, holds func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(running.Context(), arrives)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := holds(ctx)
		if err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			for _, name := range []string{stack.Relay, stack.Stats} {
				log, _ := os.ReadFile(running.LogFile(name))
				t.Logf("%s:\n%s", name, log[max(0, len(log)-4000):])
			}
			t.Fatalf("not within %s: %s (%v)", arrives, what, context.Cause(ctx))
		}
	}
}

// replicactl has the operator's command line find everything of the two services
// as it should be.
func (a account) replicactl(t *testing.T, bin string, env []string) {
	t.Helper()
	for _, args := range [][]string{
		{"lint"},
		{"status", "--json"},
		{"reconcile", "--contract", "company.profile/v1", "--subscriber", "stats"},
	} {
		var out, complaints bytes.Buffer
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "replicactl"), append(args, "--manifest", "services/profile", "--manifest", "services/stats")...)
		cmd.Dir, cmd.Env = root, env
		cmd.Stdout, cmd.Stderr = &out, &complaints
		if err := cmd.Run(); err != nil {
			t.Errorf("replicactl %s: %v\n%s%s", strings.Join(args, " "), err, &out, &complaints)
			continue
		}
		if args[0] != "status" {
			continue
		}
		if !json.Valid(out.Bytes()) {
			t.Errorf("replicactl status: no JSON: %s", &out)
		}
		for _, unwanted := range []string{`"missing"`, `"drift"`, `"differs"`} {
			if strings.Contains(out.String(), unwanted) {
				t.Errorf("replicactl status finds %s: %s", unwanted, &out)
			}
		}
	}
}

// explicit are the lines of the manifests that say what a manifest means anyway.
var explicit = regexp.MustCompile(`(?m)^    queue:\n(?:      .*\n)+|^ +(?:topic|dead_letter_queue|checkpoint_table|control_table):.*\n|^ +version_attribute: version\n|^ +projection: all\n|^ +on_delete: clear\n`)

// defaults takes the lines that have a default out of a service's manifest in a
// copy of the project. It means the same to Go, and a plan shows whether it does
// to Terraform.
func defaults(t *testing.T, project, name string) {
	t.Helper()
	path := filepath.Join(project, "services", name, "replication.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bare := explicit.ReplaceAll(text, nil)
	if len(bare) == len(text) {
		t.Fatalf("%s says nothing that has a default", path)
	}
	whole, err := manifest.Parse(path, text)
	if err != nil {
		t.Fatal(err)
	}
	meant, err := manifest.Parse(path, bare)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(whole.Tables, meant.Tables) || !reflect.DeepEqual(whole.Publishes, meant.Publishes) || !reflect.DeepEqual(whole.Subscribes, meant.Subscribes) {
		t.Fatalf("without the lines that have a default the manifest of %s means something else:\n%s", name, bare)
	}
	write(t, path, string(bare))
}
