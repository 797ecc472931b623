package app_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
	"github.com/tributary-dev/tributary/services/stats/internal/app"
)

func TestAWSNeedsARegionAndTakesTheEndpoint(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_MAX_ATTEMPTS": "", "AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere, "AWS_PROFILE": "",
		"AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
	} {
		t.Setenv(name, value)
	}
	cfg, err := app.ConfigFrom(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.AWS(t.Context(), cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("without a region: %v", err)
	}
	t.Setenv("AWS_REGION", "eu-central-1")
	got, err := app.AWS(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil || got.Region != "eu-central-1" || got.BaseEndpoint == nil || *got.BaseEndpoint != "http://127.0.0.1:4566" {
		t.Errorf("region %q, endpoint %v, %v", got.Region, got.BaseEndpoint, err)
	}
	if client := sqs.NewFromConfig(got).Options().HTTPClient; client != wholebody.Client(got.HTTPClient) {
		t.Errorf("bodies are not whole: the client is a %T", client)
	}
	// Longer than a long poll, and not for ever.
	if client, ok := got.HTTPClient.(*awshttp.BuildableClient); !ok || client.GetTimeout() < 25*time.Second || client.GetTimeout() > time.Minute {
		t.Errorf("an answer is awaited without a sensible limit: %T", got.HTTPClient)
	}
	if attempts := got.Retryer().MaxAttempts(); attempts != 5 {
		t.Errorf("a call is tried %d times, want 5", attempts)
	}
}
