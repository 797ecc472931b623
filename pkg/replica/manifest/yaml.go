package manifest

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// Duration is a time.Duration written as in Go: 30s, 5m.
type Duration time.Duration

// Std returns the duration as Go's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String returns the duration as it is written: 30s.
func (d Duration) String() string { return time.Duration(d).String() }

// Seconds returns the whole seconds, as SQS counts.
func (d Duration) Seconds() int { return int(time.Duration(d) / time.Second) }

// MarshalYAML writes the duration as its text.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// UnmarshalYAML reads the duration's text.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	var text string
	if err := n.Decode(&text); err != nil {
		return err
	}
	length, err := time.ParseDuration(text)
	*d = Duration(length)
	return err
}

// MarshalYAML writes the attribute's name alone where that says everything.
func (f From) MarshalYAML() (any, error) {
	if f.OmitEmpty {
		type fields From
		return fields(f), nil
	}
	return f.Attribute, nil
}

// UnmarshalYAML reads both forms.
func (f *From) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&f.Attribute)
	}
	type fields From
	return n.Decode((*fields)(f))
}

// UnmarshalYAML reads the template's text.
func (t *Template) UnmarshalYAML(n *yaml.Node) error {
	var text string
	if err := n.Decode(&text); err != nil {
		return err
	}
	parsed, err := ParseTemplate(text)
	*t = parsed
	return err
}
