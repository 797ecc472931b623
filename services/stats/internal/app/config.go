package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"strconv"
	"time"

	"github.com/caarlos0/env/v11"
)

// Config is everything the environment says about the service. AWS's own
// variables (endpoint, region, credentials) are the SDK's to read; the queue's
// and the tables' names are in the manifest.
type Config struct {
	// Addr is where the API listens: host:port. Port 0 takes a free one.
	Addr string `env:"STATS_ADDR" envDefault:"127.0.0.1:8082"`
	// LogLevel is the least level that is logged: debug, info, warn or error.
	LogLevel slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	// LogFormat is json or text.
	LogFormat string `env:"LOG_FORMAT" envDefault:"json"`
	// DrainTimeout is how long a stop waits for requests, and then for
	// messages, that are under way; 1 s to 5 min.
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" envDefault:"20s"`
	// RequestTimeout bounds the work on one request; 100 ms to 1 min.
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"10s"`
	// MaxInFlight is how many messages are taken from the queue and not yet
	// settled; 1 to 10,000, well below SQS's 120,000 per standard queue (AWS,
	// "Amazon SQS message quotas").
	MaxInFlight int `env:"MAX_IN_FLIGHT" envDefault:"200"`
	// Receivers is how many receive loops ask the queue for messages at most,
	// which they do when there is a backlog; 1 to 64.
	Receivers int `env:"RECEIVERS" envDefault:"8"`
}

// ConfigFrom reads the variables, and reports every problem they have.
func ConfigFrom(environment map[string]string) (Config, error) {
	var c Config
	err := env.ParseWithOptions(&c, env.Options{Environment: environment})
	var problems []error
	var all env.AggregateError
	switch {
	case errors.As(err, &all):
		for _, e := range all.Errors {
			problems = append(problems, named(e))
		}
	case err != nil:
		problems = append(problems, err)
	}
	if err := errors.Join(append(problems, c.validate(problems)...)...); err != nil {
		return Config{}, fmt.Errorf("configuration:\n%w", err)
	}
	return c, nil
}

// named puts the variable's name, which the parser does not give, before what
// is wrong with its value.
func named(err error) error {
	var parse env.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	cause := parse.Err
	var value env.ParseValueError
	if errors.As(cause, &value) {
		cause = value.Err
	}
	name := parse.Name
	if f, ok := reflect.TypeFor[Config]().FieldByName(parse.Name); ok {
		name = f.Tag.Get("env")
	}
	return fmt.Errorf("%s: %w", name, cause)
}

// validate reports values out of range. Those that were not even read hold
// their zero value and have been reported already.
func (c Config) validate(unread []error) []error {
	var problems []error
	wrong := func(name, format string, args ...any) {
		for _, e := range unread {
			if len(e.Error()) > len(name) && e.Error()[:len(name)+1] == name+":" {
				return
			}
		}
		problems = append(problems, fmt.Errorf(name+": "+format, args...))
	}
	if _, port, err := net.SplitHostPort(c.Addr); err != nil || port == "" {
		wrong("STATS_ADDR", "%q: want host:port, as in 127.0.0.1:8082", c.Addr)
	} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		wrong("STATS_ADDR", "%q: want a port from 0 to 65535, as in 127.0.0.1:8082", c.Addr)
	}
	if c.LogFormat != "json" && c.LogFormat != "text" {
		wrong("LOG_FORMAT", "%q: want json or text", c.LogFormat)
	}
	if c.DrainTimeout < time.Second || c.DrainTimeout > 5*time.Minute {
		wrong("DRAIN_TIMEOUT", "%s: want 1s to 5m", c.DrainTimeout)
	}
	if c.RequestTimeout < 100*time.Millisecond || c.RequestTimeout > time.Minute {
		wrong("REQUEST_TIMEOUT", "%s: want 100ms to 1m", c.RequestTimeout)
	}
	if c.MaxInFlight < 1 || c.MaxInFlight > 10_000 {
		wrong("MAX_IN_FLIGHT", "%d: want 1 to 10000", c.MaxInFlight)
	}
	if c.Receivers < 1 || c.Receivers > 64 {
		wrong("RECEIVERS", "%d: want 1 to 64", c.Receivers)
	}
	return problems
}
