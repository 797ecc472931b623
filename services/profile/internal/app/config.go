package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// LogConfig is how either program logs.
type LogConfig struct {
	// LogLevel is the least level that is logged: debug, info, warn or error.
	LogLevel slog.Level `env:"LOG_LEVEL" envDefault:"info"`
	// LogFormat is json or text.
	LogFormat string `env:"LOG_FORMAT" envDefault:"json"`
}

// Config is everything the environment says about the API. AWS's own variables
// (endpoint, region, credentials) are the SDK's to read; the table's name is in
// the manifest.
type Config struct {
	LogConfig
	// Addr is where the API listens: host:port. Port 0 takes a free one.
	Addr string `env:"PROFILE_ADDR" envDefault:"127.0.0.1:8081"`
	// DrainTimeout is how long a stop waits for requests under way; 1 s to
	// 5 min.
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" envDefault:"20s"`
	// RequestTimeout bounds the work on one request; 100 ms to 1 min.
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT" envDefault:"10s"`
}

// RelayConfig is everything the environment says about the relay, beside AWS's
// own variables; what the manifest names is found by that name unless it is
// given here.
type RelayConfig struct {
	LogConfig
	// Addr is where health and metrics are served: host:port, 127.0.0.1:8083
	// where the variable is not set, and nowhere where it is empty. Lambda has
	// no use for it.
	Addr string `env:"RELAY_ADDR"`
	// PollInterval is the pause after a read of a shard that brought nothing;
	// 1 ms to 10 s. Less than 200 ms a shard meets the limit of five reads a
	// second (AWS, "GetRecords", DynamoDB Streams API reference).
	PollInterval time.Duration `env:"RELAY_POLL_INTERVAL" envDefault:"250ms"`
	// DrainTimeout is how long a stop waits for the batches under way; 1 s to
	// 5 min.
	DrainTimeout time.Duration `env:"DRAIN_TIMEOUT" envDefault:"20s"`
	// TopicARN is the topic; the manifest's, found by its name, if empty.
	TopicARN string `env:"TOPIC_ARN"`
	// DeadLetterQueue is the URL or the name of the relay's dead-letter queue;
	// the manifest's if empty.
	DeadLetterQueue string `env:"RELAY_DLQ"`
	// LambdaRuntimeAPI is set by Lambda, and says that it started the program
	// (AWS, "Using the Lambda runtime API for custom runtimes").
	LambdaRuntimeAPI string `env:"AWS_LAMBDA_RUNTIME_API"`
}

const defaultRelayAddr = "127.0.0.1:8083"

// UnderLambda reports whether Lambda started the program.
func (c RelayConfig) UnderLambda() bool { return c.LambdaRuntimeAPI != "" }

// ConfigFrom reads the API's variables, and reports every problem they have.
func ConfigFrom(environment map[string]string) (Config, error) {
	var c Config
	f := read(environment, &c)
	f.checkLog(c.LogConfig)
	f.checkAddr("PROFILE_ADDR", c.Addr, "127.0.0.1:8081")
	f.checkDuration("DRAIN_TIMEOUT", c.DrainTimeout, time.Second, 5*time.Minute)
	f.checkDuration("REQUEST_TIMEOUT", c.RequestTimeout, 100*time.Millisecond, time.Minute)
	return c, f.err()
}

// RelayConfigFrom reads the relay's variables, and reports every problem they
// have.
func RelayConfigFrom(environment map[string]string) (RelayConfig, error) {
	var c RelayConfig
	f := read(environment, &c)
	if _, set := environment["RELAY_ADDR"]; !set {
		c.Addr = defaultRelayAddr
	}
	f.checkLog(c.LogConfig)
	if c.Addr != "" {
		f.checkAddr("RELAY_ADDR", c.Addr, defaultRelayAddr)
	}
	f.checkDuration("RELAY_POLL_INTERVAL", c.PollInterval, time.Millisecond, 10*time.Second)
	f.checkDuration("DRAIN_TIMEOUT", c.DrainTimeout, time.Second, 5*time.Minute)
	if c.TopicARN != "" && !(strings.HasPrefix(c.TopicARN, "arn:") && strings.Contains(c.TopicARN, ":sns:") && strings.Count(c.TopicARN, ":") == 5) {
		f.add("TOPIC_ARN", "%q: want an SNS topic's ARN, as in arn:aws:sns:us-east-1:000000000000:company-profile-v1", c.TopicARN)
	}
	return c, f.err()
}

// findings collects what is wrong with the environment.
type findings struct {
	problems []error
	unread   map[string]bool // variables whose value could not even be read
}

// read fills in the struct that into points to.
func read(environment map[string]string, into any) *findings {
	f := &findings{unread: make(map[string]bool)}
	err := env.ParseWithOptions(into, env.Options{Environment: environment})
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		if err != nil {
			f.problems = append(f.problems, err)
		}
		return f
	}
	for _, e := range all.Errors {
		f.problems = append(f.problems, f.named(e, reflect.TypeOf(into).Elem()))
	}
	return f
}

// named puts the variable's name, which the parser does not give, before what
// is wrong with its value.
func (f *findings) named(err error, of reflect.Type) error {
	parse, ok := errors.AsType[env.ParseError](err)
	if !ok {
		return err
	}
	cause := parse.Err
	if value, ok := errors.AsType[env.ParseValueError](cause); ok {
		cause = value.Err
	}
	name := parse.Name
	if field, ok := of.FieldByName(parse.Name); ok {
		name = field.Tag.Get("env")
	}
	f.unread[name] = true
	return fmt.Errorf("%s: %w", name, cause)
}

// add notes a problem with a variable, unless it has one already.
func (f *findings) add(variable, format string, args ...any) {
	if !f.unread[variable] {
		f.problems = append(f.problems, fmt.Errorf(variable+": "+format, args...))
	}
}

func (f *findings) checkLog(c LogConfig) {
	if c.LogFormat != "json" && c.LogFormat != "text" {
		f.add("LOG_FORMAT", "%q: want json or text", c.LogFormat)
	}
}

func (f *findings) checkAddr(variable, addr, example string) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		f.add(variable, "%q: want host:port, as in %s", addr, example)
		return
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		f.add(variable, "%q: want a port from 0 to 65535, as in %s", addr, example)
	}
}

func (f *findings) checkDuration(variable string, d, least, most time.Duration) {
	if d < least || d > most {
		f.add(variable, "%s: want %s to %s", d, least, most)
	}
}

func (f *findings) err() error {
	if len(f.problems) == 0 {
		return nil
	}
	return fmt.Errorf("configuration:\n%w", errors.Join(f.problems...))
}
