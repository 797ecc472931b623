package redrive_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
)

// found says in which queues each message of the rig is, by its subject: "main",
// "dead" or "both".
func (r *rig) found(letters int) map[string]string {
	r.Helper()
	where := map[string]string{}
	for queue, url := range map[string]string{"main": r.main, "dead": r.dead} {
		for _, msg := range r.drain(url) {
			l := redrive.Read(msg, r.catalog)
			if l.Subject == "" {
				r.Errorf("the %s queue has what was never sent: %s", queue, aws.ToString(msg.Body))
				continue
			}
			switch where[l.Subject] {
			case "", queue:
				where[l.Subject] = queue
			default:
				where[l.Subject] = "both"
			}
		}
	}
	if len(where) != letters {
		r.Errorf("%d of %d messages are in neither queue", letters-len(where), letters)
	}
	return where
}

// Wherever a redrive or a purge is interrupted, before or after the effect of
// any call, no message is in neither queue, nothing stays invisible, and another
// run brings it to its end.
func TestInterruptedAtAnyCallNoMessageIsLost(t *testing.T) {
	const letters = 12
	for _, drop := range []localaws.Drop{localaws.DropRequest, localaws.DropResponse} {
		for call := int64(1); ; call++ {
			interrupted := false
			t.Run(fmt.Sprintf("%s the effect of call %d", map[localaws.Drop]string{localaws.DropRequest: "before", localaws.DropResponse: "after"}[drop], call), func(t *testing.T) {
				inRig(t, func(r *rig) {
					for n := range letters {
						r.send(r.dead, body(r.company(n)))
					}
					r.apply(r.change("100", "newer", 1)) // one is superseded, and stays
					ctx, cancel := context.WithCancel(r.Context())
					defer cancel()
					var calls atomic.Int64
					r.Engine.SetFaults(func(localaws.Call) localaws.Fault {
						if calls.Add(1) != call {
							return localaws.Fault{}
						}
						cancel()
						return localaws.Fault{Drop: drop}
					})
					_, err := r.redrive().Run(ctx, redrive.Selection{All: true})
					if interrupted = calls.Load() >= call; interrupted && err != nil && !errors.Is(err, context.Canceled) {
						r.Errorf("the error is %v", err)
					}
					r.Engine.SetFaults(nil)
					// What a receive handed out for an answer that was lost is
					// invisible for its visibility timeout, no longer.
					time.Sleep(3 * time.Minute)
					synctest.Wait()
					if _, err := r.redrive().Run(r.Context(), redrive.Selection{All: true}); err != nil {
						r.Error(err)
					}
					where := r.found(letters)
					for subject, queue := range where {
						if want := map[bool]string{true: "dead", false: "main"}[subject == "100"]; queue != want {
							r.Errorf("%s ended in %s, want %s", subject, queue, want)
						}
					}
				})
			})
			if !interrupted {
				break
			}
		}
	}
}

// The process may be killed too: nothing more is called then, and nothing given
// back.
func TestKilledAtAnyCallNoMessageIsLost(t *testing.T) {
	const letters = 12
	for call := int64(1); ; call++ {
		killed := false
		t.Run(fmt.Sprintf("from call %d on", call), func(t *testing.T) {
			inRig(t, func(r *rig) {
				for n := range letters {
					r.send(r.dead, body(r.company(n)))
				}
				ctx, cancel := context.WithCancel(r.Context())
				defer cancel()
				var calls atomic.Int64
				r.Engine.SetFaults(func(localaws.Call) localaws.Fault {
					if calls.Add(1) < call {
						return localaws.Fault{}
					}
					cancel()
					return localaws.Fault{Drop: localaws.DropRequest}
				})
				if _, err := r.redrive().Run(ctx, redrive.Selection{All: true}); err == nil && calls.Load() >= call {
					r.Log("it had nothing more to do")
				}
				killed = calls.Load() >= call
				r.Engine.SetFaults(nil)
				time.Sleep(10 * time.Minute)
				r.found(letters)
			})
		})
		if !killed {
			break
		}
	}
}

// Throttling, lost answers, and entries that fail inside requests that succeed
// cost a redrive time and perhaps duplicates, never a message.
func TestFaultsCostARedriveNoMessage(t *testing.T) {
	const letters = 60
	for seed := range uint64(10) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inRig(t, func(r *rig) {
				for n := range letters {
					r.send(r.dead, body(r.company(n)))
				}
				rng := rand.New(rand.NewPCG(seed, 5))
				faults := func(c localaws.Call) localaws.Fault {
					n := 8
					if c.Service == localaws.DynamoDB { // several calls a letter, any of which ends the run
						n = 24
					}
					switch rng.IntN(n) {
					case 0:
						return localaws.Fault{Error: localaws.Throttled(c.Service)}
					case 1:
						return localaws.Fault{Drop: localaws.DropResponse}
					case 2:
						return localaws.Fault{Drop: localaws.DropRequest}
					}
					return localaws.Fault{}
				}
				for run := 0; r.depth(r.dead) != "0+0" && run < 20; run++ {
					var lock sync.Mutex
					r.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
						lock.Lock()
						defer lock.Unlock()
						return faults(c)
					})
					_, _ = r.redrive().Run(r.Context(), redrive.Selection{All: true}) // runs that fail are run again
					r.Engine.SetFaults(nil)
					time.Sleep(15 * time.Minute)
				}
				for subject, queue := range r.found(letters) {
					if queue != "main" {
						r.Errorf("%s ended in %s", subject, queue)
					}
				}
			})
		})
	}
}

// A letter is deleted only after the archive has it.
func TestAPurgeDeletesOnlyWhatWasArchived(t *testing.T) {
	inRig(t, func(r *rig) {
		for n := range 23 {
			r.reject([]string{"poison", "other"}[n%2], body(r.company(n)))
		}
		if plan, err := r.redrive().PlanPurge(r.Context(), redrive.Selection{Reason: "poison"}); err != nil || plan.Selected != 12 || plan.Deleted != 0 ||
			len(plan.Groups) != 1 || plan.Groups[0].Letters != 12 {
			r.Errorf("plan %+v, %v", plan, err)
		}
		r.wantDepths("0+0", "23+0")
		if _, err := r.redrive().Purge(r.Context(), redrive.Selection{All: true}, nil); err == nil {
			r.Error("a purge without an archive was no error")
		}
		full := errors.New("the disk is full")
		archived := map[string]bool{}
		calls := 0
		purged, err := r.redrive().Purge(r.Context(), redrive.Selection{Reason: "poison"}, func(letters []redrive.Letter) error {
			if calls++; calls == 2 {
				return full
			}
			for _, l := range letters {
				archived[string(l.Body)] = true
			}
			return nil
		})
		if !errors.Is(err, full) || purged.Deleted != 10 || len(archived) != 10 {
			r.Errorf("purged %+v with %d archived, %v", purged, len(archived), err)
		}
		r.wantDepths("0+0", "13+0")
		for _, msg := range r.drain(r.dead) {
			if l := redrive.Read(msg, r.catalog); archived[string(l.Body)] {
				r.Errorf("%s was archived and is still there", l.Subject)
			}
		}
	})
}

// Reading any message costs time and memory in proportion to it, and never
// fails; the event within is what the consumer would read.
func FuzzRead(f *testing.F) {
	seeds, err := filepath.Glob("../../contracts/testdata/golden/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range seeds {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "malformed event", "", "")
	}
	f.Add("H4sIAAAAAAAA", "retries exhausted", "gzip+base64", `{"a":{"type":"String","text":"x"}}`)
	f.Fuzz(func(t *testing.T, text, reason, encoding, rest string) {
		l := redrive.Read(letterOf(text, reason, encoding, rest), testCatalog)
		if l.Reason == "" || l.MovedBy == "" {
			t.Errorf("a letter of no group: %+v", l)
		}
		if l.Unreadable != nil {
			if diff := cmp.Diff(text, string(l.Body)); diff != "" {
				t.Errorf("what is unreadable is not kept as it is: %s", diff)
			}
			return
		}
		change, err := contracts.Decode(l.Body, testCatalog)
		if (err == nil) != (l.Unknown == nil) || err == nil && (change.Subject != l.Subject || change.Version != l.Version) {
			t.Errorf("read %+v, the event is %+v, %v", l, change, err)
		}
	})
}
