package app

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica/manifest"
	"github.com/tributary-dev/tributary/services/profile"
)

// declared returns what the service's manifest says, and its publication of
// the companies' profiles.
func declared() (*manifest.Manifest, manifest.Publication, error) {
	m, err := manifest.Parse(manifest.FileName, profile.Manifest)
	if err != nil {
		return nil, manifest.Publication{}, err
	}
	publication, ok := m.Publication(profilev1.Contract.ID())
	if !ok {
		return nil, manifest.Publication{}, fmt.Errorf("%s: the service has to publish %s", manifest.FileName, profilev1.Contract.ID())
	}
	return m, publication, nil
}

// newRegistry returns a registry with the metrics of the process itself.
func newRegistry() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}
