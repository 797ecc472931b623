package streamletters_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/streamletters"
)

// wrapped is a message in SNS's envelope.
func wrapped(message string) string {
	return string(must(json.Marshal(map[string]string{"Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:us-east-1:000000000000:t", "Message": message})))
}

const (
	arn   = "arn:aws:dynamodb:us-east-1:000000000000:table/companies/stream/2000-01-01T00:00:00.000"
	first = "800000000003126276362"
)

// Whatever the body, decoding it costs memory in proportion to it and fails by
// its name; what is decoded can be acted on.
func FuzzDecode(f *testing.F) {
	record := replica.Record{EventID: "e", EventName: replica.Modify, SequenceNumber: first, Keys: contracts.Item{"cik": contracts.String("1"), "n": contracts.Number("1.5"), "b": contracts.Binary([]byte{1})},
		Old: contracts.Item{"version": contracts.Number("7"), "m": contracts.Map(contracts.Item{"x": contracts.List(contracts.Bool(true))})}}
	f.Add(string(must(replica.MarshalRecord(&record))))
	f.Add(metadata(arn, "shardId-1", first, first, nil))
	f.Add(metadata(arn, "shardId-1", first, first, event("companies", "1")))
	f.Add(metadata(arn, "shardId-1", first, first, map[string]any{"Records": nil}))
	f.Add(wrapped(metadata(arn, "shardId-1", first, first, nil)))
	f.Add(event("companies", "1", "2"))
	f.Add(wrapped(wrapped("{}")))
	f.Add(strings.Repeat(`{"dynamodb":{"Keys":`, 50))
	f.Fuzz(func(t *testing.T, text string) {
		content, err := streamletters.Decode([]byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "decode stream letter: ") || len(err.Error()) > 2000 {
				t.Errorf("refused as %v", err)
			}
			return
		}
		if len(content.Records) == 0 && content.Range == nil {
			t.Error("decoded, and it names nothing")
		}
		for _, r := range content.Records {
			if len(r.Keys) == 0 {
				t.Errorf("a record without keys: %+v", r)
			}
		}
		if r := content.Range; r != nil && len(content.Records) == 0 && (r.Stream == "" || r.Shard == "" || r.First == "" || r.Last == "") {
			t.Errorf("half a range: %+v", r)
		}
	})
}

// Hostile letters cost what their size allows.
func TestHostileLettersCostNoMoreThanTheirSize(t *testing.T) {
	const size = 1 << 20
	for name, text := range map[string]string{
		"nested lists":      `{"dynamodb":{"Keys":{"a":{"L":` + strings.Repeat("[", size),
		"nested objects":    strings.Repeat(`{"dynamodb":`, size/12),
		"many attributes":   `{"dynamodb":{"Keys":{"cik":{"S":"1"}},"NewImage":{` + strings.TrimSuffix(strings.Repeat(`"a":{"S":"x"},`, size/14), ",") + `}}}`,
		"many records":      `{"Records":[` + strings.TrimSuffix(strings.Repeat(`{"dynamodb":{"Keys":{"cik":{"S":"1"}}}},`, size/40), ",") + `]}`,
		"envelopes":         strings.Repeat(`{"Type":"Notification","Message":"`, size/34),
		"payload of quotes": `{"DDBStreamBatchInfo":{},"payload":"` + strings.Repeat(`\"`, size/2) + `"}`,
		"a long sequence":   metadata(arn, "shardId-1", strings.Repeat("9", size), first, nil),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := streamletters.Decode([]byte(text))
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 60*size {
			t.Errorf("%s: %d bytes allocated for %d", name, used, len(text))
		}
		if err != nil && len(err.Error()) > 2000 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
	if _, err := streamletters.Decode(make([]byte, streamletters.MaxBodyBytes+1)); err == nil {
		t.Error("a letter that is too large was read")
	}
}
