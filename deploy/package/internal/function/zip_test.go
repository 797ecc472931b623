package function_test

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/deploy/package/internal/function"
)

func TestZipHasOneProgramThatLambdaCanStart(t *testing.T) {
	binary := bytes.Repeat([]byte("\x7fELF and so on "), 10_000)
	content, err := function.Zip(binary)
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" {
		t.Fatalf("entries: %v, want bootstrap alone", archive.File)
	}
	entry := archive.File[0]
	if entry.Mode() != fs.FileMode(0o755) {
		t.Errorf("mode %s, want -rwxr-xr-x: Lambda runs it as another user than the owner", entry.Mode())
	}
	if year := entry.Modified.UTC().Year(); year != 1980 {
		t.Errorf("modified in %d: the day shows", year)
	}
	r, err := entry.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, binary) {
		t.Errorf("the entry is not the binary: %d bytes, %v", len(got), err)
	}
	if len(content) > len(binary)/10 {
		t.Errorf("%d bytes of %d: not compressed", len(content), len(binary))
	}
	again, err := function.Zip(binary)
	if err != nil || !bytes.Equal(again, content) {
		t.Errorf("a second zip differs (%v)", err)
	}
}

func TestRefusesWhatLambdaWould(t *testing.T) {
	_, err := function.Zip(make([]byte, function.MaxUnzippedBytes+1))
	if err == nil || !strings.Contains(err.Error(), "Lambda takes 262144000") {
		t.Errorf("got %v, want the limit", err)
	}
}
