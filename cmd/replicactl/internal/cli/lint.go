package cli

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lint"
	"github.com/tributary-dev/tributary/pkg/contracts/catalog"
)

func newLint(g *globals) *cobra.Command {
	var rules bool
	cmd := &cobra.Command{
		Use:     "lint",
		GroupID: groupBuild,
		Short:   "Check the manifests against the contracts and each other",
		Long: `lint checks every manifest in itself, against the contracts, and against the
other manifests. Each finding has its rule, its place, what is unsafe and why,
and the way out. All of them are found at once, also in manifests that are too
broken for a service to start with.

It reads files alone, asks no endpoint and changes nothing: it can run in every
build. --rules lists what is checked and why. Exit code 1 says that something
was found.`,
		Example: `  replicactl lint
  replicactl lint --manifest services/stats --json
  replicactl lint --rules`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if rules {
				return listRules(g)
			}
			return runLint(g)
		},
	}
	cmd.Flags().BoolVar(&rules, "rules", false, "list the rules and their reasons instead")
	return cmd
}

// lintReport is the JSON document of lint.
type lintReport struct {
	Manifests []string       `json:"manifests"`
	Findings  []lint.Finding `json:"findings"`
}

func runLint(g *globals) error {
	paths, err := g.manifestPaths()
	if err != nil {
		return err
	}
	findings, err := lint.Check(paths, catalog.All(), lint.These())
	if err != nil {
		return err
	}
	if g.json {
		err = printJSON(g.out, lintReport{Manifests: paths, Findings: findings})
	} else {
		writeFindings(g.out, len(paths), findings)
	}
	if err == nil && len(findings) > 0 {
		return errSaid
	}
	return err
}

func writeFindings(out io.Writer, manifests int, findings []lint.Finding) {
	for _, f := range findings {
		fmt.Fprintf(out, "%s: %s\n", f.Place(), f.Rule)
		what := f.What
		if f.Field != "" {
			what = f.Field + ": " + what
		}
		fmt.Fprintf(out, "  what     %s\n  why      %s\n  way out  %s\n", what, f.Why, f.WayOut)
	}
	if len(findings) == 0 {
		fmt.Fprintf(out, "nothing found: %d manifests are sound, alone and together\n", manifests)
		return
	}
	files := map[string]bool{}
	for _, f := range findings {
		files[f.Place()] = true
	}
	fmt.Fprintf(out, "\n%d findings at %d places\n", len(findings), len(files))
}

func listRules(g *globals) error {
	rules := slices.Clone(lint.Rules())
	if g.json {
		return printJSON(g.out, struct {
			Rules []lint.Rule `json:"rules"`
		}{rules})
	}
	table := tabwriter.NewWriter(g.out, 0, 0, 2, ' ', 0)
	for _, r := range rules {
		fmt.Fprintf(table, "%s\t%s\n\t  otherwise %s\n", r.ID, r.Says, r.Why)
	}
	return table.Flush()
}
