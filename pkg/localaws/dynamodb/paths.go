package dynamodb

import "github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"

// checkScalars refuses document paths that lead into a key attribute of the
// table or of one of its indexes: a key is a string, number or binary, with
// nothing below it. The caller holds the lock.
func (t *table) checkScalars(paths []expr.Path) error {
	for _, p := range paths {
		if len(p) > 1 && t.key.has(p[0].Name) {
			return intoKey("Key", p[0].Name)
		}
	}
	for _, p := range paths {
		if len(p) > 1 && t.isIndexKey(p[0].Name) {
			return intoKey("IndexKey", p[0].Name)
		}
	}
	return nil
}

func intoKey(kind, name string) error {
	return invalid("Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: %s: %s", kind, name)
}

func (t *table) isIndexKey(name string) bool {
	for _, ix := range t.indexes {
		if ix.key.has(name) {
			return true
		}
	}
	return false
}

// checkProjection is checkScalars for the projection of a read by key, under
// a lock of its own.
func (t *table) checkProjection(pr *expr.Projection) error {
	if pr == nil {
		return nil
	}
	if err := t.rlock(); err != nil {
		return err
	}
	defer t.mu.RUnlock()
	return t.checkScalars(pr.Paths())
}

// checkPaths is checkScalars for the expressions of a write.
func (m *mutation) checkPaths() error {
	if m.condition != nil {
		if err := m.table.checkScalars(m.condition.Paths()); err != nil {
			return err
		}
	}
	if m.update != nil {
		return m.table.checkScalars(m.update.AllPaths())
	}
	return nil
}
