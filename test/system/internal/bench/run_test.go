package bench

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// inProcess makes a runner whose children and engines are goroutines.
func inProcess(options Options) *runner { return inProcessWith(options, variant) }

func inProcessWith(options Options, find func(string) (Variant, error)) *runner {
	return &runner{
		options: options, lead: 300 * time.Millisecond, workloads: map[Work]*Workload{},
		engine: func(ctx context.Context, latency time.Duration) (string, func() error, error) {
			listener, err := localaws.Listen(ctx, "127.0.0.1:0")
			if err != nil {
				return "", nil, err
			}
			engine := localaws.New(localaws.Config{Latency: latency})
			serving, stop := context.WithCancel(context.WithoutCancel(ctx))
			served := make(chan error, 1)
			go func() { served <- engine.Serve(serving, listener) }()
			return "http://" + listener.Addr().String(), func() error {
				stop()
				err := <-served
				engine.Close()
				return err
			}, nil
		},
		spawn: func(ctx context.Context, out io.Writer) (io.WriteCloser, func() error, error) {
			reader, writer := io.Pipe()
			ended := make(chan error, 1)
			go func() { ended <- work(ctx, reader, out, find) }()
			return writer, func() error { return <-ended }, nil
		},
	}
}

func small() Options {
	return Options{
		Runs: 1, Changes: 1_000, Items: 250, Seed: 1, SlowChanges: 120, SlowestChanges: 12, PacedChanges: 200,
		Settings: DefaultSettings, Log: changeLog,
	}
}

func scene(t *testing.T, name string) Scene {
	t.Helper()
	for _, s := range Scenes() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("there is no scene %s", name)
	return Scene{}
}

// Every variant does the same work in every scene: one checks the replica and
// the queues after each.
func TestEveryVariantLeavesTheLatestOfEveryItem(t *testing.T) {
	r := inProcess(small())
	for _, s := range Scenes() {
		for _, name := range s.variants {
			t.Run(s.Name+"/"+name, func(t *testing.T) {
				v, err := variant(name)
				if err != nil {
					t.Fatal(err)
				}
				run, err := r.one(t.Context(), s, v, 1)
				if err != nil {
					t.Fatal(err)
				}
				for what, figure := range map[string]float64{
					"SNS requests": run.SNS, "SQS requests": run.SQS, "DynamoDB requests": run.DynamoDB,
					"changes a second": run.ChangesPerSecond, "consumer CPU": run.ConsumerCPU, "publisher CPU": run.PublisherCPU,
					"allocations": run.Allocations, "memory": run.Memory, "heap": run.Heap,
				} {
					if figure <= 0 {
						t.Errorf("%s: %v", what, figure)
					}
				}
				if lag := run.LagP99; (lag > 0) != (s.Paced > 0) || run.LagP50 > lag {
					t.Errorf("lag %v, %v", run.LagP50, lag)
				}
			})
		}
	}
}

// What is paid for per request is a promise, and no matter of the machine's
// speed.
func TestRequestsStayWithinTheBudget(t *testing.T) {
	options := small()
	options.Changes, options.Items = 4_000, 1_000
	r := inProcess(options)
	for _, c := range []struct {
		behaviour, scene, variant string
		most                      float64
		of                        func(Run) float64
	}{
		{"steady load", SceneSteady, Tributary, 0.40, func(r Run) float64 { return r.PerMessage }},
		{"batching off", SceneSteady, TributarySingle, 1.35, func(r Run) float64 { return r.PerMessage }},
		{"ten changes of an item within a batch", SceneBurst, Tributary, 0.2, func(r Run) float64 { return r.Total }},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			v, err := variant(c.variant)
			if err != nil {
				t.Fatal(err)
			}
			run, err := r.one(t.Context(), scene(t, c.scene), v, 1)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.of(run); got > c.most {
				t.Errorf("%.3f requests, want at most %.2f: %v", got, c.most, run.Requests)
			}
		})
	}
}

// A consumer that only empties the queue is fast, and an error.
func TestARunThatDoesOtherWorkIsAnError(t *testing.T) {
	idle := func(ctx context.Context, c *consuming) error {
		f := &floor{consuming: c, queues: sqs.NewFromConfig(awsConfig(c.endpoint), c.meter.client)}
		found, err := f.queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(queueName)})
		if err != nil {
			return err
		}
		f.url = found.QueueUrl
		for ctx.Err() == nil {
			out, err := f.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: f.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
			if err != nil || len(out.Messages) == 0 {
				continue
			}
			batch := make([]job, len(out.Messages))
			for i, m := range out.Messages {
				batch[i].handle = m.ReceiptHandle
			}
			if err := f.delete(ctx, batch); err != nil {
				return err
			}
		}
		return nil
	}
	v := Variant{Name: "idle", publish: publishTributary, consume: idle}
	r := inProcessWith(small(), func(string) (Variant, error) { return v, nil })
	_, err := r.one(t.Context(), scene(t, SceneSteady), v, 1)
	if err == nil || !strings.Contains(err.Error(), "its figures mean nothing") || !strings.Contains(err.Error(), "more replicas differ") {
		t.Errorf("error: %v", err)
	}
}

// What is left in a queue, or is too much in the table, is named.
func TestCheckNamesWhatIsLeft(t *testing.T) {
	r := inProcess(small())
	endpoint, stop, err := r.engine(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	w, err := NewWorkload(Steady, realLog(t), 50, 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	world := newWorld(endpoint)
	if err := world.create(t.Context(), w.Initial()); err != nil {
		t.Fatal(err)
	}
	if err := world.check(t.Context(), w.Initial()); err != nil {
		t.Fatalf("nothing was done, and yet: %v", err)
	}
	for i, url := range world.urls {
		delay := int32(0)
		if i == 1 {
			delay = 60
		}
		if _, err := world.queues.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: []sqstypes.SendMessageBatchRequestEntry{
			{Id: aws.String("0"), MessageBody: aws.String("left"), DelaySeconds: delay},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	less := w.Initial()
	delete(less, w.subjects[0])
	err = world.check(t.Context(), less)
	for _, want := range []string{queueName + ": ApproximateNumberOfMessages is 1", queueName + "-dlq: ApproximateNumberOfMessagesDelayed is 1", "20 items, want 19", "replica of " + w.subjects[0]} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("there is no %q in %v", want, err)
		}
	}
}

func TestAChildEndsWithWhoeverStartedIt(t *testing.T) {
	for behaviour, in := range map[string]string{
		"before the task": "",
		"no task":         "nonsense\n",
		"during the work": `{"Role":"consume","Variant":"floor","Endpoint":"http://127.0.0.1:1"}` + "\n",
		"another variant": `{"Role":"consume","Variant":"none"}` + "\n",
		"no change log":   `{"Role":"publish","Variant":"floor","Work":{"Log":"none.jsonl"}}` + "\n",
	} {
		t.Run(behaviour, func(t *testing.T) {
			if err := Child(t.Context(), strings.NewReader(in), io.Discard); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestACancelledRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("Ctrl-C")
	r := inProcess(small())
	spawn := r.spawn
	r.spawn = func(ctx context.Context, out io.Writer) (io.WriteCloser, func() error, error) {
		cancel(why)
		return spawn(ctx, out)
	}
	v, err := variant(Tributary)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.one(ctx, scene(t, SceneSteady), v, 1); !errors.Is(err, why) {
		t.Errorf("error: %v", err)
	}
}
