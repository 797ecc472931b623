package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
)

// Retries of one AWS call, unless AWS_MAX_ATTEMPTS says otherwise: enough to
// ride out throttling, with delays that fit into a request's deadline.
const (
	maxAttempts = 5
	maxBackoff  = 2 * time.Second
)

// answerTimeout bounds each attempt of a call, to the end of its answer. The
// SDK's HTTP client has no limit of its own, and a peer that accepts a request
// and never answers would hold up a receive loop for good. A receive is answered
// after 20 s at the latest (AWS, "Amazon SQS short and long polling").
const answerTimeout = 30 * time.Second

// AWS reads the SDK's own variables and files: endpoint, region, credentials.
// The HTTP client keeps as many idle connections as there are calls in flight
// at full load, where the SDK's default of ten per host would open and close
// one for most calls. Request bodies are whole (package wholebody): a lost answer
// to a receive would hold up its messages for a visibility timeout.
//
// What the SDK itself has to say goes to the logger.
func AWS(ctx context.Context, cfg Config, logger *slog.Logger) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 2*cfg.MaxInFlight + 128
		t.MaxIdleConns = 2 * t.MaxIdleConnsPerHost
	}).WithTimeout(answerTimeout)
	loaded, err := awsconfig.LoadDefaultConfig(ctx,
		awsconfig.WithHTTPClient(client),
		awsconfig.WithServiceOptions(wholebody.ServiceOption),
		awsconfig.WithLogger(sdkLogger(logger)),
		awsconfig.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = maxAttempts
				o.MaxBackoff = maxBackoff
			})
		}))
	if err != nil {
		return aws.Config{}, fmt.Errorf("configuration: AWS: %w", err)
	}
	if loaded.Region == "" {
		return aws.Config{}, errors.New("configuration: AWS_REGION: missing: set it to the region of the tables, us-east-1 for localaws")
	}
	return loaded, nil
}

func sdkLogger(logger *slog.Logger) logging.Logger {
	return logging.LoggerFunc(func(class logging.Classification, format string, args ...any) {
		level := slog.LevelDebug
		if class == logging.Warn {
			level = slog.LevelWarn
		}
		logger.Log(context.Background(), level, "AWS SDK", "says", fmt.Sprintf(format, args...))
	})
}
