package system

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDemoPlaysChecksAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	env := ports.Environment(t)
	code, said := run(t, env, append([]string{"run"}, slice(t)...)...)
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	inOrder(t, said,
		"PerkinElmer", "Leaderboard of", "p99", "watchlist entries carry",
		"$ replicactl status", "topic company-profile-v1", "SUBSCRIBER",
		"$ replicactl reconcile ", "plan of reconcile", "compared: no drift",
		"by hand", `answers with "PerkinElmer"`, "answers with no name",
		"$ replicactl reconcile ", "compared: 2 drifted", "different  company-stats ", "different  watchlists by-cik ", "(exit code 3)",
		"$ replicactl reconcile ", "--repair --apply", "2 drifted, 2 repaired, 0 left",
		`answers with "Revvity"`, "answers with ", "Everything agrees",
	)
	if strings.Contains(said, "\n  ✗ GET /companies/31791/statistics answers with \"Revvity\"") {
		t.Errorf("what is right is shown as wrong:\n%s", said)
	}
	allFree(t, env)
}

// inOrder fails the test unless these texts follow one another.
func inOrder(t *testing.T, said string, texts ...string) {
	t.Helper()
	rest := said
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Fatalf("it does not say %q in its place:\n%s", text, said)
		}
		rest = after
	}
}

// Without what mends, the demo says so and is no success.
func TestWhatIsNotMendedIsNoSuccess(t *testing.T) {
	t.Parallel()
	env, arguments, tools := ports.Environment(t), slice(t), t.TempDir()
	for _, name := range []string{"localaws", "profile", "profile-relay", "stats"} {
		if err := os.Symlink(filepath.Join(bin, name), filepath.Join(tools, name)); err != nil {
			t.Fatal(err)
		}
	}
	// One that repairs nothing: it compares where it should mend.
	script := fmt.Sprintf("#!/bin/sh\ncase \"$*\" in *--repair*) shift; exec %[1]s reconcile --contract company.profile/v1 --subscriber stats --settle 1s;; esac\nexec %[1]s \"$@\"\n", filepath.Join(bin, "replicactl"))
	if err := os.WriteFile(filepath.Join(tools, "replicactl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	code, said := run(t, env, append([]string{"run", "-bin", tools}, arguments...)...)
	if code != 1 || !strings.Contains(said, "replicactl reconcile ended with exit code 3, not 0") || strings.Contains(said, "Everything agrees") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
	allFree(t, env)
}

func TestKilledProcessIsHealed(t *testing.T) {
	for _, process := range []string{"relay", "stats", "profile"} {
		t.Run(process, func(t *testing.T) {
			t.Parallel()
			env := ports.Environment(t)
			code, said := run(t, env, append([]string{"run", "-kill", process}, slice(t)...)...)
			if code != 0 || !strings.Contains(said, "killed ") || !strings.Contains(said, "Everything agrees") {
				t.Fatalf("exit code %d:\n%s", code, said)
			}
			allFree(t, env)
		})
	}
}

func TestMalformedLineIsRefusedBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		behaviour, file, line, says string
	}{
		{"a profile change that is no JSON", "-profiles", `{"date":"2023-04-13","op":`, "not JSON"},
		{"a profile change of an unknown kind", "-profiles", `{"date":"2023-04-13","op":"rename","cik":"1","name":"A"}`, "op: want put or delete"},
		{"a statistic that is no decimal", "-statistics", `{"date":"2024-10-10","cik":"1","ticker":"A","price":"12,5"}`, "price: want a decimal string"},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			t.Parallel()
			arguments := slice(t)
			var path string
			for i, a := range arguments {
				if a == row.file {
					path = arguments[i+1]
				}
			}
			lines := readLines(t, path)
			writeLines(t, path, append(append(append([]string{}, lines[:6]...), row.line), lines[6:]...))
			env := ports.Environment(t)
			held, err := net.Listen("tcp", env["PROFILE_ADDR"]) // a busy port would be reported if it got that far
			if err != nil {
				t.Fatal(err)
			}
			defer held.Close()
			code, said := run(t, env, append([]string{"run"}, arguments...)...)
			if code != 1 || !strings.Contains(said, path+":7: ") || !strings.Contains(said, row.says) || !strings.Contains(said, "so nothing was started") {
				t.Errorf("exit code %d: %s", code, said)
			}
			if strings.Contains(said, "PROFILE_ADDR") {
				t.Errorf("it looked at the ports first: %s", said)
			}
		})
	}
}

func TestBusyPortsAreReportedByNameBeforeAnythingStarts(t *testing.T) {
	t.Parallel()
	env, arguments := ports.Environment(t), slice(t)
	for _, name := range []string{"PROFILE_ADDR", "LOCALAWS_ADDR"} {
		held, err := net.Listen("tcp", env[name])
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
	}
	code, said := run(t, env, append([]string{"run"}, arguments...)...)
	for _, want := range []string{"PROFILE_ADDR " + env["PROFILE_ADDR"] + " is in use", "LOCALAWS_ADDR " + env["LOCALAWS_ADDR"] + " is in use"} {
		if code != 1 || !strings.Contains(said, want) {
			t.Errorf("exit code %d, want 1 and %q: %s", code, want, said)
		}
	}
	for _, unwanted := range []string{"STATS_ADDR", "Tributary"} {
		if strings.Contains(said, unwanted) {
			t.Errorf("it says %q: %s", unwanted, said)
		}
	}
}

func TestUpHealsWhatIsKilledAndStopsCleanly(t *testing.T) {
	t.Parallel()
	env := ports.Environment(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	up := command(ctx, t, env, append([]string{"up"}, slice(t)...)...)
	log := filepath.Join(t.TempDir(), "up.log")
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	up.Stdout, up.Stderr = out, out
	if err := up.Start(); err != nil {
		t.Fatal(err)
	}
	said := func() string {
		content, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	eventually(t, time.Minute, "up says what to try", func() bool { return strings.Contains(said(), "Ctrl-C stops it all") })
	kill(t, said())
	eventually(t, time.Minute, "the consumer is back", func() bool { return strings.Contains(said(), "stats is back") })
	interrupt()
	if err := up.Wait(); err != nil && up.ProcessState.ExitCode() != 0 {
		t.Errorf("%v:\n%s", err, said())
	}
	allFree(t, env)
}

func TestWrongUsageIsToldApart(t *testing.T) {
	t.Parallel()
	env := ports.Environment(t)
	for _, arguments := range [][]string{{"walk"}, {"run", "-unknown"}, {"run", "-kill", "localaws"}, {"run", "too", "many"}} {
		if code, said := run(t, env, arguments...); code != 2 {
			t.Errorf("%v: exit code %d, want 2: %s", arguments, code, said)
		}
	}
}
