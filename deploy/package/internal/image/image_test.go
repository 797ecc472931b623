package image_test

import (
	"archive/tar"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/tributary-dev/tributary/deploy/package/internal/image"
)

var binaries = map[string][]byte{"arm64": []byte("an arm64 binary"), "amd64": []byte("an amd64 binary")}

func index(t *testing.T, name string, architectures ...string) v1.ImageIndex {
	t.Helper()
	idx, err := image.Index(name, architectures, binaries)
	if err != nil {
		t.Fatal(err)
	}
	return idx
}

func images(t *testing.T, idx v1.ImageIndex) map[string]v1.Image {
	t.Helper()
	manifest, err := idx.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]v1.Image)
	for _, d := range manifest.Manifests {
		one, err := idx.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		all[d.Platform.String()] = one
	}
	return all
}

func digest(t *testing.T, of interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	d, err := of.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

type entry struct {
	name    string
	header  *tar.Header
	content []byte
}

// entries are those of each layer, in its order.
func entries(t *testing.T, one v1.Image) [][]entry {
	t.Helper()
	layers, err := one.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]entry
	for _, l := range layers {
		content, err := l.Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		var of []entry
		for r := tar.NewReader(content); ; {
			header, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			file, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			of = append(of, entry{header.Name, header, file})
		}
		all = append(all, of)
		if err := content.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestAnImageHasTheProgramAndWhatItNeedsAndNothingElse(t *testing.T) {
	for platform, one := range images(t, index(t, "stats", "arm64", "amd64")) {
		var names [][]string
		for _, of := range entries(t, one) {
			var in []string
			for _, e := range of {
				in = append(in, e.name)
				if e.header.Mode&0o222 != 0 || e.header.Uid != 0 || e.header.Gid != 0 {
					t.Errorf("%s: %s: mode %o of %d:%d: the program could write it", platform, e.name, e.header.Mode, e.header.Uid, e.header.Gid)
				}
				if !e.header.ModTime.Equal(time.Unix(0, 0)) {
					t.Errorf("%s: %s: modified %s", platform, e.name, e.header.ModTime)
				}
			}
			if !slices.IsSorted(in) {
				t.Errorf("%s: not by name: %v", platform, in)
			}
			names = append(names, in)
		}
		want := [][]string{
			{"etc/", "etc/group", "etc/passwd", "etc/ssl/", "etc/ssl/certs/", "etc/ssl/certs/ca-certificates.crt"},
			{"stats"},
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", platform, diff)
		}
	}
}

func TestAnImageStartsTheProgramForItsPlatformAsNobody(t *testing.T) {
	idx := index(t, "stats", "arm64", "amd64")
	all := images(t, idx)
	for platform, arch := range map[string]string{"linux/arm64/v8": "arm64", "linux/amd64": "amd64"} {
		one, ok := all[platform]
		if !ok {
			t.Fatalf("no %s in the index", platform)
		}
		config, err := one.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		if config.OS != "linux" || config.Architecture != arch || !config.Created.Equal(time.Unix(0, 0)) {
			t.Errorf("%s: made for %s/%s at %s", platform, config.OS, config.Architecture, config.Created)
		}
		want := v1.Config{User: "65532:65532", Entrypoint: []string{"/stats"}, WorkingDir: "/"}
		if diff := cmp.Diff(want, config.Config); diff != "" {
			t.Errorf("%s: config (-want +got):\n%s", platform, diff)
		}
		of := entries(t, one)
		program := of[len(of)-1][0]
		if string(program.content) != "an "+arch+" binary" || program.header.Mode != 0o555 {
			t.Errorf("%s: has %q, mode %o", platform, program.content, program.header.Mode)
		}
	}
}

func TestAnImageWithoutItsProgramIsRefused(t *testing.T) {
	for what, had := range map[string]map[string][]byte{
		"no binary": {"arm64": binaries["arm64"]}, "an empty one": {"arm64": binaries["arm64"], "amd64": {}},
	} {
		if _, err := image.Index("stats", []string{"arm64", "amd64"}, had); err == nil || !strings.Contains(err.Error(), "image stats for linux/amd64") {
			t.Errorf("%s: got %v, want it refused by its platform", what, err)
		}
	}
}

func TestEqualBinariesBecomeEqualDigests(t *testing.T) {
	once := index(t, "stats", "arm64", "amd64")
	if again := index(t, "stats", "arm64", "amd64"); digest(t, once) != digest(t, again) {
		t.Error("a second index differs")
	}
	if other := index(t, "profile", "arm64", "amd64"); digest(t, once) == digest(t, other) {
		t.Error("another program's index is the same")
	}
	// A registry keeps the surroundings once.
	one, other := images(t, once)["linux/arm64/v8"], images(t, index(t, "profile", "amd64"))["linux/amd64"]
	if a, b := layers(t, one), layers(t, other); digest(t, a[0]) != digest(t, b[0]) {
		t.Error("surroundings differ between programs")
	}
}

func layers(t *testing.T, one v1.Image) []v1.Layer {
	t.Helper()
	all, err := one.Layers()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRootsAreThoseThatAWSIsSignedBy(t *testing.T) {
	of := entries(t, images(t, index(t, "stats", "arm64"))["linux/arm64/v8"])
	rest := of[0][len(of[0])-1].content
	names := make(map[string]bool)
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		root, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		names[root.Subject.CommonName] = true
	}
	for _, name := range []string{"Amazon Root CA 1", "Amazon Root CA 2", "Amazon Root CA 3", "Amazon Root CA 4"} {
		if !names[name] {
			t.Errorf("no %s among %d certificates", name, len(names))
		}
	}
}

func TestALayoutIsTheIndexAndAsLargeAsItSays(t *testing.T) {
	idx := index(t, "stats", "arm64", "amd64")
	dir := filepath.Join(t.TempDir(), "stats")
	if err := image.Write(dir, idx); err != nil {
		t.Fatal(err)
	}
	read, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := read.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Digest.String() != digest(t, idx) {
		t.Errorf("the layout has %v, want %s alone", manifest.Manifests, digest(t, idx))
	}
	if err := validate.Index(read); err != nil {
		t.Error(err)
	}
	blobs, err := os.ReadDir(filepath.Join(dir, "blobs", "sha256"))
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, blob := range blobs {
		info, err := blob.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if said, err := image.Bytes(idx); err != nil || said != size {
		t.Errorf("says %d bytes (%v), has %d", said, err, size)
	}
}
