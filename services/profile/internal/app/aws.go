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

// Retries of one AWS call: enough to ride out throttling, with delays that fit
// into a request's deadline.
const (
	maxAttempts = 5
	maxBackoff  = 2 * time.Second
)

// maxIdleConnections is what the HTTP client keeps per host: about as many as
// there are calls at a time, where the SDK's default of ten would open and
// close one for most calls under load.
const maxIdleConnections = 256

// answerTimeout bounds each attempt of a call, to the end of its answer. The
// SDK's HTTP client has no limit of its own, and a peer that accepts a request
// and never answers would hold it up for good.
const answerTimeout = 20 * time.Second

// AWS reads the SDK's own variables and files: endpoint, region, credentials.
// Request bodies are whole, so that no answer is lost (package wholebody).
// What the SDK itself has to say goes to the logger, where by default it would
// write lines of its own form among the program's.
func AWS(ctx context.Context, logger *slog.Logger) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = maxIdleConnections
		t.MaxIdleConns = 2 * maxIdleConnections
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
