package dynamostream

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// FollowedShard is the name under which the poller keeps when it last followed
// a stream: a checkpoint whose Sequence is a time in epoch seconds. No shard
// has this name. Without it a downtime longer than the stream's memory would
// go unnoticed: the shards it lost are not listed any more, and those that are
// left begin as if nothing had been before them.
const FollowedShard = "followed"

// followedEvery is how often that time is kept.
const followedEvery = time.Minute

// streamState is what the poller knows of a stream.
type streamState struct {
	compared    bool // with when it was last followed
	kept        time.Time
	viewChecked bool
}

func (p *Poller) stream(arn string) *streamState {
	s := p.streams[arn]
	if s == nil {
		s = &streamState{}
		p.streams[arn] = s
	}
	return s
}

// noteFollowed says so where a stream was not followed for longer than it keeps
// its records, and keeps that it is followed now. Checkpoints that are out of
// order are told of by the shards' readers.
func (p *Poller) noteFollowed(ctx context.Context, arn string) {
	s := p.stream(arn)
	now := p.cfg.Now()
	if s.compared && now.Sub(s.kept) < followedEvery {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if !s.compared {
		c, err := p.cfg.Checkpoints.Load(ctx, arn, FollowedShard)
		if err != nil {
			return
		}
		if last, err := strconv.ParseInt(c.Sequence, 10, 64); err == nil {
			if away := now.Sub(time.Unix(last, 0)); away > retention {
				p.log(ctx, slog.LevelError, "the stream was not followed for longer than it keeps its records, changes may be lost unread: reconcile the subscribers, or backfill them",
					slog.String("stream", arn), slog.Duration("away", away))
			}
		}
		s.compared = true
	}
	// A time that is not kept is kept by the next discovery.
	if p.cfg.Checkpoints.Save(ctx, arn, FollowedShard, Checkpoint{Sequence: strconv.FormatInt(now.Unix(), 10)}) == nil {
		s.kept = now
	}
}

// checkView says so, once, where a stream carries too little: all its records
// end as dead letters.
func (p *Poller) checkView(ctx context.Context, arn string, view types.StreamViewType) {
	s := p.stream(arn)
	if s.viewChecked || view == "" {
		return
	}
	s.viewChecked = true
	if view != types.StreamViewTypeNewAndOldImages {
		p.log(ctx, slog.LevelError, "the stream does not carry new and old images, its records will be dead-lettered: turn it off and on again with NEW_AND_OLD_IMAGES, then put the dead letters back",
			slog.String("stream", arn), slog.String("view", string(view)))
	}
}
