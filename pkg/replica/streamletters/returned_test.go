package streamletters_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/streamletters"
)

// refusing is an owner's table whose relay can publish none of its stamps, as
// where the item is larger than its topic takes: each stamp's record comes back
// as a letter.
type refusing struct {
	replica.SourceTable
	r      *rig
	images bool // the letters have them
	stamps int
}

func (f *refusing) Restamp(ctx context.Context, key, set, was contracts.Item) (bool, error) {
	ok, err := f.SourceTable.Restamp(ctx, key, set, was)
	if ok {
		f.stamps++
		if f.stamps > 100 {
			return ok, errors.New("stamped for ever")
		}
		f.bury(key)
	}
	return ok, err
}

func (f *refusing) bury(key contracts.Item) {
	if cik := key["cik"].Text(); f.images {
		f.r.bury(cik, f.r.read(cik))
	} else {
		f.r.bury(cik)
	}
}

// What the relay gives up again while the run goes on is neither stamped for
// ever nor deleted: its letter is the only trace of it.
func TestALetterThatAStampBringsBackStays(t *testing.T) {
	for name, images := range map[string]bool{"with images": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			inRig(t, func(r *rig) {
				r.put("1", "large", contracts.VersionAt(time.Now()))
				r.put("2", "fine", contracts.VersionAt(time.Now()))
				r.bury("1")
				r.bury("2")
				table := &refusing{SourceTable: r.table, r: r, images: images}
				time.Sleep(time.Second)
				ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
				defer cancel()
				result, err := r.mender(func(c *streamletters.Config) { c.Table = only{table, r.table} }).
					Queue(ctx, streamletters.QueueConfig{Client: r.Queues, Queue: "relay-dlq"}, true)
				if err != nil || table.stamps != 1 {
					r.Errorf("%d stamps, result %+v, %v", table.stamps, result, err)
				}
				r.wantLetters(1)
			})
		})
	}
}

// only has the first item's stamps refused.
type only struct {
	*refusing
	fine replica.SourceTable
}

func (o only) Restamp(ctx context.Context, key, set, was contracts.Item) (bool, error) {
	if key["cik"].Text() != "1" {
		return o.fine.Restamp(ctx, key, set, was)
	}
	return o.refusing.Restamp(ctx, key, set, was)
}
