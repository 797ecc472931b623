package conformance

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/test/system/internal/engine"
)

// The engines a case may name.
const (
	dynamoDBLocal = engine.DynamoDBLocal
	moto          = engine.Moto
)

// service says which engines a case runs on.
type service int

const (
	tables service = iota // DynamoDB and its streams
	messages
	// controlled cases need what no other engine can be made to do, as a shard
	// that splits or a day that passes: each runs on a localaws of its own.
	controlled
)

// behaviour is one thing that AWS documents.
type behaviour struct {
	name string
	page string // title of the AWS page that says so
	// run does it and notes what it sees.
	run func(*probe)
	// want are the notes, one a line, according to the page.
	want string
	// differs are the engines known to do it differently.
	differs map[string]difference
}

// difference is how an engine is known to differ from AWS.
type difference struct {
	why  string // what it does
	want string // the notes then
}

// caseWithin bounds one case on one engine.
const caseWithin = 40 * time.Second

// check runs behaviours on every engine that has the service, beside each
// other: most of a message case is waiting.
func check(t *testing.T, s service, rows []behaviour) {
	t.Parallel()
	if s == controlled {
		for _, b := range rows {
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				b.alone(t)
			})
		}
		return
	}
	for _, e := range suite.running {
		if s == tables && e.DynamoDB == nil || s == messages && e.SQS == nil {
			continue
		}
		for _, b := range rows {
			t.Run(b.name+"/"+e.Name, func(t *testing.T) {
				t.Parallel()
				b.on(t, e)
			})
		}
	}
}

// alone runs a behaviour on a localaws of its own.
func (b behaviour) alone(t *testing.T) {
	e, err := engine.StartLocalaws(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Stop(); err != nil {
			t.Error(err)
		}
	}()
	suite.mu.Lock()
	suite.alone++
	suite.mu.Unlock()
	b.on(t, e)
}

// on runs a behaviour on an engine and compares.
func (b behaviour) on(t *testing.T, e *engine.Engine) {
	ctx, cancel := context.WithTimeout(t.Context(), caseWithin)
	defer cancel()
	p := &probe{T: t, Engine: e, ctx: ctx}
	b.run(p)
	want, known := b.want, b.differs[e.Name]
	suite.mu.Lock()
	suite.ran[e.Name]++
	if known.why != "" {
		suite.noted[e.Name]++
		want = known.want
	}
	suite.mu.Unlock()
	if diff := cmp.Diff(lines(want), p.seen); diff != "" {
		t.Errorf("%s\nAWS: %s\nknown difference: %q\n-want +got:\n%s", b.name, b.page, known.why, diff)
	}
}

// lines are a text's, without what surrounds them.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// probe is a case on one engine. Its methods may be called by one goroutine
// at a time, those of see by several.
type probe struct {
	*testing.T
	*engine.Engine
	ctx context.Context

	mu   sync.Mutex
	seen []string
}

// see notes something to compare.
func (p *probe) see(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// must ends the case if a call it depends on did not succeed.
func (p *probe) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatalf("%s: %v", p.Name, err)
	}
}

// named returns a name of the case's own: no engine is shared between runs.
func (p *probe) named(suffix string) string {
	h := fnv.New64a()
	h.Write([]byte(p.T.Name()))
	return fmt.Sprintf("c%016x-%s", h.Sum64(), suffix)
}

// unanswered is the code of an error that is none of AWS's.
const unanswered = "no answer"

// code is what an error comes down to: AWS's code, or ok, or that there was no
// answer that the SDK understands.
func code(err error) string {
	var api smithy.APIError
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &api):
		return api.ErrorCode()
	default:
		return unanswered
	}
}
