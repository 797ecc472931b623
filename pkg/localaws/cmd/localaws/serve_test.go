package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCommandLine(t *testing.T) {
	for name, c := range map[string]struct {
		args  string
		code  int
		names []string // in what is printed; nil means accepted
	}{
		"nothing":            {"", 0, nil},
		"everything":         {"-addr 127.0.0.1:0 -region eu-west-1 -account 123456789012 -latency 10ms -ttl-sweep 1m", 0, nil},
		"help":               {"-h", 0, []string{"-latency"}},
		"an unknown flag":    {"-colour red", 2, []string{"colour"}},
		"an argument":        {"start", 2, []string{`"start"`}},
		"everything's wrong": {"-region here -account me -latency -1s", 2, []string{"-region", "-account", "-latency"}},
	} {
		t.Run(name, func(t *testing.T) {
			var printed bytes.Buffer
			o, code := parse(strings.Fields(c.args), &printed)
			if (o != nil) != (c.names == nil) || code != c.code {
				t.Errorf("options %v, code %d, want %d", o, code, c.code)
			}
			for _, want := range c.names {
				if !strings.Contains(printed.String(), want) {
					t.Errorf("printed without %s: %s", want, printed.String())
				}
			}
		})
	}
}

func TestDefaultsAreThoseOfTheHelp(t *testing.T) {
	o, _ := parse(nil, io.Discard)
	if o.addr != "127.0.0.1:4566" || o.engine.TTLSweepEvery != time.Second || o.engine.Region != "us-east-1" {
		t.Errorf("%+v", o)
	}
}

// The command prints where it is and how to reach it, answers there, and ends
// with its context.
func TestServe(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o, _ := parse([]string{"-addr", "127.0.0.1:0"}, io.Discard)
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, *o, writer) }()
	banner := make([]byte, 4096)
	n, err := reader.Read(banner)
	if err != nil {
		t.Fatal(err)
	}
	url := regexp.MustCompile(`AWS_ENDPOINT_URL=(http://127\.0\.0\.1:[0-9]+)`).FindSubmatch(banner[:n])
	if url == nil {
		t.Fatalf("printed %s", banner[:n])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(string(url[1]) + "/_localaws/health")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("health: %s", response.Status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
