package app_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/services/profile/internal/app"
	"github.com/tributary-dev/tributary/services/profile/internal/profiletest"
)

func TestRelaySaysWhatIsMissing(t *testing.T) {
	w := profiletest.Empty(t)
	arn := "arn:aws:sns:us-east-1:000000000000:elsewhere"
	for _, tc := range []struct {
		name string
		cfg  app.RelayConfig
		want []string
	}{
		{"by the manifest's names", app.RelayConfig{},
			[]string{"table companies ", "topic company-profile-v1 ", "dead-letter queue profile-company-profile-v1-relay-dlq ", "checkpoint table profile-relay-checkpoints "}},
		{"by the names that are given", app.RelayConfig{TopicARN: arn, DeadLetterQueue: "http://localaws.test/000000000000/elsewhere-dlq"},
			[]string{"table companies ", "topic " + arn + " ", "dead-letter queue http://localaws.test/000000000000/elsewhere-dlq ", "checkpoint table profile-relay-checkpoints "}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			relay, err := app.NewRelay(tc.cfg, w.AWS, quiet)
			if err != nil {
				t.Fatal(err)
			}
			err = relay.Run(t.Context())
			if err == nil {
				t.Fatal("it ran")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tc.want) {
				t.Fatalf("%v", err)
			}
			for i, want := range tc.want {
				if !strings.HasPrefix(lines[i], want+"does not exist") || !strings.Contains(lines[i], "replicactl bootstrap") || !strings.Contains(lines[i], "Terraform") {
					t.Errorf("%q, want %q...", lines[i], want)
				}
			}
		})
	}
}

func TestRelayWantsTheRightStream(t *testing.T) {
	for _, tc := range []struct {
		name   string
		stream *types.StreamSpecification
		want   string
	}{
		{"none", nil, "table companies has no stream"},
		{"new images alone", &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewImage},
			"table companies has a stream of NEW_IMAGE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := profiletest.Empty(t)
			table, _ := w.Manifest.Table(w.Publication.Table)
			table.Stream = false
			w.CreateTable(t, table)
			if tc.stream != nil {
				if _, err := w.Database.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String(table.Name), StreamSpecification: tc.stream}); err != nil {
					t.Fatal(err)
				}
			}
			w.CreateTopic(t)
			w.CreateQueue(t, w.Publication.DeadLetterQueue, "")
			relay, err := app.NewRelay(app.RelayConfig{LambdaRuntimeAPI: "x"}, w.AWS, quiet)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := relay.Lambda(t.Context()); err == nil || !strings.HasPrefix(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v, want %q alone: Lambda needs no checkpoints", err, tc.want)
			}
		})
	}
}

// A relay that may not look, or finds nobody to ask, starts under Lambda all the
// same: its calls will tell.
func TestLambdaThatCannotLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := profiletest.Empty(t)
		relay, err := app.NewRelay(app.RelayConfig{LambdaRuntimeAPI: "x"}, w.AWS, quiet)
		if err != nil {
			t.Fatal(err)
		}
		for name, fault := range map[string]func(localaws.Call) localaws.Fault{
			"no rights": func(c localaws.Call) localaws.Fault {
				code := map[localaws.Service]string{localaws.SNS: "AuthorizationError", localaws.SQS: "AccessDenied"}[c.Service]
				return refused(cmp.Or(code, "AccessDeniedException"))
			},
			"broken connections":         func(localaws.Call) localaws.Fault { return localaws.Fault{Drop: localaws.DropRequest} },
			"an answer that never comes": func(localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: time.Hour} },
		} {
			w.Engine.SetFaults(fault)
			began := time.Now()
			if _, err := relay.Lambda(t.Context()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("%s: it took %s, half of the time there is", name, took)
			}
		}
	})
}

func refused(code string) localaws.Fault {
	return localaws.Fault{Error: &wire.Error{Code: code, Message: "refused", Status: 403}}
}

func TestRelayHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(t, app.RelayConfig{})
		listener := newPipes()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		o.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
			return localaws.Fault{Error: localaws.Throttled(c.Service)}
		})
		go func() { ended <- o.relay.Serve(ctx, listener) }()
		get := func(path string) (int, map[string]any) {
			response, err := listener.client().Get("http://relay" + path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			var body map[string]any
			if path != "/metrics" {
				if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
					t.Fatal(err)
				}
			}
			return response.StatusCode, body
		}
		time.Sleep(time.Minute) // of virtual time: the first look is over
		status, body := get("/readyz")
		detail := fmt.Sprint(body["detail"])
		if status != http.StatusServiceUnavailable || !strings.HasPrefix(detail, "Not ready: waiting for AWS: look at table companies: ") ||
			!strings.Contains(detail, "; look at topic company-profile-v1: ") {
			t.Errorf("while AWS refuses: %d %s", status, detail)
		}
		if status, _ := get("/healthz"); status != http.StatusOK {
			t.Errorf("healthz: %d", status)
		}
		o.Engine.SetFaults(nil)
		o.send(t, "PUT", "7", `{"name":"seven"}`)
		o.event(t)
		if status, body := get("/readyz"); status != http.StatusOK || body["status"] != "ready" {
			t.Errorf("after: %d %v", status, body)
		}
		if status, _ := get("/metrics"); status != http.StatusOK {
			t.Errorf("metrics: %d", status)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
