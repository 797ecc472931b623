package outflow_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/internal/outflow"
)

// topic takes messages as answer says, by call from 1; it notes what it took.
type topic struct {
	calls  int
	took   map[string]int // by subject
	answer func(call int, subjects []string) error
}

func (p *topic) Publish(_ string, messages ...*message.Message) error {
	p.calls++
	subjects := make([]string, len(messages))
	for i, m := range messages {
		c, err := contracts.Decode(m.Payload, catalog)
		if err != nil {
			return err
		}
		if m.Metadata.Get(replica.MetadataAudience) != "stats" {
			return errors.New("for the wrong audience")
		}
		subjects[i] = c.Subject
	}
	var err error
	if p.answer != nil {
		err = p.answer(p.calls, subjects)
	}
	partial, isPartial := errors.AsType[*replica.PublishError](err)
	for i, s := range subjects {
		if err == nil || isPartial && partial.Failed[i] == nil {
			p.took[s]++
		}
	}
	return err
}

func (p *topic) Close() error { return nil }

var catalog, _ = contracts.NewCatalog(profilev1.Contract)

func changes(n int) []*contracts.Change {
	all := make([]*contracts.Change, n)
	for i := range all {
		all[i] = &contracts.Change{Contract: profilev1.Contract, Operation: contracts.Delete, Source: "/services/profile", Subject: fmt.Sprint(i), Version: 7,
			Origin: contracts.Backfill, Published: time.Now(), Changed: profilev1.Contract.Names()}
	}
	return all
}

var never = &replica.RejectedError{Reason: "refused by SNS"}

// Every change is taken once and for all, or rejected by its position; what can
// never be sent costs its neighbours nothing.
func TestEveryChangeIsAcceptedOrRejected(t *testing.T) {
	throttled := errors.New("throttled")
	for name, c := range map[string]struct {
		answer   func(call int, subjects []string) error
		rejected []int
	}{
		"all taken": {nil, nil},
		"a whole call fails twice": {func(call int, _ []string) error {
			if call <= 2 {
				return throttled
			}
			return nil
		}, nil},
		"every other one fails, each time": {func(_ int, subjects []string) error {
			failed := map[int]error{}
			for i := range subjects {
				if i%2 == 1 {
					failed[i] = throttled
				}
			}
			if len(failed) == 0 {
				return nil
			}
			return &replica.PublishError{Failed: failed}
		}, nil},
		"one is refused by SNS, one fails": {func(_ int, subjects []string) error {
			failed := map[int]error{}
			if at := slices.Index(subjects, "120"); at >= 0 {
				failed[at], failed[0] = never, throttled
				return &replica.PublishError{Failed: failed}
			}
			return nil
		}, []int{120}},
		"too large and unsendable ones": {func(_ int, subjects []string) error {
			large, refused := map[int]int{}, map[int]error{}
			for i, s := range subjects {
				switch s {
				case "3", "110":
					large[i] = 300 << 10
				case "5":
					refused[i] = errors.New("is no text")
				}
			}
			var errs []error
			if len(large) > 0 {
				errs = append(errs, &replica.OversizeError{Bytes: large, LimitBytes: 256 << 10})
			}
			if len(refused) > 0 {
				errs = append(errs, &replica.RefusedError{Causes: refused})
			}
			return errors.Join(errs...)
		}, []int{3, 5, 110}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to := &topic{took: map[string]int{}, answer: c.answer}
				all := changes(250)
				all[200].Version = 0 // can never travel
				rejected, err := (&outflow.Outflow{Publisher: to, Topic: "topic", Audience: "stats"}).Send(t.Context(), all)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(slices.Sorted(slices.Values(append(c.rejected, 200))), slices.Sorted(maps.Keys(rejected))); diff != "" {
					t.Errorf("rejected (-want +got):\n%s", diff)
				}
				for i := range all {
					want := 1
					if rejected[i] != nil {
						want = 0
						if _, is := errors.AsType[*replica.RejectedError](rejected[i]); !is {
							t.Errorf("%d is rejected for %v", i, rejected[i])
						}
					}
					if to.took[fmt.Sprint(i)] != want {
						t.Errorf("%d was taken %d times, want %d", i, to.took[fmt.Sprint(i)], want)
					}
				}
			})
		})
	}
}

// What does not go away by itself ends in an error after minutes, what ends with
// the context at once.
func TestSendingGivesUpAfterMinutesOrWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("out of order")
		to := &topic{took: map[string]int{}, answer: func(int, []string) error { return down }}
		start := time.Now()
		o := &outflow.Outflow{Publisher: to, Topic: "topic", Audience: "stats"}
		if _, err := o.Send(t.Context(), changes(1)); !errors.Is(err, down) || time.Since(start) < 2*time.Minute || time.Since(start) > 5*time.Minute {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		ended := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, ended)
		defer cancel()
		start = time.Now()
		if _, err := o.Send(ctx, changes(1)); !errors.Is(err, ended) || time.Since(start) > 10*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
	})
}

// What waiting does not mend is not waited for.
func TestPersistStopsAtWhatIsFinal(t *testing.T) {
	final := errors.New("superseded")
	for name, err := range map[string]error{
		"rejected": never, "final": fmt.Errorf("save: %w", final),
		// As DynamoDB says it: the SDK has no type for it, and knows nobody's fault.
		"denied": fmt.Errorf("scan: %w", &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "not authorized"}),
	} {
		calls := 0
		got := outflow.Persist(t.Context(), func() error { calls++; return err }, final)
		if calls != 1 || !errors.Is(got, err) {
			t.Errorf("%s: %d calls, %v", name, calls, got)
		}
	}
}
