package replica

import (
	"slices"

	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// declaredTable is a table as the manifest declares it; the zero one is a table
// the manifest does not declare.
type declaredTable manifest.Table

func (a *Applier) table(name string) declaredTable {
	for _, t := range a.cfg.Tables {
		if t.Name == name {
			return declaredTable(t)
		}
	}
	return declaredTable{}
}

func (t declaredTable) keyAttributes() []manifest.KeyAttribute {
	var keys []manifest.KeyAttribute
	for _, k := range []manifest.KeyAttribute{t.PartitionKey, t.SortKey} {
		if k.Name != "" {
			keys = append(keys, k)
		}
	}
	return keys
}

func (t declaredTable) indexPartition(index string) (manifest.KeyAttribute, bool) {
	for _, i := range t.Indexes {
		if i.Name == index {
			return i.PartitionKey, true
		}
	}
	return manifest.KeyAttribute{}, false
}

// shows returns the attributes if the index holds all of them, else none.
func (t declaredTable) shows(index string, attributes ...string) []string {
	for _, i := range t.Indexes {
		if i.Name != index {
			continue
		}
		for _, name := range attributes {
			if i.Projection != "all" && !slices.Contains(i.Include, name) {
				return nil
			}
		}
		return attributes
	}
	return nil
}
