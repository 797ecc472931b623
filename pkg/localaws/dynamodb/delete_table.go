package dynamodb

import "github.com/tributary-dev/tributary/pkg/localaws/wire"

type deleteTableInput struct {
	TableName string
}

type deleteTableOutput struct {
	TableDescription tableDescription
}

func (s *Service) deleteTable(body []byte) (any, error) {
	var in deleteTableInput
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := t.lock(); err != nil {
		return nil, err
	}
	defer t.mu.Unlock()
	if t.protected {
		return nil, invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	t.deleted = true
	delete(s.tables, t.name)
	// Its stream stays readable for 24 hours.
	t.closeStream()
	return deleteTableOutput{t.describe("DELETING")}, nil
}

// closeStream ends the stream, if there is one. The caller holds the lock.
func (t *table) closeStream() {
	if t.stream != nil {
		t.stream.Disable()
		t.stream = nil
	}
}
