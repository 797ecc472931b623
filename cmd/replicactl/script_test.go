package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

func TestMain(m *testing.M) {
	// Scripts wait for queues and streams far more than they compute, so that more
	// of them run at once than there are processors; -parallel says otherwise.
	if err := flag.Set("test.parallel", "12"); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"replicactl": main})
}

type engineKey struct{}

// Each script runs the command against an AWS account of its own, which is
// empty at first, with the SDK's own variables and none of the machine's.
//
// The scripts have further commands: "services" copies the real manifests to
// services/, "services 1s" with that for the second pass of fan-outs, which is
// waited for; "unchanged" fails if a request since the last "unchanged" or the
// beginning could have changed something; "call OPERATION FILE" makes a call of
// DynamoDB whose input is JSON, with the present version for VERSION; "deny
// OPERATION [CODE]" refuses every such call of any service, with AWS's code for a
// right that is missing or another one, until "deny" without one.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		Setup:               startAccount,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"services":  copyServices,
			"unchanged": unchanged,
			"call":      call,
			"deny":      deny,
		},
	})
}

func startAccount(env *testscript.Env) error { return startEngine(env, localaws.Config{}) }

func startEngine(env *testscript.Env, cfg localaws.Config) error {
	engine := localaws.New(cfg)
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

func copyServices(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: services [SECOND-PASS]")
	}
	for _, service := range []string{"profile", "stats"} {
		// The tests run in this package's directory, the command elsewhere.
		data, err := os.ReadFile(filepath.Join("..", "..", "services", service, "replication.yaml"))
		ts.Check(err)
		if len(args) == 1 {
			data = regexp.MustCompile(`second_pass: \S+`).ReplaceAll(data, []byte("second_pass: "+args[0]))
		}
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
		case operation.Name == "BatchGetItem", strings.HasPrefix(operation.Name, "Get"), strings.HasPrefix(operation.Name, "List"), strings.HasPrefix(operation.Name, "Describe"):
		default:
			wrote = append(wrote, operation.String())
		}
	}
	engine.ResetRequests()
	if neg != (len(wrote) > 0) {
		ts.Fatalf("requests that change something: %v", wrote)
	}
}

// call sends a request to DynamoDB as it is: what has no verb is set up so.
func call(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: call OPERATION FILE")
	}
	now := strconv.FormatInt(time.Now().UnixMicro(), 10)
	body := strings.ReplaceAll(ts.ReadFile(args[1]), "VERSION", now)
	request, err := http.NewRequest(http.MethodPost, ts.Getenv("AWS_ENDPOINT_URL"), strings.NewReader(body))
	ts.Check(err)
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDB_20120810."+args[0])
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(request)
	ts.Check(err)
	said, err := io.ReadAll(answer.Body)
	ts.Check(errors.Join(err, answer.Body.Close()))
	if answer.StatusCode != http.StatusOK {
		ts.Fatalf("%s: %s: %s", args[0], answer.Status, said)
	}
}

func deny(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 2 {
		ts.Fatalf("usage: deny [OPERATION [CODE]]")
	}
	engine := ts.Value(engineKey{}).(*localaws.Engine)
	if len(args) == 0 {
		engine.SetFaults(nil)
		return
	}
	code := append(args, "AccessDeniedException")[1]
	engine.SetFaults(func(c localaws.Call) localaws.Fault {
		if c.Operation != args[0] {
			return localaws.Fault{}
		}
		return localaws.Fault{Error: &wire.Error{Code: code, Message: "not authorized to perform " + c.Operation, Status: http.StatusBadRequest}}
	})
}
