package dynamostream

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// decodeEvent reads a record as Lambda hands it to the function. Lambda's own
// decoder panics at some values that are no DynamoDB values, which the Lambda
// runtime answers; what it takes is ours.
func decodeEvent(body []byte) (r *events.DynamoDBEventRecord) {
	defer func() {
		if recover() != nil {
			r = nil
		}
	}()
	r = &events.DynamoDBEventRecord{}
	if json.Unmarshal(body, r) != nil {
		return nil
	}
	return r
}

// Whatever record Lambda's decoder takes, ours reads it or says what of it is
// damaged; what is read is the same after it was a dead letter.
func FuzzFromLambda(f *testing.F) {
	f.Add([]byte(`{"eventID":"1","eventName":"MODIFY","dynamodb":{"ApproximateCreationDateTime":1700000000,"SequenceNumber":"100","Keys":{"cik":{"S":"1"}},"OldImage":{"cik":{"S":"1"},"n":{"N":"1.50"}},"NewImage":{"cik":{"S":"1"},"l":{"L":[{"BOOL":true},{"NULL":true},{"B":"AQ=="}]},"m":{"M":{"ss":{"SS":["a"]},"ns":{"NS":["1","2"]},"bs":{"BS":["AQ=="]}}}}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		from := decodeEvent(body)
		if from == nil {
			return
		}
		rec := fromLambda(from)
		if rec.Damaged != nil {
			if text := rec.Damaged.Error(); !strings.Contains(text, "ecord ") || !strings.Contains(text, rec.EventID) {
				t.Errorf("damage at no place: %s", text)
			}
			return
		}
		if rec.Keys == nil || (rec.Old == nil) != (rec.EventName == replica.Insert) && rec.EventName == replica.Modify {
			t.Errorf("a whole record without its items: %+v", rec)
		}
		letter, err := replica.MarshalRecord(&rec)
		if err != nil {
			t.Fatal(err)
		}
		back := decodeEvent(letter)
		if back == nil {
			t.Fatalf("Lambda's decoder does not take the letter %s", letter)
		}
		again := fromLambda(back)
		if again.Damaged != nil {
			t.Fatalf("damaged as a letter: %v", again.Damaged)
		}
		second, err := replica.MarshalRecord(&again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(letter), string(second)); diff != "" {
			t.Fatalf("the letter's letter (-first +second):\n%s", diff)
		}
	})
}

// A record of the largest size costs a multiple of it: DynamoDB's items have
// at most 400 KiB, and a stream record holds two.
func TestAHostileRecordCostsBoundedMemory(t *testing.T) {
	const mostBytes = 64 << 20
	image := func(text string) []byte {
		return []byte(`{"eventID":"1","eventName":"INSERT","dynamodb":{"Keys":{"cik":{"S":"1"}},"NewImage":{"v":` + text + `}}}`)
	}
	for name, body := range map[string][]byte{
		"a long text":    image(`{"S":"` + strings.Repeat("a", 1<<20) + `"}`),
		"tiny elements":  image(`{"L":[` + strings.Repeat(`{"NULL":true},`, 1<<16) + `{"NULL":true}]}`),
		"tiny members":   image(`{"SS":["a"` + strings.Repeat(`,""`, 1<<18) + `]}`),
		"lists in lists": image(strings.Repeat(`{"L":[`, 2000) + `{"NULL":true}` + strings.Repeat(`]}`, 2000)),
		"a long number":  image(`{"N":"` + strings.Repeat("9", 1<<20) + `"}`),
	} {
		t.Run(name, func(t *testing.T) {
			from := decodeEvent(body)
			if from == nil {
				t.Fatal("Lambda's decoder does not take it")
			}
			var rec replica.Record
			var letter []byte
			var err error
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			rec = fromLambda(from)
			letter, err = replica.MarshalRecord(&rec)
			runtime.ReadMemStats(&after)
			if used := after.TotalAlloc - before.TotalAlloc; used > mostBytes {
				t.Errorf("%d bytes are allocated for %d", used, len(body))
			}
			if err != nil || rec.Damaged != nil || len(letter) < len(body)/2 {
				t.Errorf("%v, %v, a letter of %d bytes", rec.Damaged, err, len(letter))
			}
		})
	}
}
