package dynamostream

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// discover looks for the table's streams and their shards. A stream that cannot
// be described keeps the shards it had and holds up no other.
func (p *Poller) discover(ctx context.Context) {
	arns, err := listStreams(ctx, p.cfg.Streams, p.cfg.Table)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		p.log(ctx, slog.LevelError, "streams not listed, trying again", slog.Any("cause", err))
		return
	}
	if len(arns) == 0 {
		p.log(ctx, slog.LevelError, "the table has no stream, or does not exist: turn a stream with new and old images on (replicactl bootstrap, or Terraform)")
	}
	p.forget(arns)
	for _, arn := range arns {
		found, err := describe(ctx, p.cfg.Streams, arn)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			p.log(ctx, slog.LevelError, "stream not described, trying again", slog.String("stream", arn), slog.Any("cause", err))
			continue
		}
		p.learn(arn, found.shards)
		p.checkView(ctx, arn, found.view)
		p.noteFollowed(ctx, arn)
	}
}

// learn takes over what a stream says about its shards.
func (p *Poller) learn(stream string, shards []types.Shard) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.following = true
	for key, s := range p.shards {
		if key.stream == stream {
			s.listed = false
		}
	}
	for _, s := range shards {
		key := shardKey{stream, aws.ToString(s.ShardId)}
		if p.shards[key] == nil {
			p.shards[key] = &shardState{parent: aws.ToString(s.ParentShardId)}
		}
		p.shards[key].listed = true
	}
	p.prune()
}

// forget notes that all other streams are gone.
func (p *Poller) forget(except []string) {
	there := make(map[string]bool, len(except))
	for _, arn := range except {
		there[arn] = true
	}
	for arn := range p.streams {
		if !there[arn] {
			delete(p.streams, arn)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, s := range p.shards {
		if !there[key.stream] {
			s.listed = false
		}
	}
	p.prune()
}

// prune drops the shards that were trimmed away and that nobody reads. The
// caller holds p.mu.
func (p *Poller) prune() {
	for key, s := range p.shards {
		if !s.listed && (s.read || !s.started) {
			delete(p.shards, key)
		}
	}
}

// listStreams returns every stream of a table that still exists.
func listStreams(ctx context.Context, client *dynamodbstreams.Client, table string) ([]string, error) {
	in := &dynamodbstreams.ListStreamsInput{TableName: aws.String(table)}
	var arns []string
	for {
		out, err := within(ctx, in, client.ListStreams)
		if err != nil {
			return nil, err
		}
		for _, s := range out.Streams {
			arns = append(arns, aws.ToString(s.StreamArn))
		}
		if out.LastEvaluatedStreamArn == nil {
			return arns, nil
		}
		in.ExclusiveStartStreamArn = out.LastEvaluatedStreamArn
	}
}

// description is what DescribeStream says of a stream, on all its pages.
type description struct {
	shards  []types.Shard
	view    types.StreamViewType // empty if the stream has vanished
	created time.Time
}

func describe(ctx context.Context, client *dynamodbstreams.Client, stream string) (description, error) {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: aws.String(stream)}
	var d description
	for {
		out, err := within(ctx, in, client.DescribeStream)
		if _, gone := errors.AsType[*types.ResourceNotFoundException](err); gone {
			return d, nil // a stream vanishes a day after it was turned off
		}
		if err != nil {
			return description{}, err
		}
		d.view, d.created = out.StreamDescription.StreamViewType, aws.ToTime(out.StreamDescription.CreationRequestDateTime)
		d.shards = append(d.shards, out.StreamDescription.Shards...)
		if out.StreamDescription.LastEvaluatedShardId == nil {
			return d, nil
		}
		in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId
	}
}

// within makes one call that ends within callTimeout.
func within[In, Out, Option any](ctx context.Context, in In, call func(context.Context, In, ...Option) (Out, error)) (Out, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return call(ctx, in)
}

func (p *Poller) log(ctx context.Context, level slog.Level, what string, attrs ...slog.Attr) {
	p.cfg.Logger.LogAttrs(ctx, level, what, append(attrs, slog.String("table", p.cfg.Table))...)
}
