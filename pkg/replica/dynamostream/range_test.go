package dynamostream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/localaws"
	"github.com/tributary-dev/tributary/pkg/localaws/localawstest"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

// visits is what a range visited: "key/n", in order.
type visits []string

// read reads a range; adjust may change its configuration.
func (r *rig) read(adjust ...func(*dynamostream.RangeConfig)) (visits, dynamostream.Examined) {
	r.t.Helper()
	seen, examined, err := r.tryRead(adjust...)
	r.must(err)
	if examined.Visited != len(seen) {
		r.t.Errorf("said to have visited %d, visited %d", examined.Visited, len(seen))
	}
	return seen, examined
}

func (r *rig) tryRead(adjust ...func(*dynamostream.RangeConfig)) (visits, dynamostream.Examined, error) {
	r.t.Helper()
	cfg := dynamostream.RangeConfig{Table: things, Client: r.streams}
	for _, f := range adjust {
		f(&cfg)
	}
	var seen visits
	examined, err := dynamostream.ReadRange(r.t.Context(), cfg, func(rec replica.Record) error {
		key, n := nameOf(rec)
		seen = append(seen, fmt.Sprint(key, "/", n))
		return nil
	})
	return seen, examined, err
}

func between(since, until time.Time) func(*dynamostream.RangeConfig) {
	return func(c *dynamostream.RangeConfig) { c.Since, c.Until = since, until }
}

// withEmptyReads returns a client whose reads bring nothing most of the time,
// though there is something to be read: inARow times at each place.
func (r *rig) withEmptyReads(inARow int) *dynamodbstreams.Client {
	var mu sync.Mutex
	empty := make(map[string]int)
	bringsNothing := func(in any) (at *string, is bool) {
		get, is := in.(*dynamodbstreams.GetRecordsInput)
		if !is {
			return nil, false
		}
		mu.Lock()
		defer mu.Unlock()
		empty[*get.ShardIterator]++
		return get.ShardIterator, empty[*get.ShardIterator] <= inARow
	}
	return dynamodbstreams.NewFromConfig(localawstest.Config(r.engine), func(o *dynamodbstreams.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("empty", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				if at, is := bringsNothing(in.Parameters); is {
					return middleware.InitializeOutput{Result: &dynamodbstreams.GetRecordsOutput{NextShardIterator: at}}, middleware.Metadata{}, nil
				}
				return next.HandleInitialize(ctx, in)
			}), middleware.Before)
		})
	})
}

// Whatever became of shards and streams, and whatever AWS answers now and then,
// each record of the range is visited once, and an item's in their order.
func TestEveryRecordOfTheRangeIsVisitedOnce(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			inRig(t, localaws.Config{StreamShards: 1 + random.IntN(3)}, func(r *rig) {
				made := make(map[string]time.Time)
				splits := 2
				began := time.Now()
				for range 150 {
					switch n := random.IntN(100); {
					case n < 85:
						key := fmt.Sprint("key ", random.IntN(6))
						r.put(key)
						made[fmt.Sprint(key, "/", r.written[key])] = time.Now()
					case n < 88 && splits > 0:
						splits--
						r.split()
					case n < 96:
						r.must(r.engine.DynamoDB().RotateShards(things))
					case n == 96:
						r.stream(false)
						r.stream(true)
					}
					time.Sleep(time.Duration(random.IntN(120_000)) * time.Millisecond) // virtual
				}
				span := time.Since(began)
				since := began.Add(time.Duration(random.Int64N(int64(span))))
				until := since.Add(time.Duration(random.Int64N(int64(span))))
				if until.After(time.Now()) {
					until = time.Time{}
				}
				var calls atomic.Uint64
				r.engine.SetFaults(func(c localaws.Call) localaws.Fault {
					switch rand.New(rand.NewPCG(seed, calls.Add(1))).IntN(30) {
					case 0:
						return localaws.Fault{Error: localaws.Throttled(localaws.Streams)}
					case 1:
						if c.Operation == "GetRecords" {
							return localaws.Fault{Error: wire.Errorf("ExpiredIteratorException", "expired")}
						}
					case 2:
						return localaws.Fault{Drop: localaws.DropResponse}
					case 3:
						return localaws.Fault{Error: wire.Errorf("LimitExceededException", "too many")}
					}
					return localaws.Fault{}
				})
				seen, examined := r.read(between(since, until), func(c *dynamostream.RangeConfig) {
					c.Client, c.PageRecords, c.Parallel = r.withEmptyReads(19), 1+random.IntN(4), 1+random.IntN(3)
				})
				r.engine.SetFaults(nil)
				if until.IsZero() {
					until = time.Now()
				}
				var want []string
				for record, at := range made {
					if second := at.Truncate(time.Second); !second.Before(since.Truncate(time.Second)) && !second.After(until) {
						want = append(want, record)
					}
				}
				slices.Sort(want)
				if diff := cmp.Diff(want, slices.Sorted(slices.Values(seen))); diff != "" {
					t.Errorf("visited (-want +got):\n%s", diff)
				}
				if examined.Trimmed || examined.Stopped || examined.Read > len(made) {
					t.Errorf("examined %+v", examined)
				}
				if streams, _ := r.describeAll(); streams == 1 {
					wantOrdered(t, seen)
				}
			})
		})
	}
}

func (r *rig) describeAll() (streams, shards int) {
	r.t.Helper()
	list, err := r.streams.ListStreams(r.t.Context(), &dynamodbstreams.ListStreamsInput{})
	r.must(err)
	for _, s := range list.Streams {
		d, err := r.streams.DescribeStream(r.t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: s.StreamArn})
		r.must(err)
		shards += len(d.StreamDescription.Shards)
	}
	return len(list.Streams), shards
}

func wantOrdered(t *testing.T, seen visits) {
	t.Helper()
	last := make(map[string]int)
	for _, record := range seen {
		var n int
		key, number, _ := strings.Cut(record, "/")
		fmt.Sscan(number, &n)
		if n <= last[key] {
			t.Errorf("%s was visited after %s/%d", record, key, last[key])
		}
		last[key] = n
	}
}

func TestHowShardsEnd(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		r.put("a")
		r.must(r.engine.DynamoDB().RotateShards(things))
		time.Sleep(time.Hour) // virtual
		r.put("a")
		until := time.Now()
		ends := func(examined dynamostream.Examined) (ends []dynamostream.ShardEnd) {
			for _, s := range examined.Shards {
				ends = append(ends, s.End)
			}
			return ends
		}
		_, examined := r.read()
		if diff := cmp.Diff([]dynamostream.ShardEnd{dynamostream.EndClosed, dynamostream.EndCaughtUp}, ends(examined)); diff != "" {
			t.Error(diff)
		}
		time.Sleep(time.Hour) // virtual
		r.put("a", "a")
		seen, examined := r.read(between(time.Time{}, until), func(c *dynamostream.RangeConfig) { c.PageRecords = 1 })
		if diff := cmp.Diff([]dynamostream.ShardEnd{dynamostream.EndClosed, dynamostream.EndPast}, ends(examined)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(visits{"a/1", "a/2"}, seen); diff != "" {
			t.Error(diff)
		}
		if examined.Read != 3 {
			t.Errorf("read %d records, want none after the first past the end", examined.Read)
		}
		if last := examined.Shards[1]; !last.Reached.After(until) {
			t.Errorf("reached %s", last.Reached)
		}
	})
}

// An open shard that splits while it is read goes on in its children.
func TestShardsThatComeMeanwhileAreReadToo(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		r.put("a", "b")
		var seen visits
		examined, err := dynamostream.ReadRange(r.t.Context(), dynamostream.RangeConfig{Table: things, Client: r.streams, PageRecords: 1},
			func(rec replica.Record) error {
				key, n := nameOf(rec)
				seen = append(seen, fmt.Sprint(key, "/", n))
				if len(seen) == 1 {
					r.split()
					r.put("c") // in the same second as Until
				}
				return nil
			})
		r.must(err)
		if diff := cmp.Diff(visits{"a/1", "b/1", "c/1"}, seen); diff != "" || len(examined.Shards) != 3 {
			t.Errorf("%s\n%+v", diff, examined)
		}
	})
}

// A record's second is all that is known of when it was created.
func TestARecordOfTheSecondThatTheRangeBeginsInIsInside(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		time.Sleep(700 * time.Millisecond) // virtual
		since := time.Now()
		r.put("a")
		time.Sleep(time.Minute) // virtual
		if seen, _ := r.read(between(since, since)); len(seen) != 1 {
			t.Errorf("visited %v", seen)
		}
		if seen, _ := r.read(between(since.Add(time.Second), time.Time{})); len(seen) != 0 {
			t.Errorf("visited %v", seen)
		}
	})
}

func TestOnlyTheItemsAskedForAreVisited(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 3}, func(r *rig) {
		r.put("a", "b", "c", "a", "d")
		seen, examined := r.read(func(c *dynamostream.RangeConfig) {
			c.Keys = []contracts.Item{{"p": contracts.String("a")}, {"p": contracts.String("d")}, {"p": contracts.Number("1")}}
		})
		if diff := cmp.Diff([]string{"a/1", "a/2", "d/1"}, slices.Sorted(slices.Values(seen))); diff != "" || examined.Read != 5 {
			t.Errorf("%s\n%+v", diff, examined)
		}
	})
}

func TestReadingStopsAfterAsManyRecordsAsAskedFor(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
		for range 10 {
			r.put("a")
			time.Sleep(time.Minute) // virtual
		}
		began := time.Now().Add(-10 * time.Minute)
		seen, examined := r.read(func(c *dynamostream.RangeConfig) { c.MaxRecords = 4 })
		s := examined.Shards[0]
		if len(seen) != 4 || !examined.Stopped || s.End != dynamostream.EndStopped || !s.Reached.Equal(began.Add(3*time.Minute).Truncate(time.Second)) {
			t.Errorf("visited %v, %+v", seen, examined)
		}
		seen, examined = r.read(func(c *dynamostream.RangeConfig) {
			c.MaxRead, c.PageRecords, c.Keys = 3, 1, []contracts.Item{{"p": contracts.String("b")}}
		})
		if len(seen) != 0 || examined.Read != 3 || !examined.Stopped {
			t.Errorf("visited %v, %+v", seen, examined)
		}
		if seen, examined = r.read(func(c *dynamostream.RangeConfig) { c.MaxRecords = 11 }); len(seen) != 10 || examined.Stopped {
			t.Errorf("visited %v, %+v", seen, examined)
		}
	})
}

func TestRecordsThatWereTrimmedAreSaidToBeMissing(t *testing.T) {
	t.Run("before the reading", func(t *testing.T) {
		inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
			began := time.Now()
			r.put("a")
			time.Sleep(25 * time.Hour) // virtual
			r.put("a")
			if seen, examined := r.read(between(began, time.Time{})); len(seen) != 1 || !examined.Trimmed || !examined.Shards[0].Trimmed {
				t.Errorf("visited %v, %+v", seen, examined)
			}
			if seen, examined := r.read(between(began.Add(2*time.Hour), time.Time{})); len(seen) != 1 || examined.Trimmed {
				t.Errorf("visited %v, %+v", seen, examined)
			}
		})
	})
	t.Run("while they were read", func(t *testing.T) {
		inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
			began := time.Now()
			r.put("a", "b")
			time.Sleep(20 * time.Hour) // virtual
			r.put("c")
			var seen visits
			examined, err := dynamostream.ReadRange(r.t.Context(), dynamostream.RangeConfig{
				Table: things, Client: r.streams, PageRecords: 1, Since: began,
			}, func(rec replica.Record) error {
				key, _ := nameOf(rec)
				if seen = append(seen, key); key == "a" {
					time.Sleep(5 * time.Hour) // virtual: iterators expire, and b is trimmed
				}
				return nil
			})
			r.must(err)
			if !slices.Contains(seen, "c") || slices.Contains(seen, "b") && !examined.Trimmed || !examined.Shards[0].Trimmed {
				t.Errorf("visited %v, %+v", seen, examined)
			}
		})
	})
	t.Run("with their stream", func(t *testing.T) {
		inRig(t, localaws.Config{StreamShards: 1}, func(r *rig) {
			r.put("a", "b", "c", "d")
			r.stream(false)
			examined, err := dynamostream.ReadRange(r.t.Context(), dynamostream.RangeConfig{Table: things, Client: r.streams, PageRecords: 1},
				func(replica.Record) error {
					time.Sleep(25 * time.Hour) // virtual
					return nil
				})
			r.must(err)
			if s := examined.Shards[0]; !s.Trimmed || s.End != dynamostream.EndGone || examined.Visited == 0 {
				t.Errorf("examined %+v", examined)
			}
		})
	})
	t.Run("but not because a shard is not found once", func(t *testing.T) {
		inRig(t, localaws.Config{StreamShards: 2}, func(r *rig) {
			r.put("a", "b", "c", "d")
			_, shards := r.describe()
			r.engine.SetFaults(func(c localaws.Call) localaws.Fault {
				if c.Operation == "GetShardIterator" && strings.Contains(string(c.Body), shards[0]) {
					return localaws.Fault{Error: wire.Errorf("ResourceNotFoundException", "no such shard")}
				}
				return localaws.Fault{}
			})
			if _, _, err := r.tryRead(); err == nil || !strings.Contains(err.Error(), shards[0]) {
				t.Errorf("a shard that is listed but not found: %v", err)
			}
		})
	})
}

func TestTroubleThatLastsIsToldWithTheShard(t *testing.T) {
	for name, c := range map[string]struct {
		faults localaws.Faults
		within time.Duration
		want   string
	}{
		"throttled":          {on("GetRecords", localaws.Fault{Error: localaws.Throttled(localaws.Streams)}), 5 * time.Minute, "read shard shardId-"},
		"always expired":     {on("GetRecords", localaws.Fault{Error: wire.Errorf("ExpiredIteratorException", "expired")}), 5 * time.Minute, "read shard shardId-"},
		"always trimmed":     {on("GetRecords", localaws.Fault{Error: wire.Errorf("TrimmedDataAccessException", "trimmed")}), 5 * time.Minute, "read shard shardId-"},
		"not allowed":        {on("GetShardIterator", localaws.Fault{Error: wire.Errorf("AccessDeniedException", "not authorized")}), time.Second, "read shard shardId-"},
		"not allowed a list": {on("ListStreams", localaws.Fault{Error: wire.Errorf("AccessDeniedException", "not authorized")}), time.Second, "list the streams of things"},
		"not described":      {on("DescribeStream", localaws.Fault{Error: localaws.Unavailable(localaws.Streams)}), 5 * time.Minute, "describe stream arn:"},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, localaws.Config{StreamShards: 3}, func(r *rig) {
				r.put("a", "b")
				r.engine.SetFaults(c.faults)
				began := time.Now()
				_, examined, err := r.tryRead()
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(began); took > c.within {
					t.Errorf("took %s", took)
				}
				for _, s := range examined.Shards {
					if s.End != dynamostream.EndStopped {
						t.Errorf("shard %+v", s)
					}
				}
			})
		})
	}
}

func TestReadingEndsWithTheContextAndWithTheVisitorsError(t *testing.T) {
	inRig(t, localaws.Config{StreamShards: 3}, func(r *rig) {
		r.put("a", "b", "c", "d", "e")
		stop := errors.New("stopped")
		cfg := dynamostream.RangeConfig{Table: things, Client: r.streams, PageRecords: 1}
		if _, err := dynamostream.ReadRange(r.t.Context(), cfg, func(replica.Record) error { return stop }); err != stop {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancelCause(r.t.Context())
		examined, err := dynamostream.ReadRange(ctx, cfg, func(replica.Record) error { cancel(stop); return nil })
		if !errors.Is(err, stop) || examined.Visited == 0 || examined.Visited == 5 {
			t.Errorf("got %v, %+v", err, examined)
		}
	})
}

func TestDamagedRecordsAreVisited(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		r.create("bare", "p", &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeKeysOnly})
		r.putInto("bare", "a")
		damaged := 0
		examined, err := dynamostream.ReadRange(r.t.Context(), dynamostream.RangeConfig{Table: "bare", Client: r.streams}, func(rec replica.Record) error {
			if rec.Damaged != nil {
				damaged++
			}
			return nil
		})
		r.must(err)
		if damaged != 1 || examined.Damaged != 1 {
			t.Errorf("%d damaged, %+v", damaged, examined)
		}
	})
}

func TestATableWithoutAStreamIsSaid(t *testing.T) {
	inRig(t, localaws.Config{}, func(r *rig) {
		_, _, err := r.tryRead(func(c *dynamostream.RangeConfig) { c.Table = places })
		if err == nil || !strings.Contains(err.Error(), "the stream of places: the table has none") {
			t.Errorf("got %v", err)
		}
		_, _, err = r.tryRead(func(c *dynamostream.RangeConfig) { *c = dynamostream.RangeConfig{PageRecords: 1001} })
		for _, want := range []string{"Table", "Client", "PageRecords"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s named", err, want)
			}
		}
	})
}
