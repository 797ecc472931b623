package stack

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
)

const there = "http://127.0.0.1:9999"

func TestLocalAWSServesOnlyWhatIsNotPointedElsewhere(t *testing.T) {
	for _, c := range []struct {
		behaviour   string
		environment map[string]string
		local       string
	}{
		{"nothing set", nil, "DynamoDB, DynamoDB Streams, SNS, SQS"},
		{"empty counts as not set", map[string]string{"AWS_ENDPOINT_URL": ""}, "DynamoDB, DynamoDB Streams, SNS, SQS"},
		{"one endpoint for all", map[string]string{"AWS_ENDPOINT_URL": there}, ""},
		{"one endpoint each", map[string]string{
			"AWS_ENDPOINT_URL_DYNAMODB": there, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": there, "AWS_ENDPOINT_URL_SNS": there, "AWS_ENDPOINT_URL_SQS": there,
		}, ""},
		{"DynamoDB elsewhere", map[string]string{"AWS_ENDPOINT_URL_DYNAMODB": there, "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": there}, "SNS, SQS"},
		{"SNS and SQS elsewhere", map[string]string{"AWS_ENDPOINT_URL_SNS": there, "AWS_ENDPOINT_URL_SQS": there}, "DynamoDB, DynamoDB Streams"},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			plan, err := PlanAWS(c.environment)
			if err != nil || plan.LocalServices() != c.local {
				t.Errorf("localaws serves %q, want %q (%v)", plan.LocalServices(), c.local, err)
			}
			env := plan.Environment(c.environment, "http://127.0.0.1:4566")
			for _, name := range serviceVariables {
				local := slices.Contains(env, name+"=http://127.0.0.1:4566")
				if local != slices.Contains(plan.Local, name) {
					t.Errorf("%s: local is %t in %q", name, local, env)
				}
			}
		})
	}
}

func TestServicesThatNeedEachOtherAreNotTornApart(t *testing.T) {
	for _, alone := range serviceVariables {
		if _, err := PlanAWS(map[string]string{alone: there}); err == nil || !strings.Contains(err.Error(), alone+" points elsewhere") {
			t.Errorf("%s alone: %v", alone, err)
		}
	}
	if _, err := PlanAWS(map[string]string{"AWS_ENDPOINT_URL": "127.0.0.1:4566"}); err == nil || err.Error() != `AWS_ENDPOINT_URL "127.0.0.1:4566": want a URL, as in http://127.0.0.1:4566` {
		t.Errorf("no URL: %v", err)
	}
	if _, err := PlanAWS(map[string]string{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}); err == nil {
		t.Error("endpoints that the SDK would ignore are accepted")
	}
}

func TestCredentialsOfTheUserGoNowhereButWhereTheUserPoints(t *testing.T) {
	own := map[string]string{"AWS_ACCESS_KEY_ID": "AKIAOWN", "AWS_SECRET_ACCESS_KEY": "own", "AWS_SESSION_TOKEN": "own", "AWS_PROFILE": "own"}
	for _, c := range []struct {
		behaviour string
		endpoint  string
		has       map[string]string
		key       string
	}{
		{"all local", "", own, "local"},
		{"elsewhere, with credentials", there, own, "AKIAOWN"},
		{"elsewhere, without", there, nil, "local"},
		{"AWS itself, from the SDK's other places", "https://sqs.us-east-1.amazonaws.com", nil, ""},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			environment := map[string]string{"AWS_ENDPOINT_URL": c.endpoint}
			maps.Copy(environment, c.has)
			plan, err := PlanAWS(environment)
			if err != nil {
				t.Fatal(err)
			}
			env := map[string]string{}
			for _, pair := range plan.Environment(environment, "http://127.0.0.1:4566") {
				name, value, _ := strings.Cut(pair, "=")
				env[name] = value
			}
			if env["AWS_ACCESS_KEY_ID"] != c.key || env["AWS_REGION"] != "us-east-1" {
				t.Errorf("key %q, want %q; region %q", env["AWS_ACCESS_KEY_ID"], c.key, env["AWS_REGION"])
			}
			if c.key == "local" && (env["AWS_PROFILE"] != "" || env["AWS_SESSION_TOKEN"] != "") {
				t.Errorf("the user's own remain: %v", env)
			}
		})
	}
}

func TestPortsAreReservedOrNamed(t *testing.T) {
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	_, err = Reserve(context.Background(), []Port{
		{Variable: "A_ADDR", Owner: "a", Addr: held.Addr().String()},
		{Variable: "B_ADDR", Owner: "b", Addr: "8081"},
		{Variable: "C_ADDR", Owner: "c", Addr: "127.0.0.1:0"},
	})
	if err == nil || !strings.Contains(err.Error(), "A_ADDR "+held.Addr().String()+" is in use") || !strings.Contains(err.Error(), `B_ADDR "8081"`) || strings.Contains(err.Error(), "C_ADDR") {
		t.Errorf("error: %v", err)
	}
	ports, err := Reserve(context.Background(), []Port{{Variable: "A_ADDR", Addr: "127.0.0.1:0"}, {Variable: "B_ADDR", Addr: "127.0.0.1:0"}})
	if err != nil || strings.HasSuffix(ports[0].Addr, ":0") || ports[0].Addr == ports[1].Addr {
		t.Errorf("%v, %v", ports, err)
	}
	everywhere, err := Reserve(context.Background(), []Port{{Variable: "A_ADDR", Addr: "0.0.0.0:0"}, {Variable: "B_ADDR", Addr: "localhost:0"}})
	if err != nil || !strings.HasPrefix(everywhere[0].Addr, "0.0.0.0:") || !strings.HasPrefix(everywhere[1].Addr, "localhost:") {
		t.Errorf("hosts do not stay as they were given: %v, %v", everywhere, err)
	}
	_, err = Reserve(context.Background(), []Port{{Variable: "A_ADDR", Addr: ports[0].Addr}, {Variable: "B_ADDR", Addr: ports[0].Addr}})
	if err == nil || !strings.Contains(err.Error(), "B_ADDR "+ports[0].Addr+" is A_ADDR's address too") {
		t.Errorf("one address twice: %v", err)
	}
}
