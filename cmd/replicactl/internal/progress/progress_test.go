package progress_test

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/progress"
)

func TestLinesEveryTenSecondsWhereThereIsNoTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := progress.Start(progress.Config{Out: &out}, "backfill")
		m.Report(1000, 2000, "") // resumed: these are not this run's
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if out.Len() > 0 {
			t.Errorf("said too early: %s", &out)
		}
		m.Report(1100, 2000, "queue 7")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if want := "backfill: 1100 of 2000, 10/s, 1m30s left, queue 7\n"; out.String() != want {
			t.Errorf("said %q, want %q", &out, want)
		}
		m.End()
		time.Sleep(time.Minute)
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1 {
			t.Errorf("%d lines after the end", n)
		}
	})
}

// A wait is neither fast nor slow, and ends by itself long before its limit.
func TestAWaitHasNoRateAndNoTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := progress.Start(progress.Config{Out: &out}, "waiting for the canary")
		m.Wait(time.Second, 20*time.Minute, "until it is noted")
		time.Sleep(9 * time.Second)
		m.Wait(9*time.Second, 20*time.Minute, "until it is noted")
		time.Sleep(2 * time.Second)
		m.End()
		if want := "waiting for the canary: 9s of at most 20m0s, until it is noted\n"; out.String() != want {
			t.Errorf("said %q, want %q", &out, want)
		}
	})
}

func TestQuietSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := progress.Start(progress.Config{Out: &out, Quiet: true}, "backfill")
		m.Report(1, 2, "")
		time.Sleep(time.Minute)
		m.End()
		if out.Len() > 0 {
			t.Errorf("said %s", &out)
		}
	})
}
