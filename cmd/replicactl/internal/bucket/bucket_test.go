package bucket_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/bucket"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/bucket/buckettest"
	"github.com/tributary-dev/tributary/pkg/replica/streamletters"
)

// open serves objects and returns the bucket as the SDK sees it.
func open(t *testing.T, objects map[string]string) (*buckettest.Server, *bucket.Bucket) {
	t.Helper()
	server := buckettest.Start("failed", objects)
	t.Cleanup(server.Close)
	client := s3.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: server.Client(), RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		})}, func(o *s3.Options) { o.UsePathStyle = true })
	place, err := bucket.Parse("s3://failed")
	if err != nil {
		t.Fatal(err)
	}
	return server, bucket.New(client, place)
}

func keyOf(n int) string {
	return fmt.Sprintf("aws/lambda/0b6ee8a4-3c5a-4bd0-93fa-0f9d1b7f7a11/shardId-00000001573689847184-864758bb/2026/03/01/2026-03-01T02.00.00-%06d", n)
}

func TestAPlaceIsWhereLambdaPutsItsObjectsUnlessSaidOtherwise(t *testing.T) {
	for url, want := range map[string]bucket.Place{
		"s3://failed":                 {Bucket: "failed", Prefix: "aws/lambda/"},
		"s3://failed/":                {Bucket: "failed", Prefix: "aws/lambda/"},
		"s3://failed/aws/lambda/0b6e": {Bucket: "failed", Prefix: "aws/lambda/0b6e"},
		"s3://failed/copies/":         {Bucket: "failed", Prefix: "copies/"},
	} {
		if got, err := bucket.Parse(url); err != nil || got != want {
			t.Errorf("%s is %+v, %v; want %+v", url, got, err, want)
		}
	}
	for _, url := range []string{"", "failed", "s3://", "s3:///x", "https://failed.s3.amazonaws.com/"} {
		if got, err := bucket.Parse(url); err == nil {
			t.Errorf("%q is %+v, want an error", url, got)
		}
	}
}

// Every object below the prefix is listed once, in order, while each is deleted
// as soon as it was seen, by pages of a thousand.
func TestObjectsAreListedOnceWhileTheyAreDeleted(t *testing.T) {
	objects := map[string]string{"other/report.csv": "x", "aws/lambda/": ""}
	var want []string
	for n := range 2500 {
		objects[keyOf(n)] = "{}"
		want = append(want, keyOf(n))
	}
	server, b := open(t, objects)
	var got []string
	if err := b.List(t.Context(), func(key string) error {
		got = append(got, key)
		server.Remove(key)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	if n := server.Requests("ListObjectsV2"); n != 3 {
		t.Errorf("%d requests to list, want 3", n)
	}
	if diff := cmp.Diff([]string{"aws/lambda/", "other/report.csv"}, server.Keys()); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func TestAnObjectIsReadWhole(t *testing.T) {
	server, b := open(t, map[string]string{keyOf(1): strings.Repeat("x", 1<<20), keyOf(2): "", keyOf(3): strings.Repeat("y", streamletters.MaxBodyBytes+1000)})
	cuts := 0
	server.SetFault(func(operation, key string) buckettest.Fault {
		cuts++
		return buckettest.Fault{Cut: key == keyOf(1) && cuts < 3}
	})
	for n, want := range map[int]int{1: 1 << 20, 2: 0, 3: streamletters.MaxBodyBytes + 1} {
		if text, err := b.Read(t.Context(), keyOf(n)); err != nil || len(text) != want {
			t.Errorf("object %d: %d bytes, %v; want %d", n, len(text), err, want)
		}
	}
	server.SetFault(func(string, string) buckettest.Fault { return buckettest.Fault{Cut: true} })
	if text, err := b.Read(t.Context(), keyOf(1)); err == nil {
		t.Errorf("half an object passed for %d bytes", len(text))
	}
}

// What concerns one object is told from what concerns them all.
func TestErrorsOfOneObjectHaveNames(t *testing.T) {
	server, b := open(t, map[string]string{keyOf(1): "{}"})
	for code, want := range map[string]error{"NoSuchKey": fs.ErrNotExist, "InvalidObjectState": streamletters.ErrArchived, "AccessDenied": nil} {
		server.SetFault(func(string, string) buckettest.Fault {
			return buckettest.Fault{Status: http.StatusForbidden, Code: code}
		})
		_, err := b.Read(t.Context(), keyOf(1))
		if err == nil || errors.Is(err, fs.ErrNotExist) != (want == fs.ErrNotExist) || errors.Is(err, streamletters.ErrArchived) != (want == streamletters.ErrArchived) {
			t.Errorf("%s: %v, want %v", code, err, want)
		}
	}
	server.SetFault(nil)
	if err := b.Delete(t.Context(), keyOf(2)); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, err := range map[string]error{
		"list":   b.List(ctx, func(string) error { return nil }),
		"delete": b.Delete(ctx, keyOf(1)),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s after the end: %v", what, err)
		}
	}
	if len(server.Keys()) != 1 {
		t.Errorf("left %v", server.Keys())
	}
}
