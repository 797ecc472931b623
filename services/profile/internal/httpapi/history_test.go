package httpapi_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// Many clients at once, every call to the database taking its own time: there
// is an order of the successful writes, that of their versions and of the
// table's stream, in which every answer is what the model says. So no write is
// lost, none is made twice, and of several under the same condition one wins.
func TestConcurrentWritesHaveAnOrder(t *testing.T) { checkPlays(t, 2, 5, false) }

// Answers of the database are lost, and nobody else writes: still every
// request takes place once and is told so.
func TestLostAnswersAreFound(t *testing.T) { checkPlays(t, 1, 1, true) }

// Answers are lost and others write: a write that was overwritten before its
// writer asked again may be there twice, or without anybody being told. The
// order stands, and every answer is still about a write that took place.
func TestLostAnswersAmongOthers(t *testing.T) { checkPlays(t, 2, 5, true) }

func checkPlays(t *testing.T, least, most int, lossy bool) {
	rapid.Check(t, func(r *rapid.T) {
		p := play{lossy: lossy}
		for range rapid.IntRange(least, most).Draw(r, "clients") {
			var requests []request
			for range rapid.IntRange(1, 6).Draw(r, "requests") {
				requests = append(requests, drawRequest(r, []string{"7"}, nil))
			}
			p.clients = append(p.clients, requests)
		}
		p.afterReading = rapid.SliceOfN(rapid.Bool(), 30, 30).Draw(r, "conditional on what was read")
		p.delays = rapid.SliceOfN(rapid.IntRange(0, 20), 64, 64).Draw(r, "delays in ms")
		p.losses = rapid.SliceOfN(rapid.IntRange(0, 9), 64, 64).Draw(r, "lost answers")
		var err error
		synctest.Test(t, func(t *testing.T) { err = p.run(t) })
		if err != nil {
			r.Fatal(err)
		}
	})
}

// play is what happens in one run.
type play struct {
	lossy        bool
	clients      [][]request
	afterReading []bool
	delays       []int
	losses       []int
}

func (p *play) run(t *testing.T) error {
	s := newService(t)
	var calls atomic.Int64
	s.Engine.SetFaults(func(c localaws.Call) localaws.Fault {
		n := int(calls.Add(1))
		f := localaws.Fault{
			DelayBefore: time.Duration(p.delays[n%len(p.delays)]) * time.Millisecond,
			DelayAfter:  time.Duration(p.delays[(n+7)%len(p.delays)]) * time.Millisecond,
		}
		if p.lossy && p.losses[n%len(p.losses)] == 0 && c.Attempt == 1 && (c.Operation == "UpdateItem" || c.Operation == "PutItem") {
			f.Drop = localaws.DropResponse
		}
		return f
	})
	var all []request // each goroutine has a part of its own
	for _, requests := range p.clients {
		all = append(all, requests...)
	}
	var group sync.WaitGroup
	for first, c := 0, 0; c < len(p.clients); c++ {
		mine := all[first : first+len(p.clients[c])]
		afterReading := p.afterReading[first:]
		first += len(mine)
		group.Go(func() {
			for i := range mine {
				q := &mine[i]
				if afterReading[i] {
					if read := s.send(t, "GET", "/companies/7", ""); read.status == 200 {
						q.headers = []header{ifMatch(read.header.Get("ETag"))}
					}
				}
				q.answer = s.send(t, q.method, "/companies/7", q.body, q.headers...)
			}
		})
	}
	group.Wait()
	s.Engine.SetFaults(nil)
	return check(t, s, all, p.lossy && len(p.clients) > 1)
}

// check finds the writes in the table's stream, which has every one that took
// place in its order, and compares them with the answers. Untold says that there
// may be writes of which nobody was told.
func check(t *testing.T, s *service, all []request, untold bool) error {
	answered := map[string][]request{} // successful PUT and PATCH by version
	deletes, succeeded := 0, 0
	for _, q := range all {
		switch q.answer.status {
		case 200, 201:
			version := q.answer.version(t)
			answered[version] = append(answered[version], q)
			succeeded++
		case 204:
			deletes++
			succeeded++
		case 404, 412, 503: // 503: lost too often against the others
		default:
			return fmt.Errorf("unexpected: %s", q)
		}
	}
	writes := s.Records(t)
	if len(writes) < succeeded || len(writes) > succeeded && !untold {
		return fmt.Errorf("%d writes took place, %d requests were told so:\n%v", len(writes), succeeded, all)
	}
	m := &model{}
	for _, w := range writes {
		image := w.Change.NewImage
		version := image["version"].Number()
		if _, deleted := image["deleted"]; deleted {
			if m.state == nil {
				return fmt.Errorf("version %s deletes what is not there", version)
			}
			deletes--
			m.state = nil
			if err := m.advance(version); err != nil {
				return err
			}
			continue
		}
		if len(answered[version]) == 0 && untold {
			m.state = stateOf(image)
			if err := m.advance(version); err != nil {
				return err
			}
			continue
		}
		if len(answered[version]) != 1 {
			return fmt.Errorf("version %s was answered to %d requests: %v", version, len(answered[version]), answered[version])
		}
		q := answered[version][0]
		if want := m.apply(q); want != q.answer.status {
			return fmt.Errorf("%s\nwant %d after version %s", q, want, m.version)
		}
		if err := m.follow(q); err != nil {
			return err
		}
	}
	if deletes > 0 || deletes < 0 && !untold {
		return fmt.Errorf("%d deletes more were answered than took place", deletes)
	}
	last := request{method: "GET", answer: s.send(t, "GET", "/companies/7", "")}
	if (m.state != nil) != (last.answer.status == 200) {
		return fmt.Errorf("in the end: %s, want %v", last, m.state)
	}
	return m.follow(last)
}

// stateOf is an image as the API would show it.
func stateOf(image map[string]events.DynamoDBAttributeValue) map[string]any {
	state := map[string]any{}
	for _, name := range append([]string{"name", "tickers"}, fields...) {
		v, ok := image[name]
		switch {
		case !ok:
		case v.DataType() == events.DataTypeList:
			tickers := []any{}
			for _, e := range v.List() {
				tickers = append(tickers, e.String())
			}
			state[name] = tickers
		default:
			state[name] = v.String()
		}
	}
	return state
}
