// Package tool finds Terraform and its AWS provider on this machine, and runs
// them on a copy of the project's configuration.
//
// It promises that nothing is written into the project or into the user's home,
// that the provider has the version that the configuration pins, and that what
// is not to be had is reported with the reason and what to do about it. It
// fetches from the registry at most once a Tool, and not at all where the user's
// own CLI configuration says otherwise.
package tool

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// atLeast is the oldest Terraform that the configuration allows, major and minor:
// the S3 backend's lock files came with it.
var atLeast = [2]int{1, 11}

// fetchWithin bounds the fetching of the provider, some 150 MB.
const fetchWithin = 10 * time.Minute

// Missing says what is not on this machine, and how it would be.
type Missing struct {
	What   string
	Err    error
	Advice string
}

// Error says what is missing, why and what to do.
func (m *Missing) Error() string { return fmt.Sprintf("%s: %v; %s", m.What, m.Err, m.Advice) }

// Unwrap returns the cause.
func (m *Missing) Unwrap() error { return m.Err }

// Tool is Terraform with the provider at hand. It is safe for concurrent use,
// in different directories.
type Tool struct {
	Version string // Terraform's
	Origin  string // where the provider is from, for people

	program string
	env     []string
}

// Find looks for Terraform on the PATH, and for the provider that a versions.tf
// pins: first where the user's own configuration says, which without one is the
// registry, and else in a mirror on this machine. It writes into scratch, which
// has to be there for as long as the Tool is used. What is not to be had is a
// *Missing.
func Find(ctx context.Context, versions, scratch string) (*Tool, error) {
	program, err := exec.LookPath("terraform")
	if err != nil {
		return nil, &Missing{What: "terraform", Err: err, Advice: fmt.Sprintf("install Terraform %d.%d or later and put it on the PATH", atLeast[0], atLeast[1])}
	}
	t := &Tool{program: program, env: environment()}
	if err := t.checkVersion(ctx, scratch); err != nil {
		return nil, err
	}
	pin, err := readPin(versions)
	if err != nil {
		return nil, err
	}
	mirror, err := t.provider(ctx, versions, pin, scratch)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(scratch, "mirror.tfrc")
	if err := os.WriteFile(config, []byte(mirrorConfig(mirror)), 0o600); err != nil {
		return nil, fmt.Errorf("configure terraform: %w", err)
	}
	t.env = append(t.env, "TF_CLI_CONFIG_FILE="+config)
	return t, nil
}

// environment is the user's, without what would change what is checked.
func environment() []string {
	env := make([]string, 0, len(os.Environ())+3)
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "TF_VAR_") || strings.HasPrefix(name, "TF_CLI_ARGS") || strings.HasPrefix(name, "AWS_") ||
			name == "TF_WORKSPACE" || name == "TF_DATA_DIR" {
			continue
		}
		env = append(env, pair)
	}
	// Credentials are the engine's that is applied to, and no others are looked for.
	return append(env, "CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1", "TF_INPUT=0",
		"AWS_ACCESS_KEY_ID=check", "AWS_SECRET_ACCESS_KEY=check", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
}

func (t *Tool) checkVersion(ctx context.Context, dir string) error {
	out, err := t.Run(ctx, dir, "version", "-json")
	if err != nil {
		return err
	}
	var said struct {
		Version string `json:"terraform_version"`
	}
	// Warnings may come before it.
	if at := strings.IndexByte(out.Text, '{'); at >= 0 {
		err = json.NewDecoder(strings.NewReader(out.Text[at:])).Decode(&said)
	}
	numbers := strings.Split(said.Version, ".")
	if err != nil || len(numbers) < 2 {
		return fmt.Errorf("ask terraform for its version: it said %q", out.Text)
	}
	major, _ := strconv.Atoi(numbers[0])
	minor, _ := strconv.Atoi(numbers[1])
	t.Version = said.Version
	if major < atLeast[0] || major == atLeast[0] && minor < atLeast[1] {
		return &Missing{
			What: "terraform", Err: fmt.Errorf("on the PATH is %s", said.Version),
			Advice: fmt.Sprintf("install %d.%d or later, which locks its state by a file in S3", atLeast[0], atLeast[1]),
		}
	}
	return nil
}

var pinned = regexp.MustCompile(`(?s)aws\s*=\s*\{[^}]*version\s*=\s*"([0-9]+\.[0-9]+\.[0-9]+)"`)

// readPin returns the version of the AWS provider that a versions.tf pins.
func readPin(versions string) (string, error) {
	text, err := os.ReadFile(versions)
	if err != nil {
		return "", fmt.Errorf("read the provider's version: %w", err)
	}
	found := pinned.FindSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("read the provider's version: %s pins none", versions)
	}
	return string(found[1]), nil
}

// provider returns the directory of a filesystem mirror that has the provider.
func (t *Tool) provider(ctx context.Context, versions, pin, scratch string) (string, error) {
	if named := os.Getenv(mirrorVariable); named != "" {
		if !holds(named, pin) {
			return "", &Missing{
				What: "the AWS provider", Err: fmt.Errorf("%s is %s, which has no %s of version %s for this platform", mirrorVariable, named, providerAddress, pin),
				Advice: "name the folder that has a folder " + providerHost + " in it, or unset the variable",
			}
		}
		t.Origin = mirrorVariable
		return named, nil
	}
	probe := filepath.Join(scratch, "probe")
	text, err := os.ReadFile(versions)
	if err == nil {
		err = os.MkdirAll(probe, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(probe, "versions.tf"), text, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("look for the provider: %w", err)
	}
	fetching, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	out, err := t.Run(fetching, probe, "init", "-backend=false", "-no-color")
	if err != nil {
		return "", err
	}
	if out.Code == 0 {
		t.Origin = "the user's configuration or the registry"
		return filepath.Join(probe, ".terraform", "providers"), nil // laid out as a mirror is
	}
	if found := search(usual(), pin); found != "" {
		t.Origin = "a mirror on this machine"
		return found, nil
	}
	return "", &Missing{
		What: "the AWS provider " + pin, Err: errors.New("the registry does not give it (" + out.reason() + "), and no mirror on this machine has it"),
		Advice: "give Terraform a way to the registry, or set " + mirrorVariable + " to the folder that holds " + providerHost + ", as `terraform providers mirror` writes it",
	}
}

// Output is what one run of Terraform came to.
type Output struct {
	Code int
	Text string // what it wrote, both streams in order
	Took time.Duration
}

var noise = regexp.MustCompile(`[│╷╵]|\x1b\[[0-9;]*m|\[[0-9;]*m`)

// Plain is the text as running words, without the frames and line ends that
// Terraform puts in.
func (o Output) Plain() string {
	return strings.Join(strings.Fields(noise.ReplaceAllString(o.Text, "")), " ")
}

// reason is the beginning of what an error says.
func (o Output) reason() string {
	text := o.Plain()
	if at := strings.Index(text, "Error: "); at >= 0 {
		text = text[at+len("Error: "):]
	}
	if len(text) > 300 {
		text = text[:300] + "..."
	}
	return text
}

// Run runs Terraform in a directory. A run that ends with another code than 0
// is no error: the code says it. When the context ends, Terraform is asked to
// stop, so that it lets go of its state.
func (t *Tool) Run(ctx context.Context, dir string, args ...string) (Output, error) {
	began := time.Now()
	cmd := exec.CommandContext(ctx, t.program, args...)
	cmd.Dir, cmd.Env = dir, t.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	err := cmd.Run()
	done := Output{Code: cmd.ProcessState.ExitCode(), Text: out.String(), Took: time.Since(began)}
	if cause := context.Cause(ctx); cause != nil {
		return done, fmt.Errorf("terraform %s: %w:\n%s", args[0], cause, &out)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return done, fmt.Errorf("terraform %s: %w", args[0], err)
	}
	return done, nil
}
