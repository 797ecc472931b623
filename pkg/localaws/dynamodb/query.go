package dynamodb

import (
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type queryInput struct {
	pageInput
	KeyConditionExpression *string
	ScanIndexForward       *bool
}

func (s *Service) query(body []byte) (any, error) {
	var in queryInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	if in.KeyConditionExpression == nil {
		return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	p, err := in.parse(s.cache, true)
	if err != nil {
		return nil, err
	}
	filter, pr, err := in.parsePage(p)
	if err != nil {
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
	condition, err := p.KeyCondition(*in.KeyConditionExpression, r.key.hash, r.key.rng)
	if err != nil {
		return nil, err
	}
	if err := p.Unused(); err != nil {
		return nil, err
	}
	if filter != nil && r.index != nil {
		if err := r.index.checkFilter(filter); err != nil {
			return nil, err
		}
	}
	if filter != nil {
		for _, name := range filter.TopLevelNames() {
			if r.key.has(name) {
				return nil, invalid("Filter Expression can only contain non-primary key attributes: Primary key attribute: %s", name)
			}
		}
	}
	if kind := emptyKind(condition.Hash()); kind != "" {
		return nil, invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty %s value. Key: %s", kind, r.key.hash.Name)
	}
	start, err := r.start(in.ExclusiveStartKey)
	if err != nil {
		return nil, err
	}
	if err := r.query(condition, start, in.ScanIndexForward == nil || *in.ScanIndexForward); err != nil {
		return nil, err
	}
	return r.output()
}

// parsePage parses the expressions Query and Scan share.
func (in pageInput) parsePage(p *expr.Parameters) (*expr.Condition, *expr.Projection, error) {
	var filter *expr.Condition
	var pr *expr.Projection
	var err error
	if in.FilterExpression != nil {
		if filter, err = p.Condition("FilterExpression", *in.FilterExpression); err != nil {
			return nil, nil, err
		}
	}
	if in.ProjectionExpression != nil {
		if pr, err = p.Projection(*in.ProjectionExpression); err != nil {
			return nil, nil, err
		}
	}
	return filter, pr, nil
}

// query reads the page of a key condition, from after start if that is set.
func (r *reader) query(condition *expr.KeyCondition, start *entry, forward bool) error {
	at := partition(condition.Hash())
	from, to := condition.Bounds()
	pivot := &entry{at: at}
	switch {
	case start != nil:
		if start.at.comparePartition(at) != 0 {
			return invalid("The provided starting key is outside query boundaries based on provided conditions")
		}
		if r.key.hasRange() && !condition.Matches(start.at.rng) {
			return invalid("The provided starting key does not match the range key predicate")
		}
		pivot = start
	case forward && from != nil:
		pivot.at.rng = from.Value
		pivot.baseEdge = edgeOf(!from.Inclusive)
	case forward:
		pivot.edge = -1
	case to != nil:
		pivot.at.rng = to.Value
		pivot.baseEdge = edgeOf(to.Inclusive)
	default:
		pivot.edge = 1
	}
	read := func(e *entry) bool {
		if e.at.comparePartition(at) != 0 {
			return false
		}
		if start != nil && e.compare(start) == 0 {
			return true
		}
		if r.key.hasRange() && !condition.Matches(e.at.rng) {
			// Matches are in one run: forward, what does not match comes after it;
			// backward, begins_with has no upper bound to start from.
			return !forward && (from == nil || attr.Compare(e.at.rng, from.Value) > 0)
		}
		return r.take(e)
	}
	if forward {
		r.entries.Ascend(pivot, read)
	} else {
		r.entries.Descend(pivot, read)
	}
	return nil
}

func edgeOf(after bool) int8 {
	if after {
		return 1
	}
	return -1
}
