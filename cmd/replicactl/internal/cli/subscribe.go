package cli

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/subscribe"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
)

// subscribeFlags are what subscribe was called with.
type subscribeFlags struct {
	contract, table     string
	attributes          list
	dir, module, source string
	apply               bool
}

func newSubscribe(g *globals) *cobra.Command {
	var f subscribeFlags
	cmd := &cobra.Command{
		Use:     "subscribe NEW",
		GroupID: groupBuild,
		Short:   "Write a new service that keeps copies of a contract",
		Long: `subscribe writes a new subscriber: services/NEW with its manifest, a consumer
that builds as it is, and a test that plays changes through topic, filter and
queue in memory; deploy/terraform/services/NEW, which deploys it; and the new
module's line in go.work. What is left to do is in internal/app/apply.go: the
service's own reaction to a change. Until then it keeps its copies and does
nothing else.

Without --apply it lists the files and writes nothing. With it, either all of
them are written or none. It never writes over a file, and a name that is taken
is refused. It asks AWS for nothing.`,
		Example: `  replicactl subscribe news --contract company.profile/v1 --attributes name,sector
  replicactl subscribe news --contract company.profile/v1 --attributes name,sector --apply
  replicactl subscribe news --contract company.profile/v1 --attributes name --table news-companies --apply`,
		Args: arguments("NEW"),
		RunE: func(_ *cobra.Command, args []string) error { return runSubscribe(g, args[0], f) },
	}
	g.contractFlag(cmd, &f.contract)
	flags := cmd.Flags()
	flags.Var(&f.attributes, "attributes", "the contract's attributes to copy, with commas between them")
	flags.StringVar(&f.table, "table", "", "the table of the copies (default: NEW and the contract's name)")
	flags.StringVar(&f.dir, "dir", ".", "a directory of the Go workspace to add to")
	flags.StringVar(&f.module, "module", "", "the new module's path (default: beside the other services)")
	flags.StringVar(&f.source, "terraform-source", "", "the source of the Terraform module subscriber (default: Tributary's, by a relative path)")
	applyFlag(cmd, &f.apply)
	complete(cmd, "attributes", g.completeAttributes)
	needs(cmd, "contract", "attributes")
	return cmd
}

// newSubscriber is subscribe's result in JSON.
type newSubscriber struct {
	Module string   `json:"module"`
	Table  string   `json:"table"`
	Files  []string `json:"files"`
	// Next are the commands to go on with.
	Next []string `json:"next"`
}

func runSubscribe(g *globals, service string, f subscribeFlags) error {
	workspace, err := subscribe.FindWorkspace(f.dir)
	if err != nil {
		return fmt.Errorf("subscribe %s: %w", service, err)
	}
	if len(g.manifests) == 0 {
		g.manifests = []string{workspace.Root}
	}
	set, err := g.set()
	if err != nil {
		return fmt.Errorf("subscribe %s: the contract's owner has to be known, by the workspace's manifests or by --manifest: %w", service, err)
	}
	written, err := subscribe.New(subscribe.Config{
		Workspace: workspace, Set: set, Service: service, Contract: f.contract, Attributes: f.attributes,
		Table: f.table, Module: f.module, TerraformSource: f.source,
	})
	var wrong *subscribe.Wrong
	switch {
	case errors.As(err, &wrong):
		return &usageError{fmt.Errorf("subscribe %s: %w", service, err)}
	case err != nil:
		return fmt.Errorf("subscribe %s: %w", service, err)
	}
	p := plan{Verb: "subscribe", Counts: []planCount{{What: "files", N: int64(len(written.Files))}}}
	result := newSubscriber{Module: written.Module, Table: written.Table, Next: next(service, f.contract)}
	for _, file := range written.Files {
		p.Targets = append(p.Targets, planTarget{"file", file.Path, "created"})
		result.Files = append(result.Files, file.Path)
	}
	p.Targets = append(p.Targets, planTarget{"file", "go.work", "one module added"})
	p.Notes = []string{"module " + written.Module + ", in " + workspace.Root}
	shown := planned(p)
	g.showPlan(shown)
	if !f.apply {
		return g.finish(shown, false, nil, nil)
	}
	if err := written.Apply(); err != nil {
		return fmt.Errorf("subscribe %s: nothing was written: %w", service, err)
	}
	return g.finish(shown, true, result, func(out io.Writer) {
		fmt.Fprintf(out, "%d files written; next:\n", len(result.Files))
		for _, step := range result.Next {
			fmt.Fprintf(out, "  %s\n", step)
		}
	})
}

// next are the steps from a new subscriber to copies that are right.
func next(service, contract string) []string {
	home := path.Join("services", service)
	return []string{
		"(cd " + home + " && go test ./...)",
		"fill in Apply in " + home + "/internal/app/apply.go",
		"replicactl bootstrap --apply   # locally; on AWS terraform apply in deploy/terraform/services/" + service,
		"go run ./" + home + "/cmd/" + service,
		"replicactl backfill --contract " + contract + " --to " + service + " --apply",
		"replicactl reconcile --contract " + contract + " --subscriber " + service,
	}
}

// list is a flag of several values: with commas between them, or given again.
type list []string

func (l *list) Set(values string) error {
	for value := range strings.SplitSeq(values, ",") {
		if value = strings.TrimSpace(value); value != "" {
			*l = append(*l, value)
		}
	}
	return nil
}

func (l *list) String() string { return strings.Join(*l, ",") }

// Type is the word that help has for a value.
func (l *list) Type() string { return "list" }

// completeAttributes offers the attributes of the contract that was named, each
// after those that are there already.
func (g *globals) completeAttributes(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	known, ok := target.New(nil).Catalog().ByID(cmd.Flags().Lookup("contract").Value.String())
	if !ok {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	before := begun[:strings.LastIndexByte(begun, ',')+1]
	var offers []string
	for _, name := range known.Names() {
		if !strings.Contains(","+before, ","+name+",") {
			offers = append(offers, before+name)
		}
	}
	return offers, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}
