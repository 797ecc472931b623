package printable_test

import (
	"testing"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/printable"
)

func TestNothingCommandsTheTerminal(t *testing.T) {
	for text, want := range map[string][2]string{
		"Société\tGénérale\nS.A.": {"Société\tGénérale\nS.A.", "Société Générale S.A."},
		"a\x1b[2Jb\u009bc\x7f":    {"a\ufffd[2Jb\ufffdc\ufffd", "a\ufffd[2Jb\ufffdc\ufffd"},
		"a\u202eb\u2066":          {"a\ufffdb\ufffd", "a\ufffdb\ufffd"},
		"a\rstats: in step\r\nb":  {"a\ufffdstats: in step\ufffd\nb", "a\ufffdstats: in step b"},
	} {
		if got := [2]string{printable.Text(text), printable.Line(text)}; got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
