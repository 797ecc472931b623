package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/target"
)

// Flags that several verbs have, completed from the manifests.

func (g *globals) contractFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "contract", "", "the contract, as in company.profile/v1")
	complete(cmd, "contract", g.completeContracts)
}

// subscriberFlag is called --to where something is sent, --subscriber where
// something is looked at.
func (g *globals) subscriberFlag(cmd *cobra.Command, into *string, name, usage string) {
	cmd.Flags().StringVar(into, name, "", usage)
	complete(cmd, name, g.completeSubscribers)
}

func applyFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "apply", false, "carry the plan out")
}

// needs makes flags obligatory: a verb without one of them is wrong usage.
func needs(cmd *cobra.Command, flags ...string) {
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		var missing []string
		for _, name := range flags {
			if f := cmd.Flags().Lookup(name); f == nil || f.Value.String() == "" {
				missing = append(missing, "--"+name)
			}
		}
		if len(missing) > 0 {
			return &usageError{fmt.Errorf("%s needs %s", cmd.Name(), strings.Join(missing, " and "))}
		}
		return nil
	}
}

// noArguments refuses arguments as wrong usage.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	cmd.Flags().Visit(func(f *pflag.Flag) { // --watch 5s
		if f.NoOptDefVal != "" && f.Value.Type() != "bool" {
			hint = fmt.Sprintf("; a value of --%s is joined to it: --%s=%s", f.Name, f.Name, args[0])
		}
	})
	return &usageError{fmt.Errorf("%s takes no argument, and %q is one%s", cmd.Name(), args[0], hint)}
}

// arguments asks for these arguments, no more and no fewer.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return &usageError{fmt.Errorf("%s takes %s, and there are %d arguments", cmd.Name(), strings.Join(names, " and "), len(args))}
		}
		return nil
	}
}

type completion = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// complete registers what a flag is completed with.
func complete(cmd *cobra.Command, flag string, with completion) {
	if err := cmd.RegisterFlagCompletionFunc(flag, with); err != nil {
		panic(err) // the verb has no such flag, or registers it twice
	}
}

func (g *globals) completeContracts(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return g.completed((*target.Set).Contracts)
}

// completeSubscribers keeps to the contract where one was named already.
func (g *globals) completeSubscribers(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	contract := ""
	if f := cmd.Flags().Lookup("contract"); f != nil {
		contract = f.Value.String()
	}
	return g.completed(func(s *target.Set) []string { return s.Subscribers(contract) })
}

func (g *globals) completeTables(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return g.completed((*target.Set).Tables)
}

func (g *globals) completeTopics(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return g.completed((*target.Set).Topics)
}

// completed reads the manifests and nothing else: pressing the tab key costs no
// request. Manifests that are malformed take no part.
func (g *globals) completed(names func(*target.Set) []string) ([]string, cobra.ShellCompDirective) {
	manifests, _ := g.load() // a completion has nobody to tell an error to
	return slices.Clip(names(target.New(manifests))), cobra.ShellCompDirectiveNoFileComp
}
