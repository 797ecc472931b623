package bootstrap_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
)

// slowTables answers DescribeTable as AWS does while a table and then its index
// are being made.
type slowTables struct {
	next     aws.HTTPClient
	creating int
	filling  int
}

func (s *slowTables) Do(r *http.Request) (*http.Response, error) {
	answer, err := s.next.Do(r)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeTable") {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, err
	}
	text := string(body)
	switch {
	case s.creating > 0:
		s.creating--
		text = strings.ReplaceAll(text, `"TableStatus":"ACTIVE"`, `"TableStatus":"CREATING"`)
	case s.filling > 0 && strings.Contains(text, `"IndexStatus"`):
		s.filling--
		text = strings.ReplaceAll(text, `"IndexStatus":"ACTIVE"`, `"IndexStatus":"CREATING","Backfilling":true`)
	}
	answer.Body = io.NopCloser(bytes.NewReader([]byte(text)))
	answer.ContentLength = int64(len(text))
	answer.Header.Del("X-Amz-Crc32")
	return answer, nil
}

// Nothing that needs a table is done before the table and its indexes are
// active, and whoever waits sees for what.
func TestTablesAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engine := localaws.New(localaws.Config{})
		defer engine.Close()
		cfg := localawstest.Config(engine)
		cfg.HTTPClient = &slowTables{next: cfg.HTTPClient, creating: 2, filling: 3}
		a := &account{t: t, engine: engine, clients: connect.New(cfg)}
		begun := time.Now()
		plan, err := a.plan(owner, subscriber)
		if err != nil {
			t.Fatal(err)
		}
		if err := plan.Apply(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("five looks at two seconds took %v", took)
		}
		said := strings.Join(a.lines, "\n")
		for line, times := range map[string]int{
			"table companies: creating": 2,
			"table company-stats: index by-sector is creating, filling from the table": 3,
		} {
			if got := strings.Count(said, line); got != times {
				t.Errorf("%q was said %d times, want %d:\n%s", line, got, times, said)
			}
		}
	})
}

// lateQueues answers the first calls to each new queue as SQS may do within a
// second of its creation.
type lateQueues struct {
	next aws.HTTPClient
	late int
}

func (s *lateQueues) Do(r *http.Request) (*http.Response, error) {
	if s.late == 0 || r.Header.Get("X-Amz-Target") != "AmazonSQS.GetQueueAttributes" {
		return s.next.Do(r)
	}
	s.late--
	const body = `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`
	return &http.Response{
		Status: "400 Bad Request", StatusCode: http.StatusBadRequest, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:  http.Header{"Content-Type": {"application/x-amz-json-1.0"}, "X-Amzn-Query-Error": {"AWS.SimpleQueueService.NonExistentQueue;Sender"}},
		Body:    io.NopCloser(strings.NewReader(body)),
		Request: r,
	}, nil
}

func TestAQueueThatIsNotKnownYetIsWaitedFor(t *testing.T) {
	for _, row := range []struct {
		behaviour string
		late      int
		fails     bool
	}{
		{"for a moment", 4, false},
		{"not for ever", 5, true},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				engine := localaws.New(localaws.Config{})
				defer engine.Close()
				cfg := localawstest.Config(engine)
				cfg.HTTPClient = &lateQueues{next: cfg.HTTPClient, late: row.late}
				a := &account{t: t, engine: engine, clients: connect.New(cfg)}
				plan, err := a.plan(owner)
				if err != nil {
					t.Fatal(err)
				}
				if err := plan.Apply(t.Context()); (err != nil) != row.fails {
					t.Fatalf("got %v", err)
				}
			})
		})
	}
}
