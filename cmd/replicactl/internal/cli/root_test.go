package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestExitCodes(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		behaviour string
		ctx       context.Context
		args      []string
		code      int
		says      string
	}{
		{"help is no error", t.Context(), nil, exitOK, ""},
		{"an unknown verb is wrong usage", t.Context(), []string{"frobnicate"}, exitUsage, "no verb"},
		{"an unknown flag is wrong usage", t.Context(), []string{"bootstrap", "--aply"}, exitUsage, "unknown flag"},
		{"an argument too many is wrong usage", t.Context(), []string{"bootstrap", "now"}, exitUsage, "takes no argument"},
		{"a manifest that is not there is an error", t.Context(), []string{"bootstrap", "-m", "nowhere"}, exitError, "nowhere"},
		{"an interrupted verb is an error", ended, []string{"bootstrap", "-m", "../../../../services/profile"}, exitError, "interrupted"},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			t.Setenv("AWS_REGION", "us-east-1")
			t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
			t.Setenv("AWS_ACCESS_KEY_ID", "local")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
			var out, complaints bytes.Buffer
			if code := Run(row.ctx, row.args, &out, &complaints); code != row.code {
				t.Errorf("exit code %d, want %d: %s", code, row.code, &complaints)
			}
			if !strings.Contains(complaints.String(), row.says) {
				t.Errorf("said %q", &complaints)
			}
			if row.code != exitOK && out.Len() > 0 {
				t.Errorf("an error went to the standard output: %s", &out)
			}
		})
	}
}
