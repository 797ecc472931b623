package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// The scripts of the verbs for dead letters, which have "services", and two
// commands of their own: "letter QUEUE REASON FILE" puts a letter there as a
// consumer or a relay does, with the present time for PUBLISHED, and "depth QUEUE
// N" fails unless the queue has exactly N messages, all of them visible.
func TestLetterScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "letters"),
		RequireExplicitExec: true,
		Setup:               startAccount,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"services": copyServices,
			"letter":   putLetter,
			"depth":    wantDepth,
		},
	})
}

func queues(ts *testscript.TestScript) *sqs.Client {
	return sqs.NewFromConfig(localawstest.Config(ts.Value(engineKey{}).(*localaws.Engine)))
}

func putLetter(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("letter takes a queue, a reason and a file")
	}
	text := strings.ReplaceAll(strings.TrimSpace(ts.ReadFile(args[2])), "PUBLISHED", time.Now().UTC().Format(time.RFC3339))
	ts.Check(sqssub.NewDeadLetters(queues(ts), args[0], "script").Send(context.Background(), replica.DeadLetter{Body: []byte(text), Reason: args[1], Detail: args[1] + ", as the script says"}))
}

func wantDepth(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("depth takes a queue and a number")
	}
	client, ctx := queues(ts), context.Background()
	found, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &args[0]})
	ts.Check(err)
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: found.QueueUrl, AttributeNames: []types.QueueAttributeName{"All"}})
	ts.Check(err)
	if got := out.Attributes["ApproximateNumberOfMessages"] + "+" + out.Attributes["ApproximateNumberOfMessagesNotVisible"]; got != fmt.Sprint(args[1], "+0") {
		ts.Fatalf("%s has %s messages (visible+in flight), want %s", args[0], got, args[1])
	}
}
