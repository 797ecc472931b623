package replica_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/ThreeDotsLabs/watermill"

	"github.com/tributary-dev/tributary/pkg/replica"
)

func TestTheRoutersLoggerWritesWhatTheLevelAsksFor(t *testing.T) {
	fields := watermill.LogFields{"message_uuid": "1"}
	for _, c := range []struct {
		level slog.Level
		want  string
	}{
		{slog.LevelWarn, "error"}, {slog.LevelInfo, "error info"}, {slog.LevelDebug, "error info debug"}, {watermill.LevelTrace, "error info debug trace"},
	} {
		var out bytes.Buffer
		log := replica.RouterLogger(slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: c.level}))).With(watermill.LogFields{"handler": "h"})
		log.Error("said error", errors.New("cause"), fields)
		log.Info("said info", fields)
		log.Debug("said debug", fields)
		log.Trace("said trace", fields)
		var said []string
		for line := range strings.Lines(out.String()) {
			for _, part := range []string{`"handler":"h"`, `"message_uuid":"1"`} {
				if !strings.Contains(line, part) {
					t.Errorf("%s lacks %s", line, part)
				}
			}
			_, after, _ := strings.Cut(line, `"said `)
			word, _, _ := strings.Cut(after, `"`)
			said = append(said, word)
		}
		if got := strings.Join(said, " "); got != c.want {
			t.Errorf("level %v: wrote %q, want %q", c.level, got, c.want)
		}
		silent := testing.AllocsPerRun(100, func() { log.Trace("nothing", fields) })
		if c.level > watermill.LevelTrace && silent > 0 {
			t.Errorf("level %v: a trace that is not written costs %v allocations", c.level, silent)
		}
	}
}
