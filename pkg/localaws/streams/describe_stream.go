package streams

import "github.com/tributary-dev/tributary/pkg/localaws/wire"

type describeStreamInput struct {
	StreamArn             string
	ExclusiveStartShardId string
	Limit                 *int
	ShardFilter           *shardFilter
}

type shardFilter struct {
	Type    string
	ShardId string
}

type sequenceRange struct {
	StartingSequenceNumber string
	EndingSequenceNumber   string `json:",omitempty"`
}

type shardDescription struct {
	ShardId             string
	ParentShardId       string `json:",omitempty"`
	SequenceNumberRange sequenceRange
}

type streamDescription struct {
	StreamArn               string
	StreamLabel             string
	StreamStatus            string
	StreamViewType          View
	CreationRequestDateTime float64
	TableName               string
	KeySchema               []KeyElement
	Shards                  []shardDescription
	LastEvaluatedShardId    string `json:",omitempty"`
}

type describeStreamOutput struct {
	StreamDescription streamDescription
}

// childShards is the only filter DescribeStream has ("ShardFilter").
const childShards = "CHILD_SHARDS"

func (s *Service) describeStream(body []byte) (any, error) {
	var in describeStreamInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	limit, err := limitOf(in.Limit, 100)
	if err != nil {
		return nil, err
	}
	if f := in.ShardFilter; f != nil {
		if f.Type != childShards {
			return nil, wire.Errorf(codeValidation, "1 validation error detected: Value '%s' at 'shardFilter.type' failed to satisfy constraint: Member must satisfy enum value set: [CHILD_SHARDS]", f.Type)
		}
		if f.ShardId == "" {
			return nil, missing("shardFilter.shardId")
		}
	}
	st, err := s.find(in.StreamArn)
	if err != nil {
		return nil, err
	}
	return describeStreamOutput{StreamDescription: st.describe(in, limit)}, nil
}

func (st *Stream) describe(in describeStreamInput, limit int) streamDescription {
	now := st.service.cfg.Now()
	st.mu.Lock()
	defer st.mu.Unlock()
	st.trim(now)
	d := streamDescription{
		StreamArn:               st.arn,
		StreamLabel:             st.label,
		StreamStatus:            "ENABLED",
		StreamViewType:          st.view,
		CreationRequestDateTime: seconds(st.created),
		TableName:               st.table,
		KeySchema:               st.schema,
		Shards:                  []shardDescription{},
	}
	if !st.disabled.IsZero() {
		d.StreamStatus = "DISABLED"
	}
	for _, sh := range st.shards {
		if sh.id <= in.ExclusiveStartShardId {
			continue
		}
		if f := in.ShardFilter; f != nil && sh.parent != f.ShardId {
			continue
		}
		if len(d.Shards) == limit {
			d.LastEvaluatedShardId = d.Shards[limit-1].ShardId
			break
		}
		r := sequenceRange{StartingSequenceNumber: sequenceText(sh.start)}
		if sh.end != 0 {
			r.EndingSequenceNumber = sequenceText(sh.end)
		}
		d.Shards = append(d.Shards, shardDescription{ShardId: sh.id, ParentShardId: sh.parent, SequenceNumberRange: r})
	}
	return d
}
