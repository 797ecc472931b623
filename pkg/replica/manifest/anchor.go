package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Anchor returns the position of the replica that the subscription's fan-outs
// copy from, -1 where it has none. A duplicate of a change repeats a fan-out
// from the anchor's current state, and new local items take their copy from it;
// so it is the first item replica that every subject has and that keeps, as it
// is, all that the fan-outs copy. The error says what each item replica lacks.
func (s Subscription) Anchor() (int, error) {
	needed := map[string]bool{}
	fansOut := false
	for _, r := range s.Replicas {
		if r.Kind() != FanOut {
			continue
		}
		fansOut = true
		for _, from := range r.Set {
			if from.Attribute != "" { // else Validate says so where it stands
				needed[from.Attribute] = true
			}
		}
	}
	if !fansOut {
		return -1, nil
	}
	var problems []error
	for i, r := range s.Replicas {
		if r.Kind() != Item {
			continue
		}
		missing := maps.Clone(needed)
		for _, from := range r.Set {
			if !from.OmitEmpty {
				delete(missing, from.Attribute)
			}
		}
		switch {
		case !r.Creates():
			problems = append(problems, fmt.Errorf("%s has create: false, so some subjects have nothing to copy from", r.Table))
		case len(missing) > 0 && len(r.Set) > 0: // likewise
			problems = append(problems, fmt.Errorf("%s does not keep %s as it is", r.Table, strings.Join(slices.Sorted(maps.Keys(missing)), ", ")))
		default:
			return i, nil
		}
	}
	if len(problems) == 0 {
		return -1, errors.New("a fan-out needs an item replica of the same contract: it is written first, new local items take their copy from it, and a crash in between heals from it")
	}
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.Error()
	}
	return -1, fmt.Errorf("fan-outs copy from an item replica of the same contract that has all they need, and %s", strings.Join(texts, "; "))
}
