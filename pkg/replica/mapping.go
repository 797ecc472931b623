package replica

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
)

// mapping says how a change looks in a local item: which contract attribute
// feeds each local one, and under which names the bookkeeping is kept.
type mapping struct {
	set      map[string]manifest.From // local attribute -> contract attribute
	onDelete manifest.OnDelete
	names    manifest.Bookkeeping
	text     string
}

func newMapping(r manifest.Replica) mapping {
	m := mapping{set: r.Set, onDelete: r.OnDelete, names: r.Bookkeeping()}
	m.text = m.fingerprint()
	return m
}

// The fingerprint of a mapping is its text: how a delete is kept, then each
// pair, as in "clear:companyName=name,sector=sector". It is stored with every
// copy, so that a copy made under another mapping is known for what it is, and
// what that mapping wrote can be taken back. A trailing ? marks omit_empty.
func (m mapping) fingerprint() string {
	pairs := make([]string, 0, len(m.set))
	for _, local := range slices.Sorted(maps.Keys(m.set)) {
		from := m.set[local]
		pair := url.QueryEscape(local) + "=" + url.QueryEscape(from.Attribute)
		if from.OmitEmpty {
			pair += "?"
		}
		pairs = append(pairs, pair)
	}
	return string(m.onDelete) + ":" + strings.Join(pairs, ",")
}

// madeBy returns the mapping that a fingerprint is of; ok is false for one that
// is none of ours.
func (m mapping) madeBy(fingerprint string) (made mapping, ok bool) {
	kept, pairs, ok := strings.Cut(fingerprint, ":")
	if !ok {
		return mapping{}, false
	}
	made = mapping{set: make(map[string]manifest.From), onDelete: manifest.OnDelete(kept), names: m.names, text: fingerprint}
	for pair := range strings.SplitSeq(pairs, ",") {
		local, from, ok := strings.Cut(pair, "=")
		from, omitEmpty := strings.CutSuffix(from, "?")
		name, err := url.QueryUnescape(local)
		attribute, err2 := url.QueryUnescape(from)
		if !ok || err != nil || err2 != nil || name == "" {
			return mapping{}, false
		}
		made.set[name] = manifest.From{Attribute: attribute, OmitEmpty: omitEmpty}
	}
	return made, true
}

// written returns the local attributes that a mapping with this fingerprint
// wrote. A fingerprint that is not one of ours names none.
func (m mapping) written(fingerprint string) []string {
	made, _ := m.madeBy(fingerprint)
	return made.local()
}

// local returns the local attributes that a mapping writes, but for the
// version and the mapping themselves.
func (m mapping) local() []string {
	names := slices.Collect(maps.Keys(m.set))
	if m.onDelete == manifest.Tombstone {
		names = append(names, m.names.Deleted, m.names.ExpiresAt)
	}
	return names
}

// image is what a change makes of a local item's copied attributes.
type image struct {
	set    contracts.Item
	remove []string
}

// image maps a contract's state; nil is a deleted item's.
func (m mapping) image(shared contracts.Item, version contracts.Version, now time.Time) image {
	im := image{set: make(contracts.Item, len(m.set)+2)}
	for local, from := range m.set {
		v, ok := shared[from.Attribute]
		if !ok || from.OmitEmpty && isEmpty(v) {
			im.remove = append(im.remove, local)
			continue
		}
		im.set[local] = v
	}
	if m.onDelete == manifest.Tombstone {
		if shared == nil {
			im.set[m.names.Deleted] = contracts.Bool(true)
			im.set[m.names.ExpiresAt] = expiry(now, version, ReplicaTombstoneLife)
		} else {
			im.remove = append(im.remove, m.names.Deleted, m.names.ExpiresAt)
		}
	}
	slices.Sort(im.remove)
	return im
}

// shared is image's inverse as far as it goes: the contract's attributes that a
// stored local item holds, nil if the item stands for a deleted one.
func (m mapping) shared(stored contracts.Item) contracts.Item {
	if stored[m.names.Deleted].Bool() && m.onDelete == manifest.Tombstone {
		return nil
	}
	state := make(contracts.Item, len(m.set))
	for local, from := range m.set {
		if v, ok := stored[local]; ok && !from.OmitEmpty {
			state[from.Attribute] = v
		}
	}
	return state
}

func isEmpty(v contracts.Value) bool {
	switch v.Kind() {
	case contracts.KindString:
		return v.Text() == ""
	case contracts.KindBinary:
		return len(v.Bytes()) == 0
	default:
		return false
	}
}

// covers returns an error unless every contract attribute that other uses can
// be read back from a copy made under m.
func (m mapping) covers(other mapping) error {
	for local, from := range other.set {
		found := false
		for _, mine := range m.set {
			found = found || mine.Attribute == from.Attribute && !mine.OmitEmpty
		}
		if !found {
			return fmt.Errorf("%s is set from %s, which the item replica does not keep", local, from.Attribute)
		}
	}
	return nil
}
