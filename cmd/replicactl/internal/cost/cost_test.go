package cost

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestUnitsAreAWSs(t *testing.T) {
	for _, row := range []struct {
		behaviour string
		line      Line
		requests  int64
		units     float64
	}{
		{"ten small messages are one request", Publish(10, 1000, 256<<10), 1, 1},
		{"the eleventh begins another", Publish(11, 1000, 256<<10), 2, 2},
		{"a batch is charged by its chunks of 64 KiB", Publish(10, 10_000, 256<<10), 1, 2},
		{"a topic's limit makes batches smaller", Publish(10, 100<<10, 256<<10), 5, 20},
		{"a message above the limit still goes alone", Publish(1, 300<<10, 256<<10), 1, 5},
		{"nothing costs nothing", Publish(0, 1000, 256<<10), 0, 0},
		{"an empty request to SQS is one chunk", Queue("DeleteMessageBatch", 3, 0), 3, 3},
		{"a full receive is charged by its size", Queue("ReceiveMessage", 1, 65<<10), 1, 2},
		{"a consistent read is a unit for 4 KiB", Read("GetItem", 1, 1, 4097, true), 1, 2},
		{"an eventually consistent read is half", Read("GetItem", 1, 1, 4096, false), 1, 0.5},
		{"a batch of reads rounds each item up", Read("BatchGetItem", 1, 100, 100, true), 1, 100},
		{"a read of nothing is a unit", Read("GetItem", 1, 1, 0, true), 1, 1},
		{"a scan rounds pages, not items", Scan(1<<20, true), 1, 256},
		{"a scan of an empty table is a request", Scan(0, true), 1, 1},
		{"a write is a unit for 1 KiB", Write("UpdateItem", 2, 1025), 2, 4},
		{"Streams charges GetRecords", Streams(7), 7, 7},
		{"objects are listed by thousands", Objects(2, 1001)[0], 4, 4},
		{"an empty bucket is listed too", Objects(1, 0)[0], 1, 1},
		{"every object is a read", Objects(2, 1001)[1], 2002, 2002},
	} {
		t.Run(row.behaviour, func(t *testing.T) {
			if row.line.Requests != row.requests || row.line.Units != row.units {
				t.Errorf("%d requests, %v units; want %d, %v", row.line.Requests, row.line.Units, row.requests, row.units)
			}
			if want := row.units * perMillion[row.line.Kind] / 1e6; row.line.Dollars != want {
				t.Errorf("%v dollars, want %v", row.line.Dollars, want)
			}
		})
	}
}

// No estimate is below what the bytes alone would cost, and more messages never
// cost less.
func TestPublishingCountsEveryByte(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, size := rapid.Int64Range(0, 1e6).Draw(t, "messages"), rapid.Int64Range(0, 256<<10).Draw(t, "bytes")
		l := Publish(n, size, 256<<10)
		if l.Requests*10 < n || int64(l.Units)*chunkBytes < n*size {
			t.Fatalf("%d messages of %d bytes: %+v", n, size, l)
		}
		if more := Publish(n+1, size, 256<<10); more.Dollars < l.Dollars {
			t.Fatalf("%+v costs more than %+v", l, more)
		}
	})
}

func TestEveryKindHasAPriceAndEstimatesSayWhatTheyAre(t *testing.T) {
	for _, kind := range []Kind{SNSPublish, SQSRequest, ReadUnit, WriteUnit, StreamsReads, S3Lists, S3Reads} {
		if perMillion[kind] <= 0 {
			t.Errorf("%s has no price", kind)
		}
	}
	for _, said := range []string{Region, NotedOn, "not checked", "Regions differ"} {
		if !strings.Contains(Provenance, said) {
			t.Errorf("the provenance does not say %q", said)
		}
	}
	for amount, want := range map[float64]string{0: "$0", 0.000001: "under $0.01", 0.01: "$0.01", 12.5: "$12.50"} {
		if got := Text(amount); got != want {
			t.Errorf("%v is told as %s, want %s", amount, got, want)
		}
	}
}
