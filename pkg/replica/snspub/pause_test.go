package snspub_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

// The pauses between attempts double up to their maximum, and chance takes off
// half at most.
func TestAttemptsAreFurtherAndFurtherApart(t *testing.T) {
	for name, random := range map[string]float64{"whole pauses": 0, "three quarters of them": 0.5, "hardly more than half": 0.999} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, localaws.Config{}, func(w *world) {
				arn, _ := w.topic("company-profile", nil)
				w.partial.fail = func(string) *failure { return &failure{Code: "InternalError", Message: "not now"} }
				var at []time.Time
				p := w.publisher(snspub.Config{
					Backoff: snspub.Backoff{Base: time.Second, Max: 5 * time.Second},
					Random:  func() float64 { return random },
					Observe: func(snspub.Request) { at = append(at, time.Now()) },
				})
				if err := p.Publish(arn, numbered(1)...); err == nil {
					t.Fatal("Publish says that what was never accepted was")
				}
				whole := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}
				if len(at) != len(whole)+1 {
					t.Fatalf("%d attempts, want %d", len(at), len(whole)+1)
				}
				for i, pause := range whole {
					want := pause - time.Duration(random*float64(pause)/2)
					if got := at[i+1].Sub(at[i]); got != want {
						t.Errorf("pause %d is %v, want %v", i+1, got, want)
					}
				}
			})
		})
	}
}

// A call whose context ends returns at that moment, whatever it waits for, and
// names what was not accepted and why.
func TestACallReturnsWhenItsContextEndsWhateverItWaitsFor(t *testing.T) {
	reason := errors.New("nobody wants it")
	for name, prepare := range map[string]func(w *world, p *snspub.Publisher, arn string){
		"a pause between attempts": func(w *world, _ *snspub.Publisher, _ string) {
			w.partial.fail = func(string) *failure { return &failure{Code: "InternalError", Message: "not now"} }
		},
		"the requests of other calls": func(w *world, p *snspub.Publisher, arn string) {
			w.engine.SetFaults(func(localaws.Call) localaws.Fault { return localaws.Fault{DelayBefore: time.Hour} })
			other, cancel := context.WithTimeout(context.Background(), time.Minute)
			go func() {
				defer cancel()
				_ = p.PublishContext(other, arn, numbered(1)...) // takes the only slot
			}()
			time.Sleep(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, localaws.Config{}, func(w *world) {
				arn, _ := w.topic("company-profile", nil)
				p := w.publisher(snspub.Config{MaxInFlight: 1, LimitBytes: 1 << 18, Backoff: snspub.Backoff{Base: time.Hour}})
				prepare(w, p, arn)
				ctx, cancel := context.WithTimeoutCause(context.Background(), 7*time.Second, reason)
				defer cancel()
				begun := time.Now()
				err := p.PublishContext(ctx, arn, numbered(25)...)
				failed, ok := errors.AsType[*replica.PublishError](err)
				if !ok || len(failed.Failed) != 25 || !errors.Is(failed.Failed[24], reason) {
					t.Errorf("PublishContext says %v", err)
				}
				if took := time.Since(begun); took != 7*time.Second {
					t.Errorf("it took %v, want 7 s", took)
				}
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
