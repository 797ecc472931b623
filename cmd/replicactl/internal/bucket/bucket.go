// Package bucket reads what Lambda's on-failure destination keeps in S3, for
// package streamletters.
//
// It promises to list a bucket's objects below a prefix in the order of their
// keys, a thousand a request, in memory for one page and one object, and however
// many are deleted meanwhile; to read no more of an object than a letter may
// have; and to tell an object that is gone or archived from a bucket that cannot
// be read. It deletes what it is told to and nothing else. Where the bucket keeps
// versions, a deleted object stays below its delete marker ("Deleting object
// versions from a versioning-enabled bucket").
//
// It does not promise anything of directory buckets, whose listings have no
// order, nor to see an object that arrives while it lists, before the key it has
// come to. A Bucket is safe for concurrent use.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/pkg/replica/streamletters"
)

// Prefix is what the keys of Lambda's objects begin with: the naming convention
// is aws/lambda/<mapping>/<shard>/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-<random UUID>
// ("Retain discarded records for a DynamoDB event source in Lambda").
const Prefix = "aws/lambda/"

// readAttempts is how often an object is read whose body ends early, beyond the
// SDK's own attempts, which end with the headers.
const readAttempts = 3

// Place is a bucket and what the keys in it begin with.
type Place struct{ Bucket, Prefix string }

// Parse reads s3://bucket/prefix. Without a prefix it is Lambda's, so that what
// else a bucket has is not read through.
func Parse(url string) (Place, error) {
	rest, ok := strings.CutPrefix(url, "s3://")
	name, prefix, _ := strings.Cut(rest, "/")
	if !ok || name == "" {
		return Place{}, fmt.Errorf("%q is no place in S3: want s3://bucket or s3://bucket/prefix", url)
	}
	if prefix == "" {
		prefix = Prefix
	}
	return Place{Bucket: name, Prefix: prefix}, nil
}

// String returns the place as Parse reads it.
func (p Place) String() string { return "s3://" + p.Bucket + "/" + p.Prefix }

// Bucket is the objects of one place.
type Bucket struct {
	client *s3.Client
	place  Place
	page   int32
}

var _ streamletters.Objects = (*Bucket)(nil)

// New returns the objects of a place.
func New(client *s3.Client, place Place) *Bucket {
	return &Bucket{client: client, place: place, page: 1000}
}

// List calls visit with each object's key. Every page begins after the last key
// of the one before, so that a deletion moves nothing ("ListObjectsV2",
// StartAfter).
func (b *Bucket) List(ctx context.Context, visit func(key string) error) error {
	var after *string
	for {
		out, err := b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.place.Bucket, Prefix: &b.place.Prefix, StartAfter: after, MaxKeys: &b.page})
		if err != nil {
			return fmt.Errorf("list %s: %w", b.place, ended(ctx, err))
		}
		for i := range out.Contents {
			after = out.Contents[i].Key
			if strings.HasSuffix(aws.ToString(after), "/") && aws.ToInt64(out.Contents[i].Size) == 0 {
				continue // a folder, as the console makes them
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := visit(*after); err != nil {
				return err
			}
		}
		if !aws.ToBool(out.IsTruncated) || len(out.Contents) == 0 {
			return nil
		}
	}
}

// Read returns an object's content, and of one that is larger than a letter may
// be one byte more than that.
func (b *Bucket) Read(ctx context.Context, key string) ([]byte, error) {
	for attempt := 1; ; attempt++ {
		out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.place.Bucket, Key: &key})
		if err != nil {
			return nil, told(ended(ctx, err))
		}
		text, err := io.ReadAll(io.LimitReader(out.Body, streamletters.MaxBodyBytes+1))
		_ = out.Body.Close() // all that is wanted was read
		switch {
		case err == nil:
			return text, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case attempt == readAttempts:
			return nil, err
		}
	}
}

// Delete deletes an object; S3 takes one that is gone for deleted
// ("DeleteObject").
func (b *Bucket) Delete(ctx context.Context, key string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.place.Bucket, Key: &key})
	return ended(ctx, err)
}

// ended is the end of ctx where that is what an error comes from.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// told gives what concerns one object alone the names that streamletters knows.
func told(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	switch api.ErrorCode() {
	case "NoSuchKey":
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case "InvalidObjectState": // "GetObject", Errors: in Glacier or Deep Archive
		return fmt.Errorf("%w: %w", streamletters.ErrArchived, err)
	}
	return err
}
