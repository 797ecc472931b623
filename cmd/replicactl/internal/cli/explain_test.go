package cli

import (
	"errors"
	"testing"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/explain"
)

func TestWhatIsWrongComesBeforeWhatIsNotKnown(t *testing.T) {
	for name, c := range map[string]struct {
		states []explain.State
		want   error
	}{
		"all is right":                       {[]explain.State{explain.StateInStep, explain.StateNothing}, nil},
		"one is not known":                   {[]explain.State{explain.StateInStep, explain.StateUnknown}, errSaid},
		"not all copies were looked at":      {[]explain.State{explain.StateInPart, explain.StateInStep}, errSaid},
		"one is wrong, another not known":    {[]explain.State{explain.StateUnknown, explain.StateMissed}, errDrift},
		"one is wrong, another known partly": {[]explain.State{explain.StateInPart, explain.StateMissed}, errDrift},
	} {
		facts := &explain.Facts{}
		for _, state := range c.states {
			facts.Subscribers = append(facts.Subscribers, explain.Subscriber{Verdict: explain.Verdict{State: state}})
		}
		if got := worst(facts); !errors.Is(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
