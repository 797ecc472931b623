package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/cost"
)

// mover is a verb as the frame wants them: it plans, and acts with --apply.
func mover(g *globals, run func(context.Context) error) *cobra.Command {
	var contract, to, topic, table string
	var apply bool
	cmd := &cobra.Command{Use: "move", GroupID: groupMend, Short: "Move", Args: noArguments, RunE: func(cmd *cobra.Command, _ []string) error {
		p := planned(plan{Verb: "move", Targets: []planTarget{{"topic", "company-profile-v1", "sent to"}},
			Counts: []planCount{{What: "messages", N: 20, Estimate: true}}, Notes: []string{"it can be repeated"}}, cost.Publish(20, 1000, 256<<10))
		g.showPlan(p)
		if !apply {
			return g.finish(p, false, nil, nil)
		}
		if err := run(cmd.Context()); err != nil {
			return stopped(resume(err, "run the same command again, it goes on at message 7"), p, map[string]int{"moved": 6})
		}
		return g.finish(p, true, map[string]int{"moved": 20}, func(out io.Writer) { fmt.Fprintln(out, "20 moved") })
	}}
	g.contractFlag(cmd, &contract)
	g.subscriberFlag(cmd, &to, "to", "who gets it")
	cmd.Flags().StringVar(&topic, "topic", "", "a topic")
	complete(cmd, "topic", g.completeTopics)
	cmd.Flags().StringVar(&table, "table", "", "a table")
	complete(cmd, "table", g.completeTables)
	applyFlag(cmd, &apply)
	needs(cmd, "contract", "to")
	return cmd
}

func execute(ctx context.Context, run func(context.Context) error, args ...string) (code int, out, complaints string) {
	var o, e bytes.Buffer
	g := &globals{out: &o, err: &e}
	code = perform(ctx, g, args, mover(g, run))
	return code, o.String(), e.String()
}

var named = []string{"move", "--contract", "company.profile/v1", "--to", "stats"}

func TestAVerbThatChangesSomethingPlansFirst(t *testing.T) {
	never := func(context.Context) error { t.Error("it acted"); return nil }
	code, out, complaints := execute(t.Context(), never, named...)
	for _, said := range []string{"company-profile-v1", "about 20", "PublishBatch", "2 requests", "  under $0.01 in all; ", cost.Provenance, "it can be repeated", "run again with --apply"} {
		if !strings.Contains(out, said) {
			t.Errorf("the plan does not say %q:\n%s", said, out)
		}
	}
	if code != exitOK || complaints != "" {
		t.Errorf("exit code %d, %q", code, complaints)
	}
	var dear bytes.Buffer
	writePlan(&dear, planned(plan{}, cost.Publish(10, 1000, 256<<10), cost.Publish(10_000_000, 1000, 256<<10)))
	for _, said := range []string{" 1 request  ", " 1000000 requests ", "  about $0.50 in all; "} {
		if !strings.Contains(dear.String(), said) {
			t.Errorf("the plan does not say %q:\n%s", said, &dear)
		}
	}
	if code, out, _ := execute(t.Context(), func(context.Context) error { return nil }, append(named, "--apply")...); code != exitOK || !strings.HasSuffix(out, "20 moved\n") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

func TestJSONIsOneDocument(t *testing.T) {
	for _, apply := range []bool{false, true} {
		_, out, _ := execute(t.Context(), func(context.Context) error { return nil }, append(named, "--json", fmt.Sprintf("--apply=%v", apply))...)
		var got struct {
			Plan    plan
			Applied bool
			Result  map[string]int
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v:\n%s", err, out)
		}
		if got.Applied != apply || got.Plan.Requests[0].Requests != 2 || got.Plan.Prices == "" || (got.Result["moved"] == 20) != apply {
			t.Errorf("apply %v gives %+v", apply, got)
		}
	}
}

// Whatever ends a verb, --json prints one document; what was done until then is
// in it, and so is what one reads on the standard error.
func TestWhatStopsAVerbIsInTheDocument(t *testing.T) {
	const again = "run the same command again, it goes on at message 7"
	ctx, interrupt := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		ctx   context.Context
		run   func(context.Context) error
		moved int
		said  string
	}{
		"an error":       {t.Context(), func(context.Context) error { return errors.New("move message 7: throttled") }, 6, "move message 7: throttled; " + again},
		"a Ctrl-C":       {ctx, func(ctx context.Context) error { interrupt(); return context.Cause(ctx) }, 6, "interrupted; " + again},
		"nothing at all": {t.Context(), func(context.Context) error { return nil }, 20, ""},
	} {
		code, out, complaints := execute(c.ctx, c.run, append(named, "--json", "--apply")...)
		var got struct {
			Plan    *plan
			Applied bool
			Result  map[string]int
			Error   string
		}
		decoder := json.NewDecoder(strings.NewReader(out))
		if err := decoder.Decode(&got); err != nil || decoder.More() {
			t.Fatalf("%s: no single document: %v:\n%s", name, err, out)
		}
		if !got.Applied || got.Plan == nil || got.Result["moved"] != c.moved || got.Error != c.said || (code == exitOK) != (c.said == "") {
			t.Errorf("%s: exit code %d, %s", name, code, out)
		}
		if want := "replicactl: " + c.said + "\n"; c.said != "" && complaints != want {
			t.Errorf("%s: said %q, want %q", name, complaints, want)
		}
	}
}

// A verb that ends with an error after its document, as where something does not
// close, prints no second one.
func TestAnErrorAfterTheDocumentIsNoSecondOne(t *testing.T) {
	var out, complaints bytes.Buffer
	g := &globals{out: &out, err: &complaints}
	cmd := &cobra.Command{Use: "look", GroupID: groupLook, RunE: func(*cobra.Command, []string) error {
		return errors.Join(printJSON(g.out, map[string]int{"seen": 1}), errors.New("close the archive: throttled"))
	}}
	code := perform(t.Context(), g, []string{"look", "--json"}, cmd)
	if out.String() != "{\n  \"seen\": 1\n}\n" || code != exitError || complaints.String() != "replicactl: close the archive: throttled\n" {
		t.Errorf("exit code %d, said %q:\n%s", code, &complaints, &out)
	}
}

// What the standard output does not take is told with what went wrong.
func TestADocumentThatCannotBePrintedIsTold(t *testing.T) {
	var complaints bytes.Buffer
	g := &globals{out: full{}, err: &complaints}
	code := perform(t.Context(), g, append(named, "--json", "--apply"), mover(g, func(context.Context) error { return errors.New("throttled") }))
	if said := complaints.String(); code != exitError || !strings.Contains(said, "replicactl: throttled; ") || !strings.Contains(said, "print the document: no space left") {
		t.Errorf("exit code %d, said %q", code, said)
	}
}

// A text that is cut off is no success, whichever the verb's own exit code would be.
func TestATextThatCannotBePrintedIsAnError(t *testing.T) {
	for _, ended := range []error{nil, errDrift, errSaid} {
		var complaints bytes.Buffer
		g := &globals{out: full{}, err: &complaints}
		cmd := &cobra.Command{Use: "look", GroupID: groupLook, RunE: func(*cobra.Command, []string) error {
			fmt.Fprintln(g.out, "all is well")
			return ended
		}}
		code := perform(t.Context(), g, []string{"look"}, cmd)
		if said := complaints.String(); code != exitError || said != "replicactl: write the output: no space left; what was done is done, and is not all told\n" {
			t.Errorf("%v: exit code %d, said %q", ended, code, said)
		}
	}
}

// full takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWhatStoppedSaysHowToGoOn(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	code, out, complaints := execute(ctx, func(ctx context.Context) error { interrupt(); return context.Cause(ctx) }, append(named, "--apply")...)
	if want := "replicactl: interrupted; run the same command again, it goes on at message 7\n"; code != exitError || complaints != want || strings.Contains(out, "moved") {
		t.Errorf("exit code %d, %q:\n%s", code, complaints, out)
	}
	_, _, complaints = execute(t.Context(), func(context.Context) error { return errors.New("move message 7: throttled") }, append(named, "--apply")...)
	if want := "replicactl: move message 7: throttled; run the same command again, it goes on at message 7\n"; complaints != want {
		t.Errorf("said %q", complaints)
	}
	if resume(nil, "never") != nil || stopped(nil, nil, nil) != nil {
		t.Error("no error became one")
	}
}

func TestAMissingFlagIsWrongUsage(t *testing.T) {
	code, _, complaints := execute(t.Context(), nil, "move")
	if code != exitUsage || !strings.Contains(complaints, "move needs --contract and --to") {
		t.Errorf("exit code %d, %q", code, complaints)
	}
	cmd := &cobra.Command{Use: "explain"}
	if err := arguments("CONTRACT", "SUBJECT")(cmd, []string{"one"}); err == nil || !strings.Contains(err.Error(), "takes CONTRACT and SUBJECT") {
		t.Errorf("got %v", err)
	}
}

// Completion reads manifests alone: no endpoint answers here.
func TestCompletionKnowsTheManifests(t *testing.T) {
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	for flag, want := range map[string][]string{
		"--contract": {"company.profile/v1"},
		"--to":       {"stats"},
		"--topic":    {"company-profile-v1"},
		"--table":    {"companies", "company-stats", "watchlists"},
	} {
		_, out, _ := execute(t.Context(), nil, "__complete", "move", "-m", "../../../../services", flag, "")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if lines[len(lines)-1] != ":4" {
			t.Errorf("%s is completed with files too: %q", flag, lines)
		}
		for _, name := range want {
			if !slices.Contains(lines, name) {
				t.Errorf("%s is not completed with %s: %q", flag, name, lines)
			}
		}
	}
	if _, out, _ := execute(t.Context(), nil, "__complete", "move", "-m", "../../../../services", "--contract", "other/v1", "--to", ""); !strings.HasPrefix(out, ":4") {
		t.Errorf("a contract nobody subscribes to has subscribers: %s", out)
	}
}
