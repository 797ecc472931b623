package dynamodb

import (
	"math"
	"strconv"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

const maxSegments = 1_000_000 // "Scan"

type scanInput struct {
	pageInput
	Segment       *int
	TotalSegments *int
}

func (in scanInput) checkSegments() error {
	switch {
	case in.Segment == nil && in.TotalSegments == nil:
		return nil
	case in.TotalSegments == nil:
		return invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case in.Segment == nil:
		return invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *in.TotalSegments < 1:
		return parameter("'"+strconv.Itoa(*in.TotalSegments)+"'", "totalSegments", "Member must have value greater than or equal to 1")
	case *in.TotalSegments > maxSegments:
		return parameter("'"+strconv.Itoa(*in.TotalSegments)+"'", "totalSegments", "Member must have value less than or equal to 1000000")
	case *in.Segment < 0:
		return parameter("'"+strconv.Itoa(*in.Segment)+"'", "segment", "Member must have value greater than or equal to 0")
	case *in.Segment >= *in.TotalSegments:
		return invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d", *in.Segment, *in.TotalSegments)
	}
	return nil
}

func (s *Service) scan(body []byte) (any, error) {
	var in scanInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := in.checkSegments(); err != nil {
		return nil, err
	}
	p, err := in.parse(s.cache, in.FilterExpression != nil || in.ProjectionExpression != nil, "FilterExpression")
	if err != nil {
		return nil, err
	}
	filter, pr, err := in.parsePage(p)
	if err != nil {
		return nil, err
	}
	if err := p.Unused(); err != nil {
		return nil, err
	}
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	r, err := in.open(t, filter, pr)
	if err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	start, err := r.start(in.ExclusiveStartKey)
	if err != nil {
		return nil, err
	}
	lo, hi := uint64(0), uint64(math.MaxUint64)
	if in.Segment != nil {
		segment, total := uint64(*in.Segment), uint64(*in.TotalSegments)
		lo, hi = segmentBounds(segment, total)
		if start != nil && segmentOf(start.at.hash, total) != segment {
			return nil, invalid("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: %d Segment: %d", total, segment)
		}
	}
	pivot := &entry{at: place{hash: lo}, edge: -1}
	if start != nil {
		pivot = start
	}
	r.entries.Ascend(pivot, func(e *entry) bool {
		if e.at.hash > hi {
			return false
		}
		if start != nil && e.compare(start) == 0 {
			return true
		}
		return r.take(e)
	})
	return r.output()
}
