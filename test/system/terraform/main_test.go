package terraform

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/tributary-dev/tributary/test/system/terraform/internal/tool"
)

var (
	modules = flag.Bool("modules", false, "format, initialise, validate and test every module and root")
	applied = flag.Bool("apply", false, "apply the roots in an account that moto plays, and run the services there")
)

// root is the project's directory, seen from this package's.
const root = "../../.."

// scratch is what the tests of one run share; TestMain removes it.
var scratch string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	var err error
	if scratch, err = os.MkdirTemp("", "tributary-terraform-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := os.RemoveAll(scratch); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}()
	return m.Run()
}

// found looks for Terraform and the provider once for all tests.
var found = sync.OnceValues(func() (*tool.Tool, error) {
	return tool.Find(context.Background(), filepath.Join(root, "deploy/terraform/modules/key/versions.tf"), scratch)
})

// terraform returns Terraform, and a copy of the configuration that is the
// test's own.
func terraform(t *testing.T) (tf *tool.Tool, project string) {
	t.Helper()
	tf, err := found()
	var missing *tool.Missing
	if errors.As(err, &missing) {
		t.Fatalf("NOT CHECKED: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Terraform %s, the provider from %s", tf.Version, tf.Origin)
	project = filepath.Join(scratch, t.Name())
	if err := tool.Copy(root, project); err != nil {
		t.Fatal(err)
	}
	return tf, project
}

// must runs Terraform and fails the test unless it ends with the code.
func must(t *testing.T, tf *tool.Tool, code int, dir string, args ...string) tool.Output {
	t.Helper()
	out, err := tf.Run(t.Context(), dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	if out.Code != code {
		t.Fatalf("terraform %s in %s: exit code %d, want %d:\n%s", args[0], filepath.Base(dir), out.Code, code, out.Text)
	}
	t.Logf("terraform %s in %s: %.1f s", args[0], filepath.Base(dir), out.Took.Seconds())
	return out
}
