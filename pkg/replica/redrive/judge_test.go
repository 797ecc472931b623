package redrive_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
)

func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	young, old := now.Add(-44*24*time.Hour), now.Add(-46*24*time.Hour)
	damaged := errors.New("damaged")
	rejected := &replica.RejectedError{Reason: "unknown contract", Err: damaged}
	for name, c := range map[string]struct {
		facts     redrive.Facts
		action    redrive.Action
		reason    string
		unproven  bool
		wantsHelp bool // an advice
	}{
		"a young change that applies is sent":            {redrive.Facts{Published: young, Trial: &replica.Trial{}}, redrive.Send, "", false, false},
		"exactly 45 days is young":                       {redrive.Facts{Published: now.Add(-redrive.MaxAge), Trial: &replica.Trial{}}, redrive.Send, "", false, false},
		"an old one is refused":                          {redrive.Facts{Published: old, Trial: &replica.Trial{}}, redrive.Refuse, "too old", false, true},
		"an old one that was not tried is refused":       {redrive.Facts{Published: old}, redrive.Refuse, "too old", false, true},
		"an old one that is superseded is superseded":    {redrive.Facts{Published: old, Trial: &replica.Trial{Superseded: true}}, redrive.Supersede, "every replica holds a higher version", false, false},
		"a superseded one is superseded":                 {redrive.Facts{Published: young, Trial: &replica.Trial{Superseded: true}}, redrive.Supersede, "every replica holds a higher version", false, false},
		"what would be rejected is refused":              {redrive.Facts{Published: young, Trial: &replica.Trial{Rejected: rejected}}, redrive.Refuse, "unknown contract", false, true},
		"what is no event is refused":                    {redrive.Facts{Unknown: damaged, Trial: &replica.Trial{Rejected: rejected}}, redrive.Refuse, "unknown contract", false, true},
		"what is no event is refused without a trial":    {redrive.Facts{Unknown: damaged}, redrive.Refuse, "not an event", false, true},
		"what is unreadable is refused":                  {redrive.Facts{Unreadable: damaged}, redrive.Refuse, "unreadable letter", false, true},
		"what could not be tried is refused":             {redrive.Facts{Untried: damaged, Published: young}, redrive.Refuse, "not tried", false, true},
		"a canary is refused":                            {redrive.Facts{Operation: contracts.Canary, Published: young, Trial: &replica.Trial{}}, redrive.Refuse, "canary", false, true},
		"functions are not known and it is sent":         {redrive.Facts{Published: young, Trial: &replica.Trial{Functions: []string{"score"}}}, redrive.Send, "", true, false},
		"without a dry run nothing is known and is sent": {redrive.Facts{Published: young}, redrive.Send, "", true, false},
	} {
		c.facts.Now = now
		if c.wantsHelp && strings.Contains(redrive.Judge(c.facts).Advice, "raw message delivery") {
			t.Errorf("%s: advises to turn on raw delivery", name)
		}
		v := redrive.Judge(c.facts)
		if v.Action != c.action || v.Reason != c.reason || v.Unproven != "" != c.unproven || v.Advice != "" != c.wantsHelp ||
			v.Action == redrive.Refuse && v.Detail == "" {
			t.Errorf("%s: judged %+v", name, v)
		}
	}
	// The consumer understands it; its subscription is wrong.
	wrapped := redrive.Judge(redrive.Facts{Now: now, Unknown: damaged, Trial: &replica.Trial{Rejected: &replica.RejectedError{Reason: "wrapped by SNS", Err: damaged}}})
	if wrapped.Action != redrive.Refuse || !strings.Contains(wrapped.Advice, "raw message delivery") || strings.Contains(wrapped.Advice, "consumer that knows") || !strings.Contains(wrapped.Advice, "backfill") {
		t.Errorf("an event in SNS's envelope: %+v", wrapped)
	}
}
