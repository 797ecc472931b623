package manifest

import (
	"encoding/json"
	"slices"
)

// AudienceAll is the audience of a change that is for every subscriber.
const AudienceAll = "all"

// FilterPolicy returns the SNS filter policy of the service's subscription, on
// message attributes: changes for everybody or for this service that may have
// touched one of the subscribed attributes. A backfill, a delete and a canary
// list them all in changed. It is the same text each time.
func (s Subscription) FilterPolicy(service string) string {
	policy := struct {
		Audience []string `json:"audience"`
		Changed  []string `json:"changed"`
	}{Audience: []string{AudienceAll, service}, Changed: slices.Clone(s.Attributes)}
	slices.Sort(policy.Changed)
	text, _ := json.Marshal(policy) // a struct of strings always has JSON
	return string(text)
}
