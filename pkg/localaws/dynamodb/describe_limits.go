package dynamodb

import "github.com/tributary-dev/tributary/pkg/localaws/wire"

type describeLimitsOutput struct {
	AccountMaxReadCapacityUnits  int64
	AccountMaxWriteCapacityUnits int64
	TableMaxReadCapacityUnits    int64
	TableMaxWriteCapacityUnits   int64
}

// describeLimits answers AWS's initial quotas; nothing here enforces them.
func (s *Service) describeLimits(body []byte) (any, error) {
	var in struct{}
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	return describeLimitsOutput{
		AccountMaxReadCapacityUnits:  80_000,
		AccountMaxWriteCapacityUnits: 80_000,
		TableMaxReadCapacityUnits:    40_000,
		TableMaxWriteCapacityUnits:   40_000,
	}, nil
}
