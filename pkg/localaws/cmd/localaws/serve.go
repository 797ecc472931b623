package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

type options struct {
	addr   string
	engine localaws.Config
}

var (
	region  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]+$`)
	account = regexp.MustCompile(`^[0-9]{12}$`)
)

// parse reads the command line. Where it returns no options the command ends
// with the code: 0 after -h, 2 after a mistake.
func parse(args []string, stderr io.Writer) (*options, int) {
	var o options
	flags := flag.NewFlagSet("localaws", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:4566", "loopback `address` to listen on")
	flags.StringVar(&o.engine.Region, "region", "us-east-1", "AWS `region` in ARNs")
	flags.StringVar(&o.engine.AccountID, "account", "000000000000", "12-digit AWS `account` in ARNs and queue URLs")
	flags.DurationVar(&o.engine.Latency, "latency", 0, "`time` added to every call")
	flags.DurationVar(&o.engine.TTLSweepEvery, "ttl-sweep", time.Second, "`time` between deletions of expired items; 0 never deletes them")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, 0
		}
		return nil, 2
	}
	if err := o.validate(flags.Args()); err != nil {
		fmt.Fprintln(stderr, "localaws:", err)
		return nil, 2
	}
	return &o, 0
}

// validate reports everything that is wrong at once.
func (o options) validate(extra []string) error {
	var problems []error
	if len(extra) > 0 {
		problems = append(problems, fmt.Errorf("unknown argument %q", extra[0]))
	}
	if !region.MatchString(o.engine.Region) {
		problems = append(problems, fmt.Errorf("-region %q is not a region such as us-east-1", o.engine.Region))
	}
	if !account.MatchString(o.engine.AccountID) {
		problems = append(problems, fmt.Errorf("-account %q is not 12 digits", o.engine.AccountID))
	}
	if o.engine.Latency < 0 || o.engine.TTLSweepEvery < 0 {
		problems = append(problems, errors.New("-latency and -ttl-sweep are not negative"))
	}
	return errors.Join(problems...)
}

// serve runs the engine until the context ends.
func serve(ctx context.Context, o options, stdout io.Writer) error {
	listener, err := localaws.Listen(ctx, o.addr)
	if err != nil {
		return err
	}
	engine := localaws.New(o.engine)
	defer engine.Close()
	url := "http://" + listener.Addr().String()
	fmt.Fprintf(stdout, `localaws serves DynamoDB, DynamoDB Streams, SNS and SQS on %s

To use it, set
  export AWS_ENDPOINT_URL=%s
  export AWS_REGION=%s
  export AWS_ACCESS_KEY_ID=localaws AWS_SECRET_ACCESS_KEY=localaws

Everything is in memory and ends with this process (Ctrl-C).
`, url, url, engine.Region())
	return engine.Serve(ctx, listener)
}
