package explain_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/explain"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
)

// An item may be in a million watchlists: what is asked for is bounded, and of
// copies that nobody has looked at nothing is said.
func TestAFanOutIsLookedAtNoFurtherThanAskedFor(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put("companies", company("1", "Apple", "Tech"))
		const all = 1200 // more than a page of a megabyte
		for i := range all {
			w.put("watchlists", watching(fmt.Sprintf("%04d%s", i, strings.Repeat("u", 1000)), "1"))
		}
		w.both()
		look := func(most int) (*explain.Facts, string, localaws.Requests) {
			t.Helper()
			before := w.engine.Requests()
			facts := must(explain.Explain(w.Context(), explain.Config{Clients: w.clients, Set: w.set, Contract: contract, Subject: "1", MaxCopies: most}))
			var text bytes.Buffer
			facts.Write(&text)
			return facts, text.String(), w.engine.Requests().Since(before)
		}

		for _, row := range []struct {
			behaviour      string
			most, copies   int
			queries, reads int64 // a page holds some 970, and its last few keys are a read too
			state          explain.State
		}{
			{"as many as there are", all, all, 2, 13, explain.StateInStep},
			{"one fewer than there are", all - 1, all - 1, 2, 13, explain.StateInPart},
			{"by default", 0, 1000, 2, 11, explain.StateInPart},
			{"many fewer", 120, 120, 1, 2, explain.StateInPart},
			{"one", 1, 1, 1, 1, explain.StateInPart},
		} {
			facts, text, requests := look(row.most)
			s := facts.Subscribers[0]
			if queries, reads := requests.Of(localaws.DynamoDB, "Query"), requests.Of(localaws.DynamoDB, "BatchGetItem"); queries != row.queries || reads != row.reads {
				t.Errorf("%s: %d queries and %d reads of a hundred, want %d and %d", row.behaviour, queries, reads, row.queries, row.reads)
			}
			if len(s.Copies) != row.copies+1 || s.Verdict.State != row.state { // the item replica's is one
				t.Errorf("%s: %d copies, %+v", row.behaviour, len(s.Copies), s.Verdict)
			}
			if row.state == explain.StateInStep {
				if len(s.LookedAt) != 0 || strings.Contains(text, "--copies") {
					t.Errorf("%s: says that not all was looked at: %s", row.behaviour, text)
				}
				continue
			}
			const compare = "replicactl reconcile --contract company.profile/v1 --subscriber stats"
			told := fmt.Sprintf("of watchlists by-cik %d (--copies)", row.copies)
			if says := s.Verdict.Says; s.Verdict.Fine() || !strings.Contains(says, told) || !strings.Contains(says, compare) || strings.Contains(says, "nothing is wrong") {
				t.Errorf("%s: says %s", row.behaviour, says)
			}
			if want := fmt.Sprintf("  watchlists by-cik: not all were looked at, only %d (--copies)\n", row.copies); !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", row.behaviour, want, text)
			}
			if written, want := string(must(json.Marshal(facts))), fmt.Sprintf(`"looked_at":[{"replica":"watchlists by-cik","copies":%d}]`, row.copies); !strings.Contains(written, want) {
				t.Errorf("%s: no %s in the JSON", row.behaviour, want)
			}
		}

		// What differs is said, and that there may be more of it.
		w.put("companies", company("1", "Apple Inc", "Tech"))
		w.run(20*time.Second, w.relay)
		w.emptied(w.stats.Subscribes[0].Queue.Name)
		time.Sleep(10 * time.Minute) // virtual
		facts, _, _ := look(120)
		if v := facts.Subscribers[0].Verdict; v.State != explain.StateMissed || !strings.Contains(v.Says, "of watchlists by-cik 120 (--copies)") || v.Command == "" {
			t.Errorf("copies that are behind: %+v", v)
		}
	})
}

// What others wrote commands no terminal, and begins no line of its own.
func TestTextOfOthersCommandsNoTerminal(t *testing.T) {
	inWorld(t, func(w *world) {
		hostile := "Apple\x1b]0;owned\x07\x1b[2J\u009b1m\u202eelppA\nstats: in step"
		w.put("companies", company("1", hostile, "Tech"))
		w.put("watchlists", watching("ann\x1b[8m", "1"))
		w.both()
		facts := w.want("1", explain.StateInStep)
		if got := facts.Source.Shared["name"]; got != hostile {
			t.Errorf("the facts, which --json escapes, have %q", got)
		}
		bad := company("1", "Apple", "Tech")
		bad["name\x1b[2J"], bad["name"] = contracts.String("x"), contracts.Bool(true)
		w.put("companies", bad)
		w.both()
		for _, text := range []string{written(facts), written(w.explain("1"))} {
			for _, r := range text {
				if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
					t.Errorf("%q is printed in\n%q", r, text)
					break
				}
			}
			if strings.Contains(text, "\nstats: in step\n    ") || strings.Count(text, "\nstats: ") != 1 {
				t.Errorf("a line of others' in\n%q", text)
			}
		}
		if text := written(facts); !strings.Contains(text, "name = Apple\ufffd]0;owned") {
			t.Errorf("the name is not told in\n%q", text)
		}
	})
}

func written(facts *explain.Facts) string {
	var text bytes.Buffer
	facts.Write(&text)
	return text.String()
}
