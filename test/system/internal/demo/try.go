package demo

import (
	"fmt"
	"net/url"

	"github.com/tributary-dev/tributary/test/system/internal/input"
	"github.com/tributary-dev/tributary/test/system/internal/stack"
)

// showWhatToTry prints commands for the running system.
func (r *run) showWhatToTry(system *stack.System) {
	subject := r.subject()
	profile := fmt.Sprintf("%s/companies/%s", system.ProfileURL, subject.CIK)
	stats := fmt.Sprintf("%s/companies/%s/statistics", system.StatsURL, subject.CIK)
	list := system.StatsURL + "/watchlists/me"
	type step struct{ why, command string }
	steps := []step{
		{fmt.Sprintf("Rename %s, and see the new name in stats:", subject.Profile.Name),
			fmt.Sprintf("curl -s -X PATCH -H 'Content-Type: application/merge-patch+json' -d '{\"name\":\"A New Name\"}' %s\n  curl -s %s", profile, stats)},
		{"Watch it: the entry carries the name, and follows it:",
			fmt.Sprintf("curl -s -X PUT %s/companies/%s\n  curl -s %s", list, subject.CIK, list)},
		{"Delete it: it is gone at profile, and its statistics stay without a name:",
			fmt.Sprintf("curl -s -X DELETE %s\n  curl -s -w '%%{http_code}\\n' %s\n  curl -s %s", profile, profile, stats)},
	}
	if subject.Profile.Sector != nil && *subject.Profile.Sector != "" {
		steps = append(steps, step{"A sector's leaderboard:", fmt.Sprintf("curl -s '%s/sectors/%s/leaderboard?limit=5'", system.StatsURL, url.PathEscape(*subject.Profile.Sector))})
	}
	steps = append(steps,
		step{"How many changes the copies took, with the seconds of lag in all, and what the relay did:",
			fmt.Sprintf("curl -s %s/metrics | grep -E '^tributary_apply_lag_seconds_(count|sum)'\n  curl -s %s/metrics | grep '^tributary_' | grep -v _bucket", system.StatsURL, system.RelayURL)},
		step{"Kill the consumer; it is started again and catches up:", fmt.Sprintf("kill -9 %d", system.Pid(stack.Stats))},
	)
	if system.AWS.AllLocal() {
		env := fmt.Sprintf("export AWS_ENDPOINT_URL=%s AWS_REGION=%s AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local", system.LocalAWSURL, system.AWS.Region)
		steps = append(steps, step{"Operate it: what there is, whether every copy is right, and why one is as it is:",
			fmt.Sprintf("%s\n  bin/replicactl status\n  bin/replicactl reconcile --contract %s --subscriber %s --settle 1s\n  bin/replicactl explain %s %s", env, contract, subscriber, contract, subject.CIK)})
	}
	if system.LocalAWSURL != "" {
		steps = append(steps, step{"Look inside with the AWS CLI:",
			fmt.Sprintf("AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local aws --endpoint-url %s --region %s dynamodb get-item --table-name company-stats --key '{\"cik\":{\"S\":\"%s\"}}'", system.LocalAWSURL, system.AWS.Region, subject.CIK)})
	}
	r.screen.heading("It is running. Try:")
	for _, s := range steps {
		r.screen.say("\n  # %s\n  %s", s.why, s.command)
	}
	r.screen.say("\n%s", r.screen.good("Ctrl-C stops it all."))
}

// subject is a company to try things with: the initial load's largest that has
// both a profile and figures, or else its first.
func (r *run) subject() input.ProfileChange {
	e := expect(r.data.initial, r.data.statistics, nil)
	sector := e.leadingSector()
	for _, c := range r.data.initial {
		if c.Profile.Sector != nil && *c.Profile.Sector == sector && len(e.statistics[c.CIK]) > 0 {
			return c
		}
	}
	if len(r.data.initial) > 0 {
		return r.data.initial[0]
	}
	return input.ProfileChange{CIK: "320193", Profile: input.Profile{Name: "a company"}}
}
