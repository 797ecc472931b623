//go:build linux

package release_test

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"golang.org/x/crypto/x509roots/fallback/bundle"

	"github.com/tributary-dev/tributary/deploy/package/internal/compile"
	"github.com/tributary-dev/tributary/deploy/package/internal/image"
	"github.com/tributary-dev/tributary/deploy/package/internal/release"
)

// unpack puts the files of the layout's only image into a directory, with
// their modes, and returns it with the image's configuration.
func unpack(t *testing.T, path string) (string, *v1.ConfigFile) {
	t.Helper()
	outer, err := layout.ImageIndexFromPath(path)
	if err != nil {
		t.Fatal(err)
	}
	one, err := inside(outer)
	if err != nil {
		t.Fatal(err)
	}
	config, err := one.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "root")
	var directories []string
	make := func(name string, mode fs.FileMode) {
		if err := os.Mkdir(name, 0o755); err != nil {
			t.Fatal(err)
		}
		directories = append(directories, name)
		t.Cleanup(func() { _ = os.Chmod(name, 0o755) }) // or it is not removed
	}
	make(root, 0o555)
	content := mutate.Extract(one)
	defer func() { _ = content.Close() }()
	for r := tar.NewReader(content); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(root, header.Name)
		if header.Typeflag == tar.TypeDir {
			make(name, header.FileInfo().Mode())
			continue
		}
		file, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, file, header.FileInfo().Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range directories {
		if err := os.Chmod(name, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	return root, config
}

func inside(index v1.ImageIndex) (v1.Image, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	first := manifest.Manifests[0]
	if first.MediaType.IsImage() {
		return index.Image(first.Digest)
	}
	inner, err := index.ImageIndex(first.Digest)
	if err != nil {
		return nil, err
	}
	return inside(inner)
}

// start runs what the configuration says in the directory as a container
// runtime would, and returns what it wrote and its exit code. Where the machine
// lets nobody change the root directory the test is skipped.
func start(t *testing.T, root string, config *v1.ConfigFile, stdin []byte) (string, int) {
	t.Helper()
	command := &exec.Cmd{
		Path: config.Config.Entrypoint[0], Args: config.Config.Entrypoint, Env: []string{}, Dir: config.Config.WorkingDir,
		Stdin: bytes.NewReader(stdin), SysProcAttr: &syscall.SysProcAttr{Chroot: root},
	}
	if config.Config.User != "65532:65532" {
		t.Fatalf("the image's user is %q", config.Config.User)
	}
	if os.Getuid() == 0 {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: 65532, Gid: 65532}
	} else { // root of nothing but the files, then nobody
		command.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		command.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 65532, HostID: os.Getuid(), Size: 1}}
		command.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 65532, HostID: os.Getgid(), Size: 1}}
	}
	out, err := command.CombinedOutput()
	if errors.Is(err, fs.ErrPermission) {
		t.Skipf("this user may not start a program in another root directory: %v", err)
	}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatalf("start %s: %v", command.Path, err)
	}
	return string(out), command.ProcessState.ExitCode()
}

// packaged is the release of programs for this machine.
func packaged(t *testing.T, programs ...compile.Program) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "package")
	if _, err := release.Run(t.Context(), release.Config{Programs: programs, Architectures: []string{runtime.GOARCH}, Out: out}); err != nil {
		t.Fatal(err)
	}
	return out
}

// amazon is a root that AWS's certificates lead to.
func amazon(t *testing.T) []byte {
	t.Helper()
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		if certificate.Subject.CommonName == "Amazon Root CA 1" {
			return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	t.Fatal("no Amazon Root CA 1")
	return nil
}

func TestAProgramFindsWhatItNeedsInItsImageAndMayWriteNothing(t *testing.T) {
	module, err := filepath.Abs("testdata/probe")
	if err != nil {
		t.Fatal(err)
	}
	out := packaged(t, compile.Program{Name: "probe", Module: module, Package: "./cmd/probe"})
	root, config := unpack(t, filepath.Join(out, "probe"))
	got, code := start(t, root, config, amazon(t))
	want := "ids 65532 65532\nname nonroot\nenvironment 0\nno shell true\ntrusts Amazon Root CA 1 true\n"
	if diff := cmp.Diff(want, got); diff != "" || code != 0 {
		t.Errorf("exit code %d, facts (-want +got):\n%s", code, diff)
	}

	// It is the image's file that makes it trust.
	certificates := filepath.Join(root, image.RootsPath)
	if err := os.Chmod(filepath.Dir(certificates), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(certificates); err != nil {
		t.Fatal(err)
	}
	if got, _ := start(t, root, config, amazon(t)); !strings.Contains(got, "trusts Amazon Root CA 1 false\n") {
		t.Errorf("without the certificates:\n%s", got)
	}
}
