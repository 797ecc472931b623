package app_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/services/profile/internal/app"
)

func TestDefaults(t *testing.T) {
	cfg, err := app.ConfigFrom(map[string]string{})
	want := app.Config{
		LogConfig: app.LogConfig{LogLevel: slog.LevelInfo, LogFormat: "json"},
		Addr:      "127.0.0.1:8081", DrainTimeout: 20 * time.Second, RequestTimeout: 10 * time.Second,
	}
	if diff := cmp.Diff(want, cfg); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	relay, err := app.RelayConfigFrom(map[string]string{})
	wantRelay := app.RelayConfig{
		LogConfig: want.LogConfig, Addr: "127.0.0.1:8083", PollInterval: 250 * time.Millisecond, DrainTimeout: 20 * time.Second,
	}
	if diff := cmp.Diff(wantRelay, relay); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestEveryVariable(t *testing.T) {
	cfg, err := app.ConfigFrom(map[string]string{
		"PROFILE_ADDR": "[::1]:0", "LOG_LEVEL": "debug", "LOG_FORMAT": "text", "DRAIN_TIMEOUT": "3s", "REQUEST_TIMEOUT": "1m",
	})
	want := app.Config{
		LogConfig: app.LogConfig{LogLevel: slog.LevelDebug, LogFormat: "text"},
		Addr:      "[::1]:0", DrainTimeout: 3 * time.Second, RequestTimeout: time.Minute,
	}
	if diff := cmp.Diff(want, cfg); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	relay, err := app.RelayConfigFrom(map[string]string{
		"RELAY_ADDR": "", "RELAY_POLL_INTERVAL": "20ms", "TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:t",
		"RELAY_DLQ": "https://q", "DRAIN_TIMEOUT": "1s", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
	})
	wantRelay := app.RelayConfig{
		LogConfig: app.LogConfig{LogFormat: "json"}, PollInterval: 20 * time.Millisecond, DrainTimeout: time.Second,
		TopicARN: "arn:aws:sns:eu-west-1:123456789012:t", DeadLetterQueue: "https://q", LambdaRuntimeAPI: "127.0.0.1:9001",
	}
	if diff := cmp.Diff(wantRelay, relay); err != nil || diff != "" || !relay.UnderLambda() {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestEveryProblemIsNamed(t *testing.T) {
	_, err := app.ConfigFrom(map[string]string{
		"PROFILE_ADDR": "8081", "LOG_LEVEL": "loud", "LOG_FORMAT": "xml", "DRAIN_TIMEOUT": "soon", "REQUEST_TIMEOUT": "1h",
	})
	wantNamed(t, err, "PROFILE_ADDR", "LOG_LEVEL", "LOG_FORMAT", "DRAIN_TIMEOUT", "REQUEST_TIMEOUT")
	_, err = app.RelayConfigFrom(map[string]string{
		"RELAY_ADDR": "127.0.0.1:65536", "RELAY_POLL_INTERVAL": "0s", "TOPIC_ARN": "company-profile-v1", "DRAIN_TIMEOUT": "-1s", "LOG_FORMAT": "x",
	})
	wantNamed(t, err, "RELAY_ADDR", "RELAY_POLL_INTERVAL", "TOPIC_ARN", "DRAIN_TIMEOUT", "LOG_FORMAT")
}

// wantNamed checks that the error has one line for each variable and no other.
func wantNamed(t *testing.T, err error, variables ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("nothing is wrong, it says")
	}
	lines := strings.Split(err.Error(), "\n")[1:]
	for _, variable := range variables {
		found := 0
		for _, line := range lines {
			if strings.HasPrefix(line, variable+": ") {
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s is named %d times:\n%v", variable, found, err)
		}
	}
	if len(lines) != len(variables) {
		t.Errorf("%d problems, want %d:\n%v", len(lines), len(variables), err)
	}
}
