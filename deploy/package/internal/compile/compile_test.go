package compile_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tributary-dev/tributary/deploy/package/internal/compile"
)

// sources is a command that says how it was built, and where it was told to.
func sources(t *testing.T, word string) compile.Program {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"go.mod":            "module example.org/word\n\ngo 1.26.0\n",
		"cmd/word/main.go":  "package main\n\nvar by = \"\"\n\nfunc main() { println(\"" + word + "\", by, extra) }\n",
		"cmd/word/plain.go": "//go:build !other && !cgo && !race\n\npackage main\n\nconst extra = \"plain\"\n",
		"cmd/word/other.go": "//go:build other || cgo || race\n\npackage main\n\nconst extra = \"other\"\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return compile.Program{Name: "word", Module: dir, Package: "./cmd/word"}
}

func binary(t *testing.T, p compile.Program, cache string) []byte {
	t.Helper()
	content, err := compile.Binary(t.Context(), p, "arm64", cache)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestBytesFollowFromTheSourcesAlone(t *testing.T) {
	here := binary(t, sources(t, "one"), "")
	if bytes.Equal(here, binary(t, sources(t, "two"), "")) {
		t.Fatal("other sources became the same binary")
	}

	// Elsewhere, with an empty cache, and with everything set that go build
	// would listen to.
	settings := filepath.Join(t.TempDir(), "env")
	if err := os.WriteFile(settings, []byte("GOFLAGS=-tags=other\nGOARM64=v9.0\nGOEXPERIMENT=nogreenteagc\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"GOENV": settings, "GOFLAGS": "-tags=other -ldflags=-X=main.by=me", "GOWORK": filepath.Join(t.TempDir(), "go.work"),
		"CGO_ENABLED": "1", "CGO_CFLAGS": "-O0", "GOOS": "darwin", "GOARCH": "amd64", "GOARM64": "v9.0", "GOFIPS140": "latest",
		"GODEBUG": "http2client=0", "SOURCE_DATE_EPOCH": "7",
	} {
		t.Setenv(name, value)
	}
	if err := os.WriteFile(os.Getenv("GOWORK"), []byte("go 1.26.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	there := binary(t, sources(t, "one"), t.TempDir())
	if !bytes.Equal(here, there) {
		t.Errorf("the same sources became %d and %d bytes that differ", len(here), len(there))
	}
}

func TestAReleaseNamesNoExperiment(t *testing.T) {
	for version, want := range map[string]string{
		"go1.26.8": "go1.26.8", "go1.27rc1": "go1.27rc1", "go1.26.8-X:jsonv2": "go1.26.8", "go1.26.8 X:nocoverageredesign": "go1.26.8",
		"devel go1.27-2c38a4e Tue Nov 3": "devel go1.27-2c38a4e Tue Nov 3",
	} {
		if got := compile.Release(version); got != want {
			t.Errorf("%q is of the release %q, want %q", version, got, want)
		}
	}
}

func TestWhatDoesNotCompileSaysWhere(t *testing.T) {
	p := sources(t, `" + nothing + "`)
	_, err := compile.Binary(t.Context(), p, "arm64", "")
	if err == nil || !strings.Contains(err.Error(), "compile word for linux/arm64: ") || !strings.Contains(err.Error(), "main.go:5") {
		t.Errorf("got %v, want the program, the platform and the line", err)
	}
}

func TestStopsWithItsContext(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := compile.Binary(ctx, sources(t, "one"), "arm64", ""); !errors.Is(err, why) {
		t.Errorf("got %v, want the cause", err)
	}
}
