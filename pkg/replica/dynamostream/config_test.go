package dynamostream_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/replica/dynamostream"
)

func TestEveryProblemOfAConfigurationIsReported(t *testing.T) {
	_, err := dynamostream.NewPoller(dynamostream.PollerConfig{
		MaxBatchRecords: 1001, MaxHeldRecords: -1, IdleWait: -1, DiscoverEvery: -1, CheckpointEvery: -1,
		RetryWait: -1, MaxRetryWait: -1, DrainTimeout: -1, GiveUpAge: 24 * time.Hour,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, field := range []string{
		"Table", "Streams", "Relay", "Checkpoints", "MaxBatchRecords", "MaxHeldRecords", "IdleWait", "DiscoverEvery",
		"CheckpointEvery", "RetryWait", "MaxRetryWait", "GiveUpAge", "DrainTimeout",
	} {
		if !strings.Contains(err.Error(), field+": ") {
			t.Errorf("%s is not reported in: %v", field, err)
		}
	}
}
