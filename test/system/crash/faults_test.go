package crash

import (
	"errors"
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"
)

// The faults are of use only if the SDK takes them for what they play.
func TestSDKTakesRefusedCallsForThrottling(t *testing.T) {
	h := newThrottle("127.0.0.1:1", 1) // nothing is behind it
	h.refuse(1, 1)
	server := httptest.NewServer(h)
	defer server.Close()
	endpoint, given := aws.String(server.URL), credentials.NewStaticCredentialsProvider("local", "local", "")
	for service, call := range map[string]func() error{
		"dynamodb ProvisionedThroughputExceededException": func() error {
			_, err := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: given, Retryer: aws.NopRetryer{}}).
				ListTables(t.Context(), &dynamodb.ListTablesInput{})
			return err
		},
		"sns ThrottlingException": func() error {
			_, err := sns.New(sns.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: given, Retryer: aws.NopRetryer{}}).
				ListTopics(t.Context(), &sns.ListTopicsInput{})
			return err
		},
		"sqs RequestThrottled": func() error {
			_, err := sqs.New(sqs.Options{Region: "us-east-1", BaseEndpoint: endpoint, Credentials: given, Retryer: aws.NopRetryer{}}).
				ListQueues(t.Context(), &sqs.ListQueuesInput{})
			return err
		},
	} {
		t.Run(service, func(t *testing.T) {
			err := call()
			throttle := retry.ThrottleErrorCode{Codes: retry.DefaultThrottleErrorCodes}
			if throttle.IsErrorThrottle(err) != aws.TrueTernary {
				var answered smithy.APIError
				t.Errorf("the SDK does not take it for throttling: %v (an API error: %t)", err, errors.As(err, &answered))
			}
		})
	}
	if counts := h.counts(); counts["dynamodb"] != 1 || counts["sns"] != 1 || counts["sqs"] != 1 {
		t.Errorf("counted %v, want one call of each service", counts)
	}
}

func TestPlanKillsEachProcessAboutAsOftenAndIsItsSeeds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, seed := rapid.IntRange(1, 100).Draw(t, "kills"), rapid.Uint64().Draw(t, "seed")
		plan, again := planKills(rand.New(rand.NewPCG(seed, 1)), n), planKills(rand.New(rand.NewPCG(seed, 1)), n)
		killed := map[string]int{}
		for i, k := range plan {
			if k != again[i] {
				t.Fatalf("kill %d is %v and %v of the same seed", i, k, again[i])
			}
			if k.after <= 0 || k.down < 0 || k.down > 2*time.Second {
				t.Errorf("kill %d: %+v", i, k)
			}
			killed[k.process]++
		}
		for _, process := range victims {
			if killed[process] < n/len(victims) || killed[process] > n/len(victims)+1 {
				t.Errorf("%s is killed %d times of %d", process, killed[process], n)
			}
		}
	})
}
