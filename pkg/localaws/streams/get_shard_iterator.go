package streams

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type getShardIteratorInput struct {
	StreamArn         string
	ShardId           string
	ShardIteratorType string
	SequenceNumber    *string
}

type getShardIteratorOutput struct {
	ShardIterator string
}

// position is what a shard iterator says: read records of a shard from the
// given sequence number on.
type position struct {
	arn, shard string
	from       uint64
	issued     time.Time
}

func (p position) String() string {
	inner := fmt.Sprintf("%s|%d|%d", p.shard, p.from, p.issued.UnixMilli())
	return p.arn + "|1|" + base64.StdEncoding.EncodeToString([]byte(inner))
}

func parsePosition(text string) (position, error) {
	bad := wire.Errorf(codeValidation, "Invalid ShardIterator")
	outer := strings.Split(text, "|")
	if len(outer) != 3 || outer[1] != "1" {
		return position{}, bad
	}
	inner, err := base64.StdEncoding.DecodeString(outer[2])
	if err != nil {
		return position{}, bad
	}
	parts := strings.Split(string(inner), "|")
	if len(parts) != 3 {
		return position{}, bad
	}
	from, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil {
		return position{}, bad
	}
	issued, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return position{}, bad
	}
	return position{arn: outer[0], shard: parts[0], from: from, issued: time.UnixMilli(issued)}, nil
}

func (s *Service) getShardIterator(body []byte) (any, error) {
	var in getShardIteratorInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if in.ShardId == "" {
		return nil, missing("shardId")
	}
	var sequence uint64
	switch in.ShardIteratorType {
	case "TRIM_HORIZON", "LATEST":
		if in.SequenceNumber != nil {
			return nil, wire.Errorf(codeValidation, "One or more parameter values were invalid: SequenceNumber should not be passed for this iterator type")
		}
	case "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER":
		if in.SequenceNumber == nil {
			return nil, wire.Errorf(codeValidation, "One or more parameter values were invalid: Invalid SequenceNumber")
		}
		n, ok := parseSequence(*in.SequenceNumber)
		if !ok {
			return nil, wire.Errorf(codeValidation, "Invalid SequenceNumber for the shard")
		}
		sequence = n
	case "":
		return nil, missing("shardIteratorType")
	default:
		return nil, wire.Errorf(codeValidation, "1 validation error detected: Value '%s' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON]", in.ShardIteratorType)
	}
	st, err := s.find(in.StreamArn)
	if err != nil {
		return nil, err
	}
	from, err := st.start(in.ShardId, in.ShardIteratorType, sequence)
	if err != nil {
		return nil, err
	}
	p := position{arn: st.arn, shard: in.ShardId, from: from, issued: s.cfg.Now()}
	return getShardIteratorOutput{ShardIterator: p.String()}, nil
}

// start resolves an iterator's type to the first sequence number to read.
func (st *Stream) start(id, kind string, sequence uint64) (uint64, error) {
	now := st.service.cfg.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.trim(now)
	sh := st.shardOf(id)
	if sh == nil {
		return 0, wire.Errorf(codeNotFound, "Requested resource not found: Shard does not exist")
	}
	switch kind {
	case "TRIM_HORIZON":
		return max(sh.start, sh.trimmed+1), nil
	case "LATEST":
		if n := len(sh.records); n > 0 {
			return sh.records[n-1].sequence + 1, nil
		}
		return max(sh.start, sh.trimmed+1), nil
	}
	if sequence < sh.start || (sh.end != 0 && sequence > sh.end) || sequence > st.service.sequence.Load() {
		return 0, wire.Errorf(codeValidation, "Invalid SequenceNumber for the shard")
	}
	if sequence <= sh.trimmed {
		return 0, trimmedError()
	}
	if kind == "AFTER_SEQUENCE_NUMBER" {
		sequence++
	}
	return sequence, nil
}

func trimmedError() error {
	return wire.Errorf("TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard: records older than 24 hours are gone. Start at TRIM_HORIZON")
}
