package dynamodb

import (
	"slices"
	"strconv"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

type listTablesInput struct {
	ExclusiveStartTableName string
	Limit                   *int
}

type listTablesOutput struct {
	TableNames             []string
	LastEvaluatedTableName string `json:",omitempty"`
}

func (s *Service) listTables(body []byte) (any, error) {
	var in listTablesInput
	if err := wire.Decode(codeValidation, body, &in); err != nil {
		return nil, err
	}
	if in.ExclusiveStartTableName != "" {
		if err := checkTableName(in.ExclusiveStartTableName); err != nil {
			return nil, err
		}
	}
	limit := 100
	if in.Limit != nil {
		limit = *in.Limit
		if limit < 1 || limit > 100 {
			return nil, parameter("'"+strconv.Itoa(limit)+"'", "limit", "Member must have a value from 1 to 100")
		}
	}
	out := listTablesOutput{TableNames: []string{}}
	for _, name := range s.tableNames() {
		if name <= in.ExclusiveStartTableName {
			continue
		}
		if len(out.TableNames) == limit {
			out.LastEvaluatedTableName = out.TableNames[limit-1]
			break
		}
		out.TableNames = append(out.TableNames, name)
	}
	return out, nil
}

// tableNames returns the names of all tables in order.
func (s *Service) tableNames() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := make([]string, 0, len(s.tables))
	for name := range s.tables {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
