package engine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// archived is an archive of one file.
func archived(t *testing.T, name, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	files := tar.NewWriter(zipped)
	err := files.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))})
	if err == nil {
		_, err = files.Write([]byte(content))
	}
	if err := errors.Join(err, files.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAnotherArchiveIsRefused(t *testing.T) {
	if err := verify([]byte("another"), packageIntegrity); err == nil {
		t.Error("an archive with another digest was accepted")
	}
}

func TestArchivesAreUnpackedBelowTheirDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "in")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unpack(archived(t, "package/lib/version/"+jar, "code"), dir); err != nil {
		t.Fatal(err)
	}
	found, err := jarIn(dir)
	if err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(found, jar)); err != nil || string(content) != "code" {
		t.Errorf("read %q, %v", content, err)
	}
	if err := unpack(archived(t, "../out", "code"), dir); err == nil {
		t.Error("a file beside the directory was accepted")
	}
	if _, err := os.Stat(filepath.Join(dir, "..", "out")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file beside the directory: %v", err)
	}
}

func TestWhatIsNotOnThePathIsReportedWithAdvice(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, start := range []func(context.Context) (*Engine, error){StartMoto, StartDynamoDBLocal} {
		_, err := start(t.Context())
		var missing *Missing
		if !errors.As(err, &missing) || missing.Advice == "" {
			t.Errorf("got %v, want what is missing and what to do", err)
		}
	}
}
