package terraform

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	if !*applied {
		t.Skip("it needs Terraform, moto and a few minutes: -apply")
	}
	t.Parallel()
	tf, project := terraform(t)
	a := startAccount(t)
	for place, text := range a.overrides() {
		write(t, filepath.Join(project, "deploy/terraform", filepath.FromSlash(place), "check_override.tf"), text)
	}
	var profile, stats, further service
	built := scratch + "/bin"
	together(t, "before anything is there", map[string]func(*testing.T){
		"the owner": func(t *testing.T) {
			zip, err := pack(t.Context(), filepath.Join(scratch, "package"))
			if err != nil {
				t.Fatal(err)
			}
			profile = a.open(t, tf, project, "profile", map[string]any{"relay_package": map[string]string{"path": zip}})
			buildServices(t, built)
		},
		"a subscriber's plan says that nobody publishes": func(t *testing.T) {
			stats = a.open(t, tf, project, "stats", nil)
			said := stats.plan(t, refused).Plain()
			for _, want := range []string{"company.profile/v1", "Apply"} {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q: %s", want, said)
				}
			}
			t.Log(said[strings.LastIndex(said, "Error: "):])
			a.heldState(t, stats)
		},
		"a new subscriber": func(t *testing.T) { further = a.newcomer(t, tf, project, built) },
	})
	profile.apply(t)
	together(t, "the subscribers", map[string]func(*testing.T){
		"stats":       func(t *testing.T) { stats.apply(t) },
		"the new one": func(t *testing.T) { further.apply(t) },
	})

	together(t, "what was applied", map[string]func(*testing.T){
		"the owner has nothing left to do": func(t *testing.T) {
			profile.plan(t, nothingToDo)
			defaults(t, project, "profile")
			profile.plan(t, nothingToDo, asKnown)
			said := profile.destroy(t, refused, asKnown).Plain()
			guarded(t, said, `module.table["companies"]`)
		},
		"the subscriber has nothing left to do": func(t *testing.T) {
			stats.plan(t, nothingToDo)
			defaults(t, project, "stats")
			stats.plan(t, nothingToDo, asKnown)
			said := stats.destroy(t, refused, asKnown).Plain()
			guarded(t, said, `module.table["company-stats"]`, `module.table["statistics"]`, `module.table["watchlists"]`)
		},
		"the new subscriber has nothing left to do": func(t *testing.T) { further.plan(t, nothingToDo) },
		"the services work on it":                   func(t *testing.T) { a.replicates(t, built) },
		"nobody deletes a table by hand": func(t *testing.T) {
			a.refusesToDelete(t, "companies", "company-stats", "statistics", "watchlists")
		},
	})

	a.keepsCopies(t, built)

	together(t, "the data may go", map[string]func(*testing.T){
		"the owner": func(t *testing.T) {
			profile.unguard(t)
			profile.apply(t, asKnown, unprotected)
		},
		"the subscriber": func(t *testing.T) {
			stats.unguard(t)
			stats.apply(t, asKnown, unprotected)
			stats.destroy(t, 0, asKnown, unprotected)
		},
		"the new subscriber": func(t *testing.T) { further.destroy(t, 0, asKnown) },
	})
	profile.plan(t, nothingToDo, unprotected)
	profile.destroy(t, 0, asKnown, unprotected)

	for _, s := range []service{profile, stats, further} {
		if left := strings.TrimSpace(must(t, tf, 0, s.dir, "state", "list").Text); left != "" {
			t.Errorf("%s still has\n%s", filepath.Base(s.dir), left)
		}
	}
	a.empty(t)
}

// heldState shows that the state is locked by a file beside it: where somebody
// holds it, nobody else goes on.
func (a account) heldState(t *testing.T, s service) {
	t.Helper()
	lock := "/" + states + "/check/" + filepath.Base(s.dir) + ".tfstate.tflock"
	a.call(t, http.MethodPut, lock, "s3", "held")
	if said := s.plan(t, refused).Plain(); !strings.Contains(said, "Error acquiring the state lock") {
		t.Errorf("a plan of a state that somebody holds says %s", said)
	}
	a.do(t, http.MethodDelete, lock, "s3", "", nil, http.StatusNoContent)
}

const (
	// unprotected lets DynamoDB delete tables, once Terraform may.
	unprotected = "-var=protected=false"
	// asKnown saves the look at every resource, where the step before has had it.
	asKnown = "-refresh=false"
)

// unguard takes the guards out of the state, as the README of module table has
// it for tables that may go.
func (s service) unguard(t *testing.T) {
	t.Helper()
	remove := []string{"state", "rm"}
	for address := range strings.Lines(must(t, s.tf, 0, s.dir, "state", "list").Text) {
		if address = strings.TrimSpace(address); strings.Contains(address, ".terraform_data.guard[") {
			remove = append(remove, address)
		}
	}
	must(t, s.tf, 0, s.dir, remove...)
}

// guarded looks for each table whose destruction has to be refused.
func guarded(t *testing.T, said string, tables ...string) {
	t.Helper()
	for _, table := range tables {
		if !strings.Contains(said, table+".terraform_data.guard[0] has lifecycle.prevent_destroy set") {
			t.Errorf("the destruction of %s is not refused: %s", table, said)
		}
	}
}

// refusesToDelete shows that DynamoDB itself keeps the tables, whoever asks.
func (a account) refusesToDelete(t *testing.T, tables ...string) {
	t.Helper()
	for _, table := range tables {
		answer := a.do(t, http.MethodPost, "/", "dynamodb", `{"TableName": "`+table+`"}`,
			map[string]string{"X-Amz-Target": "DynamoDB_20120810.DeleteTable", "Content-Type": "application/x-amz-json-1.0"}, http.StatusBadRequest)
		if !strings.Contains(strings.ToLower(answer), "protect") {
			t.Errorf("the deletion of %s: %s", table, answer)
		}
	}
}

// empty looks for what a destroy has forgotten. KMS keeps keys for a month.
func (a account) empty(t *testing.T) {
	t.Helper()
	for _, look := range []struct{ service, target, body string }{
		{"dynamodb", "DynamoDB_20120810.ListTables", `{}`},
		{"sqs", "AmazonSQS.ListQueues", `{}`},
		{"ssm", "AmazonSSM.GetParametersByPath", `{"Path": "/replication", "Recursive": true}`},
		{"logs", "Logs_20140328.DescribeLogGroups", `{}`},
	} {
		answer := a.do(t, http.MethodPost, "/", look.service, look.body,
			map[string]string{"X-Amz-Target": look.target, "Content-Type": "application/x-amz-json-1.0"}, http.StatusOK)
		if !listsNothing(answer) {
			t.Errorf("%s is not clean: %s", look.service, answer)
		}
	}
}

// listsNothing reports whether each list of an answer is empty.
func listsNothing(answer string) bool {
	var lists map[string][]any
	if err := json.Unmarshal([]byte(answer), &lists); err != nil {
		return false
	}
	for _, list := range lists {
		if len(list) > 0 {
			return false
		}
	}
	return true
}

func TestWhatIsLeftIsSeen(t *testing.T) {
	for answer, nothing := range map[string]bool{
		`{}`: true, `{"TableNames": []}`: true, `{"logGroups": [], "nextToken": null}`: true,
		`{"TableNames": ["companies"]}`: false, `{"QueueUrls": ["http://q"], "nextToken": null}`: false, `{"message": "no"}`: false,
	} {
		if listsNothing(answer) != nothing {
			t.Errorf("%s lists nothing: %t, want %t", answer, !nothing, nothing)
		}
	}
}
