package image

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// tagDigits are the digits of a digest that its tag has.
const tagDigits = 12

// Repository is a program's repository below the prefix, which begins with the
// registry's host, as in 000000000000.dkr.ecr.eu-west-1.amazonaws.com/tributary.
func Repository(prefix, program string) (name.Repository, error) {
	if strings.Contains(prefix, "://") {
		return name.Repository{}, fmt.Errorf("repositories below %q: a URL; want REGISTRY/PREFIX", prefix)
	}
	repository, err := name.NewRepository(strings.TrimSuffix(prefix, "/")+"/"+program, name.StrictValidation)
	if err != nil {
		return name.Repository{}, fmt.Errorf("repositories below %q: %w; want REGISTRY/PREFIX", prefix, err)
	}
	return repository, nil
}

// Push uploads the index to the repository and returns the reference by digest
// to run it by. What the repository has already is not sent again. Credentials
// are those that the user's Docker configuration has for the registry. The index
// is tagged with its digest's first digits: a registry may clear away what has
// no tag, and a tag that follows from the content never moves, so that the
// repository's tags may be immutable.
func Push(ctx context.Context, repo name.Repository, index v1.ImageIndex) (string, error) {
	digest, err := index.Digest()
	if err != nil {
		return "", fmt.Errorf("push %s: %w", repo, err)
	}
	tag := repo.Tag(digest.Hex[:tagDigits])
	if err := remote.WriteIndex(tag, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return "", fmt.Errorf("push %s: %w%s", repo, err, remedy(err, repo))
	}
	return repo.Digest(digest.String()).String(), nil
}

// remedy says what to do about a registry's answer.
func remedy(err error, repo name.Repository) string {
	answer, ok := errors.AsType[*transport.Error](err)
	if !ok {
		return ""
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("\nSign in to %s first, and mind that a password of ECR's is good for 12 hours; the credentials are read from the Docker configuration ($DOCKER_CONFIG or ~/.docker).", repo.RegistryStr())
	case http.StatusNotFound:
		return fmt.Sprintf("\nMake the repository %s first: ECR makes none by itself.", repo.RepositoryStr())
	}
	return ""
}
