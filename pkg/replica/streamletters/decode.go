package streamletters

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// MaxBodyBytes is the largest letter that is read: Lambda's payload of at most
// 6 MB ("Lambda quotas"), quoted within a text, has less.
const MaxBodyBytes = 32 << 20

// Content is what a letter says.
type Content struct {
	// Records are named in full; nil where only Range is known.
	Records []Record
	// Range is where the records were in the stream; nil for a record of the
	// relay's, which is in the letter.
	Range *Range
	// Condition is why Lambda gave the batch up: RetriesExhausted,
	// RecordAgeExceeded and the like; empty for the relay's letters.
	Condition string
}

// Record is a stream record as far as it says which item it is about.
type Record struct {
	EventID, SequenceNumber string
	// Table is the table's name; empty where the letter does not say.
	Table string
	// Created is when the record was made; zero where the letter does not say.
	Created time.Time
	// Keys are the item's key attributes.
	Keys contracts.Item
	// Images are the old and the new image, as far as the letter has them, each
	// with its strings, numbers, binaries, booleans and string sets; of others
	// nothing but that they are there, as NULL.
	Images []contracts.Item
}

// Range is a part of one shard of a stream.
type Range struct {
	Stream, Shard string
	// First and Last are the sequence numbers of the records at its ends.
	First, Last string
	// Records is how many records Lambda counted.
	Records int
	// Arrived is about when the first of them was made.
	Arrived time.Time
}

// Table returns the name of the table whose stream it is.
func (r *Range) Table() string { return tableOf(r.Stream) }

// tableOf returns the table in a stream's ARN:
// arn:aws:dynamodb:region:account:table/name/stream/label.
func tableOf(arn string) string {
	_, rest, _ := strings.Cut(arn, ":table/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}

// body is every shape that a letter can have.
type body struct {
	wireRecord
	// A batch, as Lambda gives it to a function.
	Records []wireRecord `json:"Records"`
	// What Lambda keeps of a batch that it gave up ("Retain discarded records
	// for a DynamoDB event source in Lambda"); S3 has the payload, too.
	RequestContext struct {
		Condition string `json:"condition"`
	} `json:"requestContext"`
	Batch   *wireBatch      `json:"DDBStreamBatchInfo"`
	Payload json.RawMessage `json:"payload"`
	// SNS's envelope ("Amazon SNS message formats", Notification).
	Type    string `json:"Type"`
	Message string `json:"Message"`
}

type wireBatch struct {
	ShardID string `json:"shardId"`
	First   string `json:"startSequenceNumber"`
	Last    string `json:"endSequenceNumber"`
	Arrived string `json:"approximateArrivalOfFirstRecord"`
	Records int    `json:"batchSize"`
	Stream  string `json:"streamArn"`
}

type wireRecord struct {
	EventID string      `json:"eventID"`
	Source  string      `json:"eventSourceARN"`
	Change  *wireChange `json:"dynamodb"`
}

type wireChange struct {
	Created        float64                    `json:"ApproximateCreationDateTime"`
	Keys           map[string]json.RawMessage `json:"Keys"`
	NewImage       map[string]json.RawMessage `json:"NewImage"`
	OldImage       map[string]json.RawMessage `json:"OldImage"`
	SequenceNumber string                     `json:"SequenceNumber"`
}

// errShape says that a letter is none of those that this package knows.
var errShape = errors.New("neither a stream record nor what Lambda keeps of a batch: it has no dynamodb, Records or DDBStreamBatchInfo")

// Decode reads a letter's body. Its cost is in proportion to the body, whatever
// that is.
func Decode(text []byte) (Content, error) {
	c, err := decode(text, true)
	if err != nil {
		return Content{}, fmt.Errorf("decode stream letter: %w", err)
	}
	return c, nil
}

func decode(text []byte, mayBeWrapped bool) (Content, error) {
	if len(text) > MaxBodyBytes {
		return Content{}, fmt.Errorf("a body of %d bytes, more than %d", len(text), MaxBodyBytes)
	}
	var b body
	if err := json.Unmarshal(text, &b); err != nil {
		return Content{}, err
	}
	switch {
	case b.Type == "Notification" && b.Message != "" && mayBeWrapped:
		return decode([]byte(b.Message), false)
	case b.Batch != nil:
		return b.batch()
	case b.Change != nil:
		record, err := b.wireRecord.record()
		return Content{Records: []Record{record}}, err
	case len(b.Records) > 0:
		records, err := recordsOf(b.Records)
		return Content{Records: records}, err
	default:
		return Content{}, errShape
	}
}

// batch reads what Lambda keeps: with the records where they came along.
func (b *body) batch() (Content, error) {
	r := &Range{Stream: b.Batch.Stream, Shard: b.Batch.ShardID, First: b.Batch.First, Last: b.Batch.Last, Records: b.Batch.Records}
	r.Arrived, _ = time.Parse(time.RFC3339, b.Batch.Arrived) // a hint for people
	c := Content{Range: r, Condition: b.RequestContext.Condition}
	if len(b.Payload) > 0 {
		payload := []byte(b.Payload)
		var quoted string
		if json.Unmarshal(payload, &quoted) == nil {
			payload = []byte(quoted)
		}
		var event struct {
			Records []wireRecord `json:"Records"`
		}
		if err := json.Unmarshal(payload, &event); err != nil {
			return Content{}, fmt.Errorf("payload: %w", err)
		}
		records, err := recordsOf(event.Records)
		if err != nil {
			return Content{}, fmt.Errorf("payload: %w", err)
		}
		if c.Records = records; len(records) > 0 {
			return c, nil
		}
	}
	if r.Stream == "" || r.Shard == "" || !isSequence(r.First) || !isSequence(r.Last) || isAfter(r.First, r.Last) {
		return Content{}, fmt.Errorf("DDBStreamBatchInfo: stream %q, shard %q, from %q to %q is no range", clip(r.Stream), clip(r.Shard), clip(r.First), clip(r.Last))
	}
	return c, nil
}

func recordsOf(wire []wireRecord) ([]Record, error) {
	records := make([]Record, len(wire))
	for i := range wire {
		var err error
		if records[i], err = wire[i].record(); err != nil {
			return nil, fmt.Errorf("record %d: %w", i+1, err)
		}
	}
	return records, nil
}

func (w *wireRecord) record() (Record, error) {
	if w.Change == nil {
		return Record{}, errors.New("it has no dynamodb")
	}
	r := Record{EventID: w.EventID, SequenceNumber: w.Change.SequenceNumber, Table: tableOf(w.Source)}
	if at := w.Change.Created; at >= 1 && at < 1e11 {
		seconds, fraction := math.Modf(at)
		r.Created = time.Unix(int64(seconds), int64(fraction*1e9)).UTC()
	}
	if len(w.Change.Keys) == 0 {
		return Record{}, fmt.Errorf("%s: it has no Keys", clip(w.EventID))
	}
	r.Keys = scalars(w.Change.Keys)
	if len(r.Keys) < len(w.Change.Keys) {
		return Record{}, fmt.Errorf("%s: Keys are not strings, numbers and binaries", clip(w.EventID))
	}
	for _, image := range []map[string]json.RawMessage{w.Change.OldImage, w.Change.NewImage} {
		if len(image) > 0 {
			r.Images = append(r.Images, imageOf(image))
		}
	}
	return r, nil
}

// imageOf reads an image as far as match and bookkeeping need it: a stamp's
// signature is a string set, and match may ask whether an attribute of any type
// is there.
func imageOf(raw map[string]json.RawMessage) contracts.Item {
	item := scalars(raw)
	for name, text := range raw {
		if _, known := item[name]; known {
			continue
		}
		var v struct{ SS []string }
		if err := json.Unmarshal(text, &v); err == nil && len(v.SS) > 0 {
			item[name] = contracts.StringSet(v.SS...)
		} else {
			item[name] = contracts.Null()
		}
	}
	return item
}

// scalars reads those attributes that are no collections: all that keys consist
// of.
func scalars(raw map[string]json.RawMessage) contracts.Item {
	item := make(contracts.Item, len(raw))
	for name, text := range raw {
		var v struct {
			S    *string
			N    *string
			B    []byte
			BOOL *bool
		}
		if err := json.Unmarshal(text, &v); err != nil {
			continue
		}
		switch {
		case v.S != nil:
			item[name] = contracts.String(*v.S)
		case v.N != nil && contracts.CheckNumber(*v.N) == nil:
			item[name] = contracts.Number(*v.N)
		case v.B != nil:
			item[name] = contracts.Binary(v.B)
		case v.BOOL != nil:
			item[name] = contracts.Bool(*v.BOOL)
		}
	}
	return item
}

// isSequence says whether a text is a sequence number: a decimal of at most 40
// digits ("StreamRecord", API reference).
func isSequence(text string) bool {
	if text == "" || len(text) > 40 {
		return false
	}
	return strings.Trim(text, "0123456789") == ""
}

// isAfter says whether a sequence number is larger than another. They are longer
// than any integer.
func isAfter(a, b string) bool {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

func clip(text string) string {
	if len(text) > 100 {
		return strings.ToValidUTF8(text[:100], "") + "..."
	}
	return text
}
