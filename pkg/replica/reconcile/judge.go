package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

const (
	// judgedTogether is how many differences are looked at again, and repaired, at
	// once. Their items are read whole, up to 400 KB each; SNS takes ten messages a
	// request ("PublishBatch", Amazon SNS API reference), so that a multiple of ten
	// leaves none half empty.
	judgedTogether = 30
	// maxRounds bounds how often a difference is held again because both sides
	// moved in a way that proves nothing.
	maxRounds = 4
	// verifyEvery is the pause between two looks at what was repaired.
	verifyEvery = 2 * time.Second
)

// settle looks again at what is held, as it comes due, until ctx ends.
func (r *run) settle(ctx context.Context) error {
	for {
		due, err := r.ledger.take(ctx, r.cfg.Now, judgedTogether)
		if err != nil {
			return err
		}
		if err := r.judge(ctx, due); err != nil {
			return err
		}
		r.ledger.dropped(len(due))
		r.report()
	}
}

// local is a local item as it was read.
type local struct {
	view      int
	key, item contracts.Item
}

// judge looks again at differences: at the copies first and then at their
// source items, so that a copy which is ahead of its source was so when it was
// read.
func (r *run) judge(ctx context.Context, due []*held) error {
	locals, err := r.locals(ctx, due)
	if err != nil {
		return err
	}
	subjects := make([]string, len(due))
	for i, h := range due {
		subjects[i] = h.subject
	}
	sources, err := r.sources(ctx, subjects)
	if err != nil {
		return err
	}
	var repairs []*repair
	for i, h := range due {
		switch {
		case h.finding != nil:
			r.verify(h, sources[i], locals[i])
		case h.view == sourceItself:
			repairs = append(repairs, r.judgeSource(h, sources[i], locals[i])...)
		default:
			repairs = append(repairs, r.judgeCopy(h, sources[i], locals[i][0])...)
		}
	}
	return r.repair(ctx, repairs)
}

// locals reads the local items of what is held: of a source item, those of all
// item replicas.
func (r *run) locals(ctx context.Context, due []*held) ([][]local, error) {
	all := make([][]local, len(due))
	for at, view := range r.views {
		var keys []contracts.Item
		var of []int
		for i, h := range due {
			key := h.key
			switch {
			case h.view == at:
			case h.view == sourceItself && !view.FanOut():
				var err error
				if key, err = view.Key(h.subject); err != nil {
					continue
				}
			default:
				continue
			}
			keys, of = append(keys, key), append(of, i)
		}
		items, err := r.cfg.Local.Reader.BatchRead(ctx, view.Table(), keys)
		if err != nil {
			return nil, err
		}
		for n, item := range items {
			if subject, _ := view.Subject(item); view.FanOut() && subject != due[of[n]].subject {
				item = nil // it has become another subject's meanwhile, or nobody's
			}
			all[of[n]] = append(all[of[n]], local{view: at, key: keys[n], item: item})
		}
	}
	return all, nil
}

// judgeCopy decides about a difference that was held for the settle time.
func (r *run) judgeCopy(h *held, source source, l local) []*repair {
	now := r.cfg.Now()
	view := r.views[h.view]
	if source.present && source.Version == 0 {
		// Written by something that knows nothing of versions, and not stamped
		// yet: what it asks for is not known.
		if h.rounds++; h.rounds < maxRounds {
			r.again(h, r.cfg.Settle)
			return nil
		}
		return r.confirm(h, Finding{Class: Unversioned, Subject: h.subject, Key: source.key}, source)
	}
	if source.Live {
		if err := r.cfg.Source.Contract().Check(source.Shared); err != nil {
			if !h.fromSource {
				r.drop(h) // pass 1 reports the item
				return nil
			}
			return r.confirm(h, Finding{Class: Unpublishable, Subject: h.subject, Key: source.key, Version: source.Version, Reason: err.Error()}, source)
		}
	}
	drift, stored := view.Compare(source.Snapshot, l.item, now), view.Stored(l.item, now)
	moved := source.Version != h.version
	switch {
	case drift == replica.InStep,
		// It shows another state than a settle time ago, and one that is not
		// older than the source's was then: it keeps up.
		moved && drift != replica.Ahead && stored >= h.version && stored != h.stored:
		h.page.count(inFlight, 1)
		r.drop(h)
		return nil
	case moved && drift != replica.Ahead && stored >= h.version && h.rounds < maxRounds:
		// The source moved on from what the difference was about; the copy did
		// not move, but for all that is known it need not have.
		h.rounds++
		h.version = source.Version
		r.again(h, r.cfg.Settle)
		return nil
	}
	return r.confirm(h, Finding{
		Class: classOf(drift), Replica: view.Name(), Subject: h.subject, Key: h.key,
		Version: source.Version, Stored: stored, Remapped: view.Copied(l.item) && view.Remapped(l.item),
	}, source)
}

// judgeSource decides about a source item that had no version.
func (r *run) judgeSource(h *held, source source, locals []local) []*repair {
	switch {
	case !source.present: // removed meanwhile; the copies' passes see to it
		h.page.count(inFlight, 1)
		r.drop(h)
		return nil
	case source.Version == 0:
		return r.confirm(h, Finding{Class: Unversioned, Subject: h.subject, Key: source.key}, source)
	}
	// It was stamped meanwhile, and the copies have had no settle time since.
	now := r.cfg.Now()
	for _, l := range locals {
		view := r.views[l.view]
		if view.Compare(source.Snapshot, l.item, now) == replica.InStep {
			continue
		}
		h.page.wait()
		r.ledger.again(&held{
			page: h.page, view: l.view, subject: h.subject, key: l.key, fromSource: true,
			version: source.Version, stored: view.Stored(l.item, now), due: now.Add(r.cfg.Settle),
		})
	}
	h.page.count(inFlight, 1)
	r.drop(h)
	return nil
}

// confirm reports a finding and returns its repair, if it is to have one.
func (r *run) confirm(h *held, f Finding, source source) []*repair {
	at := h.view
	if f.Replica == "" {
		at = sourceItself
	}
	r.found(h.page, at, f)
	if !r.cfg.Repair || f.Class == Unpublishable {
		r.drop(h)
		return nil
	}
	h.finding = &f
	return []*repair{{held: h, source: source}}
}

// verify looks whether a repair shows.
func (r *run) verify(h *held, source source, locals []local) {
	now := r.cfg.Now()
	right := !source.present || source.Version != 0
	problem := "the source has no version"
	for _, l := range locals {
		view := r.views[l.view]
		drift, stored := view.Compare(source.Snapshot, l.item, now), view.Stored(l.item, now)
		// Or the copy has the repair, and the source has moved on since.
		if drift != replica.InStep && (stored < h.target || source.Version <= h.target) {
			right, problem = false, fmt.Sprintf("%s is %s at version %s, the source at %s", view.Name(), drift, stored, source.Version)
		}
	}
	switch {
	case right:
		r.settleRepair(h, nil)
	case now.Before(h.deadline):
		r.again(h, verifyEvery)
	default:
		r.settleRepair(h, fmt.Errorf("repair %s as version %s: %v later %s; see whether the subscriber's consumer runs and what is in its dead-letter queue, and run this again",
			h.subject, h.target, r.cfg.VerifyTimeout, problem))
	}
}

// settleRepair counts and reports what became of a repair.
func (r *run) settleRepair(h *held, err error) {
	name := repaired
	if err != nil {
		name = notRepaired
	}
	h.page.count(name, 1)
	r.drop(h)
	r.talk.Lock()
	defer r.talk.Unlock()
	r.cfg.Repaired(*h.finding, err)
}

// again holds a difference that was taken once more.
func (r *run) again(h *held, after time.Duration) {
	h.due = r.cfg.Now().Add(after)
	r.ledger.again(h)
}

// drop is the end of a difference.
func (r *run) drop(h *held) { h.page.done() }
