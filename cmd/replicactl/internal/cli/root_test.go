package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/spf13/cobra"
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
		{"a contract that nobody publishes is wrong usage", t.Context(), []string{"explain", "company.filing/v1", "1", "-m", "../../../../services"}, exitUsage, "published are company.profile/v1"},
		{"and for status", t.Context(), []string{"status", "--contract", "company.filing/v1", "-m", "../../../../services"}, exitUsage, "contract company.filing/v1: no manifest publishes it; published are company.profile/v1"},
		{"and for reconcile", t.Context(), []string{"reconcile", "--contract", "company.filing/v1", "--subscriber", "stats", "-m", "../../../../services"}, exitUsage, "published are company.profile/v1"},
		{"a subscriber that there is not is wrong usage", t.Context(), []string{"backfill", "--contract", "company.profile/v1", "--to", "nobody", "-m", "../../../../services/profile", "-m", "../../../../services/stats"}, exitUsage, "its subscribers are stats"},
		{"and for dlq", t.Context(), []string{"dlq", "list", "--subscriber", "nobody", "-m", "../../../../services/stats"}, exitUsage, "subscriber nobody: no manifest declares it; subscribers are stats"},
		{"and for a contract's dlq", t.Context(), []string{"dlq", "list", "--contract", "company.filing/v1", "-m", "../../../../services"}, exitUsage, "published are company.profile/v1"},
		{"a shell that there is not is wrong usage", t.Context(), []string{"completion", "nope"}, exitUsage, `no shell "nope"; it knows bash, fish`},
		{"an argument too many for a shell is wrong usage", t.Context(), []string{"completion", "bash", "x"}, exitUsage, "takes no argument"},
		{"completion alone says how", t.Context(), []string{"completion"}, exitOK, ""},
		{"a shell's completion is printed", t.Context(), []string{"completion", "bash"}, exitOK, ""},
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

// With --json every verb that ends with an error before it had anything to tell
// prints that as its document; wrong usage has none.
func TestEveryVerbsErrorIsADocument(t *testing.T) {
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	const services = "../../../../services"
	lines := map[string][]string{
		"bootstrap":        {"-m", services},
		"lint":             {"-m", "nowhere"},
		"subscribe":        {"news", "--contract", "company.profile/v1", "--attributes", "name", "--dir", t.TempDir()},
		"status":           {"-m", services},
		"explain":          {"company.profile/v1", "1", "-m", services},
		"backfill":         {"--contract", "company.profile/v1", "--to", "stats", "-m", services},
		"replay":           {"--contract", "company.profile/v1", "--to", "stats", "--since", "1h", "-m", services},
		"reconcile":        {"--contract", "company.profile/v1", "--subscriber", "stats", "-m", services},
		"dlq list":         {"--subscriber", "stats", "-m", services},
		"dlq show":         {"6f1c", "--subscriber", "stats", "-m", services},
		"dlq redrive":      {"--all", "--subscriber", "stats", "-m", services},
		"dlq purge":        {"--all", "--subscriber", "stats", "-m", services},
		"stream-dlq":       {"--contract", "company.profile/v1", "-m", services},
		"stream-dlq list":  {"--contract", "company.profile/v1", "-m", services},
		"stream-dlq show":  {"6f1c", "--contract", "company.profile/v1", "-m", services},
		"stream-dlq purge": {"--all", "--contract", "company.profile/v1", "-m", services},
	}
	var walk func(cmd *cobra.Command, path string)
	walk = func(cmd *cobra.Command, path string) {
		for _, under := range cmd.Commands() {
			walk(under, path+" "+under.Name())
		}
		args, known := lines[path]
		if !known {
			if path != "dlq" { // which prints its help
				t.Errorf("%s has no row here", path)
			}
			return
		}
		var out, complaints bytes.Buffer
		code := Run(ended, append(append(strings.Fields(path), args...), "--json"), &out, &complaints)
		var got failure
		decoder := json.NewDecoder(&out)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&got); err != nil || decoder.More() || code != exitError || complaints.String() != "replicactl: "+got.Error+"\n" {
			t.Errorf("%s: exit code %d, %+v, %v, %q", path, code, got, err, &complaints)
		}
		out.Reset()
		if code := Run(ended, append(strings.Fields(path), "--json", "--no-such-flag"), &out, &complaints); code != exitUsage || out.Len() > 0 {
			t.Errorf("%s: wrong usage has exit code %d and the document %s", path, code, &out)
		}
	}
	for _, verb := range verbs(&globals{}) {
		walk(verb, verb.Name())
	}
}
