package image_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/tributary-dev/tributary/deploy/package/internal/image"
)

// signIn leaves the credentials where docker login and the like leave them.
func signIn(t *testing.T, host, password string) {
	t.Helper()
	dir := t.TempDir()
	auth := base64.StdEncoding.EncodeToString([]byte("AWS:" + password))
	config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, auth)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_CONFIG", dir)
}

// ecr is a registry that lets AWS in by password, like ECR, and counts what is
// uploaded and put.
func ecr(t *testing.T) (host string, writes *atomic.Int64) {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	writes = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "right" {
			w.Header().Set("WWW-Authenticate", `Basic realm="ecr"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.HasPrefix(r.URL.Path, "/v2/missing/") && r.Method != http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"errors": [{"code": "NAME_UNKNOWN", "message": "The repository does not exist"}]}`)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			writes.Add(1)
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), writes
}

func TestPushedIsWhatWasBuiltAndRepeatingSendsNothing(t *testing.T) {
	host, writes := ecr(t)
	signIn(t, host, "right")
	idx := index(t, "stats", "arm64", "amd64")
	repository, err := image.Repository(host+"/tributary/", "stats")
	if err != nil {
		t.Fatal(err)
	}
	reference, err := image.Push(t.Context(), repository, idx)
	if err != nil {
		t.Fatal(err)
	}
	if want := host + "/tributary/stats@" + digest(t, idx); reference != want {
		t.Errorf("reference %s, want %s", reference, want)
	}
	for _, ref := range []string{reference, host + "/tributary/stats:" + strings.TrimPrefix(digest(t, idx), "sha256:")[:12]} {
		parsed, err := name.ParseReference(ref)
		if err != nil {
			t.Fatal(err)
		}
		pulled, err := remote.Index(parsed, remote.WithAuthFromKeychain(authn.DefaultKeychain))
		if err != nil {
			t.Fatal(err)
		}
		if digest(t, pulled) != digest(t, idx) {
			t.Errorf("%s is another index", ref)
		}
		if err := validate.Index(pulled); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	if writes.Swap(0) == 0 {
		t.Fatal("the registry saw no writes")
	}
	if again, err := image.Push(t.Context(), repository, idx); err != nil || again != reference || writes.Load() != 0 {
		t.Errorf("again: %s, %v, %d writes; want the same and none", again, err, writes.Load())
	}
}

func TestARefusedPushSaysWhatToDo(t *testing.T) {
	for what, test := range map[string]struct{ password, prefix, want string }{
		"without the right password": {"wrong", "tributary", "Sign in to "},
		"without the repository":     {"right", "missing", "Make the repository missing/stats first"},
	} {
		t.Run(what, func(t *testing.T) {
			host, _ := ecr(t)
			signIn(t, host, test.password)
			repository, err := image.Repository(host+"/"+test.prefix, "stats")
			if err != nil {
				t.Fatal(err)
			}
			_, err = image.Push(t.Context(), repository, index(t, "stats", "arm64"))
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "push "+host) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestARepositoryBeginsWithItsRegistry(t *testing.T) {
	for _, prefix := range []string{"", "tributary", "https://registry.example/tributary", "registry.example/Tributary"} {
		if _, err := image.Repository(prefix, "stats"); err == nil || !strings.Contains(err.Error(), "want REGISTRY/PREFIX") {
			t.Errorf("%q: got %v, want it refused", prefix, err)
		}
	}
}
