package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
)

// connect reads the SDK's own configuration. What the SDK would log is dropped:
// errors are returned, and the rest (a checksum that an engine other than AWS
// gets wrong, a line for every call) is not for an operator's terminal. Request
// bodies are whole, so that no answer is lost (package wholebody).
func connect(ctx context.Context) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{}), config.WithServiceOptions(wholebody.ServiceOption))
	if err != nil {
		return aws.Config{}, fmt.Errorf("AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, errors.New("AWS configuration: there is no region; set AWS_REGION, to any region's name for an endpoint of your own")
	}
	return cfg, nil
}
