package app_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/services/profile/internal/app"
	"github.com/tributary-dev/tributary/services/profile/internal/profiletest"
)

// A relay that starts while AWS is away waits, says so now and then, and
// publishes as soon as AWS is there: nobody has to start it again.
func TestRelayWaitsForAWS(t *testing.T) {
	for name, fault := range map[string]func(localaws.Call) localaws.Fault{
		"throttling":                   func(c localaws.Call) localaws.Fault { return localaws.Fault{Error: localaws.Throttled(c.Service)} },
		"an outage":                    func(c localaws.Call) localaws.Fault { return localaws.Fault{Error: localaws.Unavailable(c.Service)} },
		"connections that break":       func(localaws.Call) localaws.Fault { return localaws.Fault{Drop: localaws.DropRequest} },
		"answers that are lost":        func(localaws.Call) localaws.Fault { return localaws.Fault{Drop: localaws.DropResponse} },
		"answers that never come":      func(localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: 24 * time.Hour} },
		"an error that nobody knows":   func(localaws.Call) localaws.Fault { return refused("SomethingNew") },
		"an outage of one service":     only(localaws.SNS, localaws.Fault{Error: localaws.Unavailable(localaws.SNS)}),
		"a service that never answers": only(localaws.SQS, localaws.Fault{DelayBefore: 24 * time.Hour}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOwner(t, app.RelayConfig{})
				o.send(t, "PUT", "7", `{"name":"seven"}`)
				var log bytes.Buffer
				relay, err := app.NewRelay(app.RelayConfig{DrainTimeout: time.Second}, o.AWS, app.NewLogger(&log, app.LogConfig{LogFormat: "json"}))
				if err != nil {
					t.Fatal(err)
				}
				o.Engine.SetFaults(fault)
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- relay.Run(ctx) }()
				time.Sleep(10 * time.Minute)
				select {
				case err := <-ended:
					t.Fatalf("it ended: %v", err)
				default:
				}
				o.Engine.SetFaults(nil)
				if e := o.event(t); e.Subject != "7" { // within 20 s
					t.Errorf("%+v arrived", e)
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				said := strings.Count(log.String(), `"waiting for AWS: nothing is published until it answers"`)
				if said < 15 || said > 70 || !strings.Contains(log.String(), "AWS answers") {
					t.Errorf("within ten minutes it said %d times that it waits:\n%s", said, log.String())
				}
			})
		})
	}
}

func only(service localaws.Service, fault localaws.Fault) func(localaws.Call) localaws.Fault {
	return func(c localaws.Call) localaws.Fault {
		if c.Service == service {
			return fault
		}
		return localaws.Fault{}
	}
}

// A stop does not wait for AWS.
func TestStopWhileRelayWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(t, app.RelayConfig{})
		o.Engine.SetFaults(func(localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: 24 * time.Hour} })
		for _, after := range []time.Duration{5 * time.Second, 25 * time.Second} { // in a look, and between two
			relay, err := app.NewRelay(app.RelayConfig{DrainTimeout: time.Second}, o.AWS, quiet)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), after)
			began := time.Now()
			if err := relay.Serve(ctx, newPipes()); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > after+2*time.Second {
				t.Errorf("stopped after %s, it ended after %s", after, took)
			}
			cancel()
		}
		o.Engine.SetFaults(nil)
	})
}

// What no waiting mends ends the relay at once, with what to do; what could not
// be looked at beside it does not keep it waiting.
func TestRelayEndsForWhatTheConfigurationHasToMend(t *testing.T) {
	for _, tc := range []struct {
		name  string
		fault func(localaws.Call) localaws.Fault
		want  []string // parts of the message
	}{
		{"credentials that DynamoDB does not know", only(localaws.DynamoDB, refused("UnrecognizedClientException")),
			[]string{"look at table companies: ", "look at checkpoint table profile-relay-checkpoints: ", "AWS_ACCESS_KEY_ID"}},
		{"credentials that have expired", only(localaws.SNS, refused("ExpiredToken")),
			[]string{"look at topic company-profile-v1: ", "AWS_PROFILE"}},
		{"a name that is none", only(localaws.SQS, refused("InvalidAddress")),
			[]string{"look at dead-letter queue profile-company-profile-v1-relay-dlq: ", "RELAY_DLQ"}},
		{"a table that is missing while a service is away", func(c localaws.Call) localaws.Fault {
			if c.Service == localaws.DynamoDB {
				return refused("ResourceNotFoundException")
			}
			return localaws.Fault{Error: localaws.Unavailable(c.Service)}
		}, []string{"table companies does not exist", "checkpoint table profile-relay-checkpoints does not exist", "replicactl bootstrap"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := profiletest.New(t)
				w.CreateTopic(t)
				w.CreateQueue(t, w.Publication.DeadLetterQueue, "")
				w.Engine.SetFaults(tc.fault)
				relay, err := app.NewRelay(app.RelayConfig{DrainTimeout: time.Second}, w.AWS, quiet)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				err = relay.Serve(t.Context(), newPipes())
				if took := time.Since(began); err == nil || took > 25*time.Second {
					t.Fatalf("after %s: %v", took, err)
				}
				for _, want := range tc.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%q is not in: %v", want, err)
					}
				}
			})
		})
	}
}
