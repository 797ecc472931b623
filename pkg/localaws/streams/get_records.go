package streams

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const (
	maxRecords     = 1000    // records a GetRecords call ("GetRecords")
	maxRecordBytes = 1 << 20 // bytes a GetRecords call
)

type getRecordsInput struct {
	ShardIterator string
	Limit         *int
}

type getRecordsOutput struct {
	Records           []recordOutput
	NextShardIterator string `json:",omitempty"`
}

type recordOutput struct {
	EventID      string       `json:"eventID"`
	EventName    string       `json:"eventName"`
	EventVersion string       `json:"eventVersion"`
	EventSource  string       `json:"eventSource"`
	AWSRegion    string       `json:"awsRegion"`
	Dynamodb     streamRecord `json:"dynamodb"`
	UserIdentity *identity    `json:"userIdentity,omitempty"`
}

type streamRecord struct {
	// ApproximateCreationDateTime has a granularity of one second
	// ("StreamRecord").
	ApproximateCreationDateTime int64
	Keys                        attr.Item
	NewImage                    attr.Item `json:",omitempty"`
	OldImage                    attr.Item `json:",omitempty"`
	SequenceNumber              string
	SizeBytes                   int
	StreamViewType              View
}

type identity struct {
	PrincipalId string
	Type        string
}

func (s *Service) getRecords(body []byte) (any, error) {
	var in getRecordsInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if in.ShardIterator == "" {
		return nil, missing("shardIterator")
	}
	limit, err := limitOf(in.Limit, maxRecords)
	if err != nil {
		return nil, err
	}
	p, err := parsePosition(in.ShardIterator)
	if err != nil {
		return nil, err
	}
	now := s.cfg.Now()
	if now.Sub(p.issued) > iteratorLife {
		return nil, wire.Errorf("ExpiredIteratorException", "Iterator expired. The iterator was created at %s, more than 15 minutes before now, %s", p.issued.UTC().Format(timeForm), now.UTC().Format(timeForm))
	}
	st, err := s.find(p.arn)
	if err != nil {
		return nil, err
	}
	records, next, more, err := st.read(p, limit)
	if err != nil {
		return nil, err
	}
	out := getRecordsOutput{Records: make([]recordOutput, 0, len(records))}
	for _, r := range records {
		out.Records = append(out.Records, st.output(r))
	}
	if more {
		p.from, p.issued = next, now
		out.NextShardIterator = p.String()
	}
	return out, nil
}

const timeForm = "2006-01-02T15:04:05.000Z"

// read returns the records at a position, the next position, and whether the
// shard may have more.
func (st *Stream) read(p position, limit int) (records []record, next uint64, more bool, err error) {
	now := st.service.cfg.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.trim(now)
	sh := st.shardOf(p.shard)
	if sh == nil || p.from <= sh.trimmed {
		return nil, 0, false, trimmedError()
	}
	first := sort.Search(len(sh.records), func(i int) bool { return sh.records[i].sequence >= p.from })
	end, bytes := first, 0
	for end < len(sh.records) && end-first < limit && bytes < maxRecordBytes {
		size := st.size(sh.records[end].change)
		if bytes > 0 && bytes+size > maxRecordBytes {
			break
		}
		bytes += size
		end++
	}
	next = p.from
	if end > first {
		next = sh.records[end-1].sequence + 1
	}
	// Trimming clears the shard's own array, so the caller gets a copy.
	records = append(records, sh.records[first:end]...)
	return records, next, sh.end == 0 || end < len(sh.records), nil
}

// size is a record's SizeBytes.
func (st *Stream) size(c Change) int {
	n := c.Keys.Size()
	if c.New != nil {
		n += c.New.Size()
	}
	if c.Old != nil {
		n += c.Old.Size()
	}
	return n
}

func (st *Stream) output(r record) recordOutput {
	sequence := sequenceText(r.sequence)
	sum := sha256.Sum256([]byte(st.arn + "|" + sequence))
	out := recordOutput{
		EventID:      hex.EncodeToString(sum[:16]),
		EventName:    "MODIFY",
		EventVersion: "1.1",
		EventSource:  "aws:dynamodb",
		AWSRegion:    st.service.cfg.Region,
		Dynamodb: streamRecord{
			ApproximateCreationDateTime: r.at.Unix(),
			Keys:                        r.change.Keys,
			NewImage:                    r.change.New,
			OldImage:                    r.change.Old,
			SequenceNumber:              sequence,
			SizeBytes:                   st.size(r.change),
			StreamViewType:              st.view,
		},
	}
	switch {
	case r.change.Old == nil:
		out.EventName = "INSERT"
	case r.change.New == nil:
		out.EventName = "REMOVE"
	}
	if r.change.Expired {
		out.UserIdentity = &identity{PrincipalId: "dynamodb.amazonaws.com", Type: "Service"}
	}
	return out
}
