// Package image makes OCI images of static binaries, on nothing: an image has
// the binary, CA certificates, and the names of root and of the user it runs as,
// 65532. There is no shell, no package manager and no place to write to.
//
// It promises that equal binaries become equal digests, that the layer with the
// surroundings is the same in every image, and that Push can be repeated. It
// needs no container engine. It does not promise that a program finds time zones
// or a directory for temporary files: there are none.
package image

import (
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// User is who an image's program runs as, by number, so that ECS and Kubernetes
// see without the image's files that it is not root.
const User = "65532:65532"

// Index is an index of one image per architecture, each of which starts the
// binary for it, as /name. The order of architectures is that of the index.
func Index(name string, architectures []string, binaries map[string][]byte) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range architectures {
		if len(binaries[arch]) == 0 {
			return nil, fmt.Errorf("image %s for linux/%s: there is no binary for it", name, arch)
		}
		one, err := single(name, arch, binaries[arch])
		if err != nil {
			return nil, fmt.Errorf("image %s for linux/%s: %w", name, arch, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        one,
			Descriptor: v1.Descriptor{Platform: platform(arch)},
		})
	}
	return index, nil
}

func platform(arch string) *v1.Platform {
	p := &v1.Platform{OS: "linux", Architecture: arch}
	if arch == "arm64" {
		p.Variant = "v8"
	}
	return p
}

func single(name, arch string, binary []byte) (v1.Image, error) {
	around, err := layer(surroundings())
	if err != nil {
		return nil, err
	}
	program, err := layer([]file{{path: name, mode: 0o555, content: binary}})
	if err != nil {
		return nil, err
	}
	one := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	one, err = mutate.Append(one,
		mutate.Addendum{Layer: around, History: history("CA certificates and the names of users")},
		mutate.Addendum{Layer: program, History: history("/" + name)})
	if err != nil {
		return nil, err
	}
	config, err := one.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = "linux", arch, platform(arch).Variant
	config.Created = v1.Time{Time: everyEpoch}
	config.Config = v1.Config{User: User, Entrypoint: []string{"/" + name}, WorkingDir: "/"}
	return mutate.ConfigFile(one, config)
}

func history(by string) v1.History {
	return v1.History{Created: v1.Time{Time: everyEpoch}, CreatedBy: by}
}

// Write writes the index as an OCI image layout into the directory, which it
// makes.
func Write(dir string, index v1.ImageIndex) error {
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendIndex(index)
	}
	if err != nil {
		return fmt.Errorf("layout %s: %w", dir, err)
	}
	return nil
}

// Bytes is what the registry keeps of the index: manifests, configurations and
// compressed layers, each once.
func Bytes(index v1.ImageIndex) (int64, error) {
	sizes := make(map[v1.Hash]int64)
	manifests, err := index.IndexManifest()
	if err != nil {
		return 0, err
	}
	for _, descriptor := range manifests.Manifests {
		sizes[descriptor.Digest] = descriptor.Size
		one, err := index.Image(descriptor.Digest)
		if err != nil {
			return 0, err
		}
		manifest, err := one.Manifest()
		if err != nil {
			return 0, err
		}
		sizes[manifest.Config.Digest] = manifest.Config.Size
		for _, l := range manifest.Layers {
			sizes[l.Digest] = l.Size
		}
	}
	total, err := index.Size()
	for _, size := range sizes {
		total += size
	}
	return total, err
}
