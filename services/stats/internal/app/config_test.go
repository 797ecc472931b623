package app_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/services/stats/internal/app"
)

func TestConfigDefaults(t *testing.T) {
	got, err := app.ConfigFrom(nil)
	want := app.Config{
		Addr: "127.0.0.1:8082", LogLevel: slog.LevelInfo, LogFormat: "json", DrainTimeout: 20 * time.Second,
		RequestTimeout: 10 * time.Second, MaxInFlight: 200, Receivers: 8,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestConfigReadsItsVariables(t *testing.T) {
	got, err := app.ConfigFrom(map[string]string{
		"STATS_ADDR": ":0", "LOG_LEVEL": "debug", "LOG_FORMAT": "text", "DRAIN_TIMEOUT": "1m",
		"REQUEST_TIMEOUT": "500ms", "MAX_IN_FLIGHT": "1", "RECEIVERS": "64",
	})
	want := app.Config{
		Addr: ":0", LogLevel: slog.LevelDebug, LogFormat: "text", DrainTimeout: time.Minute,
		RequestTimeout: 500 * time.Millisecond, MaxInFlight: 1, Receivers: 64,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestConfigNamesEveryProblemOnce(t *testing.T) {
	for _, tc := range []struct {
		name      string
		variables map[string]string
		want      []string
	}{
		{"unreadable values", map[string]string{
			"LOG_LEVEL": "loud", "DRAIN_TIMEOUT": "soon", "REQUEST_TIMEOUT": "5", "MAX_IN_FLIGHT": "many", "RECEIVERS": "1.5",
		}, []string{"DRAIN_TIMEOUT", "LOG_LEVEL", "MAX_IN_FLIGHT", "RECEIVERS", "REQUEST_TIMEOUT"}},
		{"values out of range", map[string]string{
			"STATS_ADDR": "8082", "LOG_FORMAT": "xml", "DRAIN_TIMEOUT": "6m", "REQUEST_TIMEOUT": "1ms", "MAX_IN_FLIGHT": "0", "RECEIVERS": "65",
		}, []string{"DRAIN_TIMEOUT", "LOG_FORMAT", "MAX_IN_FLIGHT", "RECEIVERS", "REQUEST_TIMEOUT", "STATS_ADDR"}},
		{"a port there is not", map[string]string{"STATS_ADDR": "127.0.0.1:http"}, []string{"STATS_ADDR"}},
		{"both", map[string]string{"STATS_ADDR": "x:", "RECEIVERS": "many"}, []string{"RECEIVERS", "STATS_ADDR"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := app.ConfigFrom(tc.variables)
			if err == nil {
				t.Fatal("it is taken")
			}
			var got []string
			for _, line := range strings.Split(err.Error(), "\n")[1:] {
				name, cause, _ := strings.Cut(line, ": ")
				if got = append(got, name); cause == "" {
					t.Errorf("%q does not say what is wrong", line)
				}
			}
			if diff := cmp.Diff(tc.want, sorted(got)); diff != "" {
				t.Errorf("variables named (-want +got):\n%s\n%v", diff, err)
			}
		})
	}
}
