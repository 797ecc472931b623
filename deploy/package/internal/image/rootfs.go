package image

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"path"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// RootsPath is where Go looks for CA certificates first on Linux (crypto/x509,
// SystemCertPool).
const RootsPath = "etc/ssl/certs/ca-certificates.crt"

const (
	passwd = "root:x:0:0:root:/:/nonexistent\nnonroot:x:65532:65532:nonroot:/:/nonexistent\n"
	group  = "root:x:0:\nnonroot:x:65532:\n"
)

// everyEpoch is when everything in an image was made, as far as it says.
var everyEpoch = time.Unix(0, 0).UTC()

// file is one regular file of an image, root's, which nobody may write.
type file struct {
	path    string // without a leading slash
	mode    int64
	content []byte
}

// surroundings are the files that every program gets beside itself.
func surroundings() []file {
	return []file{
		{path: "etc/group", mode: 0o444, content: []byte(group)},
		{path: "etc/passwd", mode: 0o444, content: []byte(passwd)},
		{path: RootsPath, mode: 0o444, content: roots()},
	}
}

// roots are the CA certificates that Mozilla's programs trust, as PEM. Those
// that it trusts under conditions only are left out: a file of certificates
// cannot tell the conditions.
func roots() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			// A bytes.Buffer takes everything.
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return out.Bytes()
}

// layer is a layer with the files and the directories above them, by name.
func layer(files []file) (v1.Layer, error) {
	content, err := archive(files)
	if err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(9), tarball.WithCompressedCaching)
}

func archive(files []file) ([]byte, error) {
	entries := make(map[string]*file) // nil for a directory
	for _, f := range files {
		entries[f.path] = &f
		for dir := path.Dir(f.path); dir != "."; dir = path.Dir(dir) {
			entries[dir+"/"] = nil
		}
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range names {
		header := &tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o555, ModTime: everyEpoch, Format: tar.FormatUSTAR}
		var content []byte
		if f := entries[name]; f != nil {
			content = f.content
			header.Typeflag, header.Mode, header.Size = tar.TypeReg, f.mode, int64(len(content))
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("tar %s: %w", name, err)
		}
		if _, err := w.Write(content); err != nil {
			return nil, fmt.Errorf("tar %s: %w", name, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("tar: %w", err)
	}
	return out.Bytes(), nil
}
