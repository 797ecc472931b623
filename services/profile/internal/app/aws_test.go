package app_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go/logging"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
	"github.com/tributary-dev/tributary/services/profile/internal/app"
)

// A log is of one form: what the SDK says comes as records of it too.
func TestTheSDKSpeaksThroughTheLogger(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_PROFILE": "", "AWS_REGION": "us-east-1",
	} {
		t.Setenv(name, value)
	}
	var log bytes.Buffer
	aws, err := app.AWS(t.Context(), app.NewLogger(&log, app.LogConfig{LogFormat: "json"}))
	if err != nil {
		t.Fatal(err)
	}
	if aws.Logger == nil {
		t.Fatal("the SDK has a logger of its own")
	}
	aws.Logger.Logf(logging.Debug, "of no interest")
	aws.Logger.Logf(logging.Warn, "%s was not closed", "the body")
	var record struct{ Level, Says string }
	if err := json.Unmarshal(log.Bytes(), &record); err != nil || record.Level != "WARN" || record.Says != "the body was not closed" {
		t.Errorf("logged %s (%v)", log.Bytes(), err)
	}
}

// Answers must not be lost to the way the SDK closes bodies, nor be awaited for
// ever.
func TestAnswersAreNeitherLostNorAwaitedForEver(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_PROFILE": "", "AWS_REGION": "us-east-1",
	} {
		t.Setenv(name, value)
	}
	cfg, err := app.AWS(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if client := sns.NewFromConfig(cfg).Options().HTTPClient; client != wholebody.Client(cfg.HTTPClient) {
		t.Errorf("the client is a %T", client)
	}
	if client, ok := cfg.HTTPClient.(*awshttp.BuildableClient); !ok || client.GetTimeout() < 5*time.Second || client.GetTimeout() > time.Minute {
		t.Errorf("an answer is awaited without a sensible limit: %T", cfg.HTTPClient)
	}
}
