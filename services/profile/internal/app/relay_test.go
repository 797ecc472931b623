package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/services/profile/internal/app"
	"github.com/tributary-dev/tributary/services/profile/internal/profiletest"
)

// owner is the whole owner's side, with one subscribed queue that gets
// everything.
type owner struct {
	*profiletest.World
	api         http.Handler
	relay       *app.Relay
	queue       string // URL of the subscriber's
	deadLetters string // URL of the relay's
}

func newOwner(t *testing.T, cfg app.RelayConfig) *owner {
	t.Helper()
	o := &owner{World: profiletest.New(t)}
	topic := o.CreateTopic(t)
	policy := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},
		"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":%q}}}]}`, topic)
	var arn string
	o.queue, arn = o.CreateQueue(t, "subscriber", policy)
	o.deadLetters, _ = o.CreateQueue(t, o.Publication.DeadLetterQueue, "")
	if _, err := o.Topics.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: aws.String(topic), Protocol: aws.String("sqs"), Endpoint: aws.String(arn),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	}); err != nil {
		t.Fatal(err)
	}
	api, err := app.NewAPI(app.Config{RequestTimeout: time.Minute}, o.AWS, quiet)
	if err != nil {
		t.Fatal(err)
	}
	o.api = api.Handler()
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = time.Second
	}
	if o.relay, err = app.NewRelay(cfg, o.AWS, quiet); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *owner) send(t *testing.T, method, cik, body string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/companies/"+cik, strings.NewReader(body))
	if method == http.MethodPatch {
		r.Header.Set("Content-Type", "application/merge-patch+json")
	}
	w := httptest.NewRecorder()
	o.api.ServeHTTP(w, r)
	if w.Code/100 != 2 {
		t.Fatalf("%s %s: %d %s", method, cik, w.Code, w.Body)
	}
}

// receive waits for the next message of a queue, for up to 20 s.
func (o *owner) receive(t *testing.T, queue string) sqstypes.Message {
	t.Helper()
	out, err := o.Queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: aws.String(queue), WaitTimeSeconds: 20, MaxNumberOfMessages: 1, MessageAttributeNames: []string{"All"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Messages) != 1 {
		t.Fatalf("no message within 20 s")
	}
	if _, err := o.Queues.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{
		QueueUrl: aws.String(queue), ReceiptHandle: out.Messages[0].ReceiptHandle,
	}); err != nil {
		t.Fatal(err)
	}
	return out.Messages[0]
}

// event is what a subscriber sees of a change.
type event struct {
	ID, Type, Subject, Version, Origin string
	Changed                            []string
	Attributes                         map[string]any
	Metadata                           map[string]string
}

func (o *owner) event(t *testing.T) event {
	t.Helper()
	msg := o.receive(t, o.queue)
	if _, err := contracts.Decode([]byte(aws.ToString(msg.Body)), catalog.All()); err != nil {
		t.Fatalf("%v: %s", err, aws.ToString(msg.Body))
	}
	var body struct {
		ID, Type, Subject, Version, Origin string
		Data                               struct {
			Changed    []string
			Attributes map[string]any
		}
	}
	if err := json.Unmarshal([]byte(aws.ToString(msg.Body)), &body); err != nil {
		t.Fatal(err)
	}
	e := event{
		ID: body.ID, Type: body.Type, Subject: body.Subject, Version: body.Version, Origin: body.Origin,
		Changed: body.Data.Changed, Attributes: body.Data.Attributes, Metadata: map[string]string{},
	}
	for name, attribute := range msg.MessageAttributes {
		e.Metadata[name] = aws.ToString(attribute.StringValue)
	}
	for name := range e.Metadata {
		if strings.Contains(strings.ToLower(name), "uuid") {
			delete(e.Metadata, name)
		}
	}
	return e
}

// story is a few writes, each followed by what a subscriber is to see of it.
func (o *owner) story(t *testing.T, after func()) []event {
	t.Helper()
	var seen []event
	for _, write := range []struct{ method, body string }{
		{"PUT", `{"name":"Raytheon Technologies","sector":"Industrials","tickers":["RTX"],"dateAdded":""}`},
		{"PATCH", `{"name":"RTX Corporation"}`},
		{"PATCH", `{"dateAdded":null,"founded":"1922"}`},
		{"DELETE", ``},
		{"PUT", `{"name":"RTX Corporation"}`},
	} {
		o.send(t, write.method, "101829", write.body)
		after()
		e := o.event(t)
		if want := o.Item(t, "101829")["version"].Text(); e.Version != want || e.ID != "company.profile/v1/101829@"+want {
			t.Errorf("%s: version %s in event %s, stored is %s", write.method, e.Version, e.ID, want)
		}
		e.ID, e.Version = "", ""
		seen = append(seen, e)
	}
	return seen
}

var everything = []string{"name", "sector", "subIndustry", "headquarters", "tickers", "founded", "dateAdded"}

// told is what the story comes to for a subscriber.
func told() []event {
	e := func(operation string, changed []string, attributes map[string]any) event {
		kind := "company.profile." + map[string]string{"upsert": "changed", "delete": "deleted"}[operation] + ".v1"
		list, _ := json.Marshal(changed) // strings always have JSON
		return event{
			Type: kind, Subject: "101829", Origin: "live", Changed: changed, Attributes: attributes,
			Metadata: map[string]string{"type": kind, "operation": operation, "changed": string(list), "origin": "live", "audience": "all"},
		}
	}
	rtx := []any{"RTX"}
	return []event{
		e("upsert", everything, map[string]any{"name": "Raytheon Technologies", "sector": "Industrials", "tickers": rtx, "dateAdded": ""}),
		e("upsert", []string{"name"}, map[string]any{"name": "RTX Corporation", "sector": "Industrials", "tickers": rtx, "dateAdded": ""}),
		e("upsert", []string{"founded", "dateAdded"}, map[string]any{"name": "RTX Corporation", "sector": "Industrials", "tickers": rtx, "founded": "1922"}),
		e("delete", everything, nil),
		e("upsert", everything, map[string]any{"name": "RTX Corporation"}),
	}
}

func TestWritesArriveThroughThePoller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(t, app.RelayConfig{})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- o.relay.Run(ctx) }()
		if diff := cmp.Diff(told(), o.story(t, func() {})); diff != "" {
			t.Errorf("what arrived (-want +got):\n%s", diff)
		}

		// Something that knows nothing of versions writes: the relay stamps it
		// and it arrives, with everything listed as changed.
		o.Put(t, contracts.Item{"cik": contracts.String("101829"), "name": contracts.String("by hand")})
		e := o.event(t)
		if e.Attributes["name"] != "by hand" || !slices.Equal(e.Changed, everything) || e.Version != o.Item(t, "101829")["stampedVersion"].Text() {
			t.Errorf("a foreign write arrived as %+v", e)
		}

		// A record that no event can be made of goes to the relay's dead-letter
		// queue, and the next change arrives.
		o.Put(t, contracts.Item{"cik": contracts.String("8"), "name": contracts.Bool(true)})
		letter := o.receive(t, o.deadLetters)
		if !strings.Contains(aws.ToString(letter.Body), `"8"`) || aws.ToString(letter.MessageAttributes["tributary-reason"].StringValue) == "" {
			t.Errorf("the dead letter is %s %v", aws.ToString(letter.Body), letter.MessageAttributes)
		}
		o.send(t, "PUT", "9", `{"name":"after it"}`)
		if e := o.event(t); e.Subject != "9" {
			t.Errorf("after the dead letter arrived %+v", e)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A relay that starts again goes on where the last one stopped.
func TestPollerGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(t, app.RelayConfig{})
		for _, cik := range []string{"1", "2", "3"} {
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			o.send(t, "PUT", cik, `{"name":"x"}`)
			relay, err := app.NewRelay(app.RelayConfig{DrainTimeout: time.Second}, o.AWS, quiet)
			if err != nil {
				t.Fatal(err)
			}
			go func() { ended <- relay.Run(ctx) }()
			if e := o.event(t); e.Subject != cik {
				t.Errorf("%s arrived instead of %s", e.Subject, cik)
			}
			synctest.Wait()
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestWritesArriveThroughLambda(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(t, app.RelayConfig{LambdaRuntimeAPI: "127.0.0.1:9001"})
		function, err := o.relay.Lambda(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		done := 0
		call := func() {
			records := o.Records(t)
			response, err := function(t.Context(), events.DynamoDBEvent{Records: records[done:]})
			if err != nil || len(response.BatchItemFailures) != 0 {
				t.Fatalf("%v %v", response, err)
			}
			done = len(records)
		}
		if diff := cmp.Diff(told(), o.story(t, call)); diff != "" {
			t.Errorf("what arrived (-want +got):\n%s", diff)
		}
	})
}

// A record that fails is reported by its sequence number and its neighbours
// are published; given again, it succeeds.
func TestPartialBatchFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOwner(t, app.RelayConfig{LambdaRuntimeAPI: "127.0.0.1:9001"})
		function, err := o.relay.Lambda(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		o.send(t, "PUT", "7", `{"name":"seven"}`)
		o.Put(t, contracts.Item{"cik": contracts.String("8"), "name": contracts.String("by hand")})
		o.send(t, "PUT", "9", `{"name":"nine"}`)
		bySubject := map[string]events.DynamoDBEventRecord{}
		for _, record := range o.Records(t) {
			bySubject[record.Change.Keys["cik"].String()] = record
		}
		batch := []events.DynamoDBEventRecord{bySubject["7"], bySubject["8"], bySubject["9"]}

		o.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
			if c.Service == localaws.DynamoDB {
				return localaws.Fault{Error: localaws.Throttled(localaws.DynamoDB)}
			}
			return localaws.Fault{}
		})
		response, err := function(t.Context(), events.DynamoDBEvent{Records: batch})
		want := []events.DynamoDBBatchItemFailure{{ItemIdentifier: bySubject["8"].Change.SequenceNumber}}
		if err != nil || !slices.Equal(response.BatchItemFailures, want) {
			t.Fatalf("%v %v, want %v", response, err, want)
		}
		arrived := map[string]bool{o.event(t).Subject: true, o.event(t).Subject: true}
		if !maps.Equal(arrived, map[string]bool{"7": true, "9": true}) {
			t.Errorf("arrived have %v", arrived)
		}

		o.Engine.SetFaults(nil)
		before := len(o.Records(t))
		if response, err = function(t.Context(), events.DynamoDBEvent{Records: batch[1:2]}); err != nil || len(response.BatchItemFailures) != 0 {
			t.Fatalf("%v %v", response, err)
		}
		records := o.Records(t)
		if len(records) != before+1 {
			t.Fatalf("the stamp made %d records", len(records)-before)
		}
		for _, record := range records {
			if record.Change.Keys["cik"].String() != "8" || record.EventName != "MODIFY" {
				continue
			}
			if response, err = function(t.Context(), events.DynamoDBEvent{Records: []events.DynamoDBEventRecord{record}}); err != nil || len(response.BatchItemFailures) != 0 {
				t.Fatalf("%v %v", response, err)
			}
		}
		if e := o.event(t); e.Subject != "8" || !slices.Equal(e.Changed, everything) {
			t.Errorf("the stamped item arrived as %+v", e)
		}
	})
}
