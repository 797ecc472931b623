package dynamodb

import "github.com/tributary-dev/tributary/pkg/localaws/wire"

type timeToLiveSpecification struct {
	AttributeName string
	Enabled       bool
}

type updateTimeToLiveInput struct {
	TableName               string
	TimeToLiveSpecification *timeToLiveSpecification
}

type updateTimeToLiveOutput struct {
	TimeToLiveSpecification timeToLiveSpecification
}

type describeTimeToLiveInput struct {
	TableName string
}

type timeToLiveDescription struct {
	TimeToLiveStatus string
	AttributeName    string `json:",omitempty"`
}

type describeTimeToLiveOutput struct {
	TimeToLiveDescription timeToLiveDescription
}

func (s *Service) updateTimeToLive(body []byte) (any, error) {
	var in updateTimeToLiveInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	spec := in.TimeToLiveSpecification
	switch {
	case spec == nil:
		return nil, required("timeToLiveSpecification")
	case spec.AttributeName == "" || len(spec.AttributeName) > 255:
		return nil, parameter("'"+spec.AttributeName+"'", "timeToLiveSpecification.attributeName", "Member must have a length from 1 to 255")
	}
	t, err := s.tableByName(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := t.lock(); err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	switch {
	case t.ttl == "" && !spec.Enabled:
		return nil, invalid("TimeToLive is already disabled")
	case t.ttl != "" && t.ttl != spec.AttributeName:
		return nil, invalid("TimeToLive is active on a different AttributeName: current AttributeName is %s", t.ttl)
	case t.ttl != "" && spec.Enabled:
		return nil, invalid("TimeToLive is already enabled")
	}
	t.ttl = ""
	if spec.Enabled {
		t.ttl = spec.AttributeName
	}
	return updateTimeToLiveOutput{*spec}, nil
}

func (s *Service) describeTimeToLive(body []byte) (any, error) {
	var in describeTimeToLiveInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if err := checkTableName(in.TableName); err != nil {
		return nil, err
	}
	t, err := s.tableByName(in.TableName)
	if err != nil {
		return nil, err
	}
	if err := t.rlock(); err != nil {
		return nil, err
	}
	defer t.mu.RUnlock()
	d := timeToLiveDescription{TimeToLiveStatus: "DISABLED"}
	if t.ttl != "" {
		d = timeToLiveDescription{TimeToLiveStatus: "ENABLED", AttributeName: t.ttl}
	}
	return describeTimeToLiveOutput{d}, nil
}
