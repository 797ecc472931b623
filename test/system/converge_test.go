package system

import (
	"context"
	"maps"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
	"github.com/tributary-dev/tributary/test/system/internal/api"
	"github.com/tributary-dev/tributary/test/system/internal/input"
	"github.com/tributary-dev/tributary/test/system/internal/stack"
)

// files are the demo's arguments, read.
type files struct {
	changes    []input.ProfileChange
	statistics []input.Statistic
}

func readFiles(t *testing.T, arguments []string) files {
	t.Helper()
	var f files
	var err error
	if f.changes, err = input.ProfileChanges(arguments[1]); err != nil {
		t.Fatal(err)
	}
	if f.statistics, err = input.Statistics(arguments[3]); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestStatsStoppedForTheWholeLoadConverges(t *testing.T) {
	t.Parallel()
	env, arguments := ports.Environment(t), slice(t)
	system, f := startSystem(t, env), readFiles(t, arguments)
	if err := system.Halt(stack.Stats); err != nil {
		t.Fatal(err)
	}
	profile := api.NewProfile(system.ProfileURL)
	for _, c := range f.changes {
		var err error
		if c.Op == input.Put {
			_, err = profile.Put(t.Context(), c.CIK, c.Profile)
		} else {
			err = profile.Delete(t.Context(), c.CIK)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := system.Again(stack.Stats); err != nil {
		t.Fatal(err)
	}
	stats := api.NewStats(system.StatsURL)
	for _, s := range f.statistics {
		if err := stats.PutStatistic(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if code, said := run(t, env, append([]string{"check"}, arguments...)...); code != 0 {
		t.Errorf("exit code %d:\n%s", code, said)
	}
}

// content is what both services answer for a company, versions aside.
type content struct {
	Profile *input.Profile
	Stats   *api.Company
}

func contents(t *testing.T, system *stack.System, f files) map[string]content {
	t.Helper()
	profile, stats := api.NewProfile(system.ProfileURL), api.NewStats(system.StatsURL)
	all := map[string]content{}
	for cik := range input.Final(f.changes) {
		p, err := profile.Company(t.Context(), cik)
		if err != nil {
			t.Fatal(err)
		}
		s, err := stats.Company(t.Context(), cik)
		if err != nil {
			t.Fatal(err)
		}
		if s != nil {
			s.ProfileVersion = ""
		}
		all[cik] = content{p, s}
	}
	return all
}

func TestLoadingTwiceEndsWithTheSameContentAndDriftIsFound(t *testing.T) {
	t.Parallel()
	env, arguments := ports.Environment(t), slice(t)
	system, f := startSystem(t, env), readFiles(t, arguments)
	var after []map[string]content
	for range 2 {
		if code, said := run(t, env, append([]string{"load"}, arguments...)...); code != 0 {
			t.Fatalf("exit code %d:\n%s", code, said)
		}
		after = append(after, contents(t, system, f))
	}
	if diff := cmp.Diff(after[0], after[1]); diff != "" {
		t.Errorf("the second load left other content (-first +second):\n%s", diff)
	}

	const tampered = "40545"
	tamper(t, system, tampered)
	code, said := run(t, env, append([]string{"check", "-wait", "0s"}, arguments...)...)
	if code != 1 || !strings.Contains(said, "company "+tampered+": name is ") || !strings.Contains(said, `"Tampered" at stats`) || !strings.Contains(said, "1 differences") {
		t.Errorf("exit code %d, want 1 and the company named:\n%s", code, said)
	}
}

// tamper writes to the stats service's own table as no service does.
func tamper(t *testing.T, system *stack.System, cik string) {
	t.Helper()
	client := dynamodb.New(dynamodb.Options{
		Region: system.AWS.Region, BaseEndpoint: aws.String(system.LocalAWSURL),
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient:  wholebody.Client(awshttp.NewBuildableClient()),
	})
	_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("company-stats"), Key: map[string]types.AttributeValue{"cik": &types.AttributeValueMemberS{Value: cik}},
		UpdateExpression: aws.String("SET companyName = :n"), ConditionExpression: aws.String("attribute_exists(companyName)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":n": &types.AttributeValueMemberS{Value: "Tampered"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadsOfStatsWorkWhileProfileIsDown(t *testing.T) {
	t.Parallel()
	env, arguments := ports.Environment(t), slice(t)
	system, f := startSystem(t, env), readFiles(t, arguments)
	if code, said := run(t, env, append([]string{"load"}, arguments...)...); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, said)
	}
	for _, down := range []string{stack.Profile, stack.Relay} {
		if err := system.Halt(down); err != nil {
			t.Fatal(err)
		}
	}
	stats := api.NewStats(system.StatsURL)
	named := 0
	for cik, p := range input.Final(f.changes) {
		c, err := stats.Company(t.Context(), cik)
		if err != nil {
			t.Fatal(err)
		}
		if p == nil {
			continue
		}
		named++
		if c == nil || c.Name == nil || *c.Name != p.Name {
			t.Errorf("company %s: want the name %q: %+v", cik, p.Name, c)
		}
		board, err := stats.Leaderboard(t.Context(), *p.Sector, 5)
		if err != nil {
			t.Fatal(err)
		}
		if len(board) == 0 {
			t.Errorf("the leaderboard of %s is empty", *p.Sector)
		}
	}
	if named == 0 {
		t.Error("no company has a profile")
	}
	entries, err := stats.Watchlist(t.Context(), "demo-ada")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) == 0 {
		t.Error("the watchlist is empty")
	}
	if err := stats.PutStatistic(t.Context(), f.statistics[0]); err != nil {
		t.Errorf("statistics are not taken: %v", err)
	}
}

func TestLostEngineEndsTheSystemWithItsReason(t *testing.T) {
	t.Parallel()
	env := ports.Environment(t)
	system := startSystem(t, env)
	killProcess(t, system.Pid(stack.LocalAWS))
	<-system.Context().Done()
	if cause := context.Cause(system.Context()).Error(); !strings.Contains(cause, "localaws ended by itself: signal: killed") || !strings.Contains(cause, system.LogFile(stack.LocalAWS)) {
		t.Errorf("cause: %s", cause)
	}
}

func TestProcessThatCannotStartShowsItsLog(t *testing.T) {
	t.Parallel()
	env := maps.Clone(ports.Environment(t))
	env["REQUEST_TIMEOUT"] = "soon"
	_, err := stack.Start(t.Context(), stack.Config{Bin: bin, Root: root, Logs: t.TempDir(), Environment: env, Report: func(string) {}})
	if err == nil || !strings.Contains(err.Error(), "start profile: it ended with exit status 1") || !strings.Contains(err.Error(), "REQUEST_TIMEOUT") {
		t.Errorf("error: %v", err)
	}
	allFree(t, env)
}

var killCommand = regexp.MustCompile(`kill -9 (\d+)`)

// kill does what the demo suggests: kill -9 of the consumer.
func kill(t *testing.T, said string) {
	t.Helper()
	found := killCommand.FindStringSubmatch(said)
	if found == nil {
		t.Fatalf("it does not say how to kill the consumer:\n%s", said)
	}
	pid, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	killProcess(t, pid)
}

func killProcess(t *testing.T, pid int) {
	t.Helper()
	process, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
}
