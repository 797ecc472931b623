package replica

import (
	"context"
	"log/slog"

	"github.com/ThreeDotsLabs/watermill"
)

// RouterLogger returns a logger for Watermill's router that writes to logger.
// Unlike watermill.NewSlogLogger it spends nothing on what the logger's level
// leaves out: the router traces each message twice.
func RouterLogger(logger *slog.Logger) watermill.LoggerAdapter {
	return routerLogger{watermill.NewSlogLogger(logger), logger}
}

type routerLogger struct {
	watermill.LoggerAdapter
	to *slog.Logger
}

func (l routerLogger) Debug(msg string, fields watermill.LogFields) {
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		l.LoggerAdapter.Debug(msg, fields)
	}
}

func (l routerLogger) Trace(msg string, fields watermill.LogFields) {
	if l.to.Enabled(context.Background(), watermill.LevelTrace) {
		l.LoggerAdapter.Trace(msg, fields)
	}
}

func (l routerLogger) With(fields watermill.LogFields) watermill.LoggerAdapter {
	return routerLogger{l.LoggerAdapter.With(fields), l.to}
}
