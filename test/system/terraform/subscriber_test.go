package terraform

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
	"github.com/tributary-dev/tributary/test/system/internal/stack"
	"github.com/tributary-dev/tributary/test/system/internal/stacktest"
	"github.com/tributary-dev/tributary/test/system/terraform/internal/tool"
)

// subscriber is what a new team gets from replicactl subscribe, in a copy of the
// project. No service of the project is called so.
const subscriber = "check-newcomer"

// replicactl builds the command line once for all tests.
var replicactl = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch, "replicactl")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	return filepath.Join(bin, "replicactl"), stacktest.Build(context.Background(), root, bin, "cmd/replicactl")
})

// subscribe has replicactl write a subscriber into a copy of the project, as the
// tutorial does. The copy has no Go modules: its workspace uses the project's.
func subscribe(t *testing.T, project, name string, further ...string) {
	t.Helper()
	program, err := replicactl()
	if err != nil {
		t.Fatal(err)
	}
	work := filepath.Join(project, "go.work")
	if _, err := os.Stat(work); err != nil {
		uses := "go 1.26.0\n\nuse (\n"
		for _, module := range []string{"contracts", "localaws", "replica"} {
			dir, err := filepath.Abs(filepath.Join(root, "pkg", module))
			if err != nil {
				t.Fatal(err)
			}
			uses += "\t" + filepath.ToSlash(dir) + "\n"
		}
		write(t, work, uses+")\n")
	}
	args := append([]string{"subscribe", name, "--contract", profilev1.Contract.ID(), "--module", "example.com/check/services/" + name, "--apply"}, further...)
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = project
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("replicactl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// A project with a new subscriber is as whole as it was.
func TestANewSubscribersFoldersAreWhole(t *testing.T) {
	project := filepath.Join(scratch, t.Name())
	if err := tool.Copy(root, project); err != nil {
		t.Fatal(err)
	}
	subscribe(t, project, subscriber, "--attributes", "name")
	whole(t, project)
}

// What is written is held to what every root is, whatever the subscriber is
// called and asks for.
func TestModulesAndRootsOfNewSubscribers(t *testing.T) {
	if !*modules {
		t.Skip("it needs Terraform and a while: -modules")
	}
	t.Parallel()
	tf, project := terraform(t)
	const longest = "a-name-of-two-and-thirty-letters"
	subscribe(t, project, subscriber, "--attributes", "name")
	subscribe(t, project, longest, "--table", "companies_of.the-longest", "--attributes", strings.Join(profilev1.Contract.Names(), ","))
	for _, name := range []string{subscriber, longest} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(project, "deploy/terraform/services", name)
			must(t, tf, 0, dir, "fmt", "-check", "-diff", "-recursive", "-no-color")
			must(t, tf, 0, dir, append([]string{"init", "-backend=false", "-no-color"}, locked(t, dir)...)...)
			must(t, tf, 0, dir, "validate", "-no-color")
			if out := must(t, tf, 0, dir, "test", "-no-color"); !passed.MatchString(out.Plain()) {
				t.Errorf("its tests assert nothing:\n%s", out.Text)
			}
		})
	}
}

// newcomer writes a subscriber into the copy of the project, builds it, and
// opens its root. What its root leaves to the environment and to the module's
// defaults is set as the variables of the others are: the Region, that nobody
// waits for tasks, and that the data may go.
func (a account) newcomer(t *testing.T, tf *tool.Tool, project, bin string) service {
	t.Helper()
	subscribe(t, project, subscriber, "--attributes", "name,sector")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", filepath.Join(bin, subscriber), "./cmd/"+subscriber)
	build.Dir = filepath.Join(project, "services", subscriber)
	build.Env = append(os.Environ(), "GOWORK=off") // alone, as it is packaged
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", subscriber, err, output)
	}
	provider := strings.Replace(a.overrides()["services/stats"], "{\n", "{\n  region = \""+region+"\"\n", 1)
	write(t, filepath.Join(project, "deploy/terraform/services", subscriber, "check_override.tf"),
		provider+"module \"subscriber\" {\n  wait_for_tasks = false\n  protected = false\n}\n")
	return a.open(t, tf, project, subscriber, map[string]any{"alarm_topic_arns": []string{}})
}

// keepsCopies runs the new subscriber on what was applied for it, after
// replicates: what the owner's relay published meanwhile waits in its queue, and
// ends with a deletion. Of two further changes the later is none that it asked
// for, and stays at the topic.
func (a account) keepsCopies(t *testing.T, bin string) {
	environment := ports.Environment(t)
	address := ports.Addr(t)
	environment["AWS_ENDPOINT_URL"], environment["AWS_REGION"] = a.url, region
	environment["HEALTH_ADDR"], environment["DRAIN_TIMEOUT"] = address, "5s"
	plan, err := stack.PlanAWS(environment)
	if err != nil {
		t.Fatal(err)
	}
	running, err := stack.Open(t.Context(), t.TempDir(), func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := running.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		if log, _ := os.ReadFile(running.LogFile(subscriber)); t.Failed() {
			t.Logf("%s:\n%s", subscriber, log[max(0, len(log)-4000):])
		}
	}()
	if err := running.Launch(stack.Command{
		Name: subscriber, Path: filepath.Join(bin, subscriber), Env: plan.Environment(environment, ""), ReadyURL: stack.URL(address) + "/readyz",
	}); err != nil {
		t.Fatal(err)
	}

	const subject = "4711"
	version := contracts.VersionAt(time.Now())
	a.publish(t, subject, version+1, "Not asked for", "founded")
	a.publish(t, subject, version, "A new name", "name")
	await(t, running, "the change that it asked for is copied", func(context.Context) (bool, error) {
		held := a.copied(t, subject)
		return held["profileVersion"] == version.String() && held["name"] == "A new name" && held["sector"] == "Energy", nil
	})
	await(t, running, "the company that its owner deleted is a tombstone", func(context.Context) (bool, error) {
		held := a.copied(t, "320193")
		return held["profileVersion"] != "" && held["name"] == "" && held["profileExpiresAt"] != "", nil
	})
}

// publish publishes a change as the relay does, for the new subscriber alone.
func (a account) publish(t *testing.T, subject string, version contracts.Version, name, changed string) {
	t.Helper()
	state := contracts.Item{"name": contracts.String(name), "sector": contracts.String("Energy")}
	message, err := replica.NewMessage(t.Context(), &contracts.Change{
		Contract: profilev1.Contract, Operation: contracts.Upsert, Source: "/services/profile", Subject: subject, Version: version,
		Origin: contracts.Live, Published: time.Now(), Changed: []string{changed}, Attributes: state,
	}, subscriber)
	if err != nil {
		t.Fatal(err)
	}
	publisher, err := snspub.New(sns.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: aws.String(a.url), Credentials: credentials.NewStaticCredentialsProvider("check", "check", ""),
	}), snspub.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := publisher.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := publisher.Publish("company-profile-v1", message); err != nil {
		t.Fatal(err)
	}
}

// copied returns the texts of the new subscriber's copy of a subject.
func (a account) copied(t *testing.T, subject string) map[string]string {
	t.Helper()
	answer := a.do(t, http.MethodPost, "/", "dynamodb", fmt.Sprintf(`{"TableName": "%s-company-profile", "Key": {"subject": {"S": %q}}}`, subscriber, subject),
		map[string]string{"X-Amz-Target": "DynamoDB_20120810.GetItem", "Content-Type": "application/x-amz-json-1.0"}, http.StatusOK)
	var found struct{ Item map[string]map[string]any }
	if err := json.Unmarshal([]byte(answer), &found); err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	for name, value := range found.Item {
		for _, kind := range []string{"S", "N"} {
			if text, ok := value[kind].(string); ok {
				texts[name] = text
			}
		}
	}
	return texts
}
