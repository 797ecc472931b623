package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"replicactl": main})
}

type engineKey struct{}

// Each script runs the command against an AWS account of its own, which is
// empty at first, with the SDK's own variables and none of the machine's.
//
// The scripts have two further commands: "services" copies the real manifests
// to services/, and "unchanged" fails if a request since the last "unchanged"
// or the beginning could have changed something.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup:               startAccount,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"services":  copyServices,
			"unchanged": unchanged,
		},
	})
}

func startAccount(env *testscript.Env) error {
	engine := localaws.New(localaws.Config{})
	ctx, stop := context.WithCancel(context.Background())
	listener, err := localaws.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		stop()
		engine.Close()
		return err
	}
	served := make(chan error, 1)
	go func() { served <- engine.Serve(ctx, listener) }()
	env.Defer(func() {
		stop()
		if err := <-served; err != nil {
			panic(err)
		}
		engine.Close()
	})
	env.Values[engineKey{}] = engine
	env.Setenv("AWS_ENDPOINT_URL", "http://"+listener.Addr().String())
	env.Setenv("AWS_REGION", engine.Region())
	env.Setenv("AWS_ACCESS_KEY_ID", "local")
	env.Setenv("AWS_SECRET_ACCESS_KEY", "local")
	env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	env.Setenv("AWS_CONFIG_FILE", filepath.Join(env.WorkDir, "no-config"))
	env.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(env.WorkDir, "no-credentials"))
	return nil
}

func copyServices(ts *testscript.TestScript, neg bool, _ []string) {
	if neg {
		ts.Fatalf("services has no negative")
	}
	for _, service := range []string{"profile", "stats"} {
		// The tests run in this package's directory, the command elsewhere.
		data, err := os.ReadFile(filepath.Join("..", "..", "services", service, "replication.yaml"))
		ts.Check(err)
		directory := ts.MkAbs(filepath.Join("services", service))
		ts.Check(os.MkdirAll(directory, 0o755))
		ts.Check(os.WriteFile(filepath.Join(directory, "replication.yaml"), data, 0o644))
	}
}

func unchanged(ts *testscript.TestScript, neg bool, _ []string) {
	engine := ts.Value(engineKey{}).(*localaws.Engine)
	var wrote []string
	for operation := range engine.Requests() {
		switch {
		case strings.HasPrefix(operation.Name, "Get"), strings.HasPrefix(operation.Name, "List"), strings.HasPrefix(operation.Name, "Describe"):
		default:
			wrote = append(wrote, operation.String())
		}
	}
	engine.ResetRequests()
	if neg != (len(wrote) > 0) {
		ts.Fatalf("requests that change something: %v", wrote)
	}
}
