package bootstrap

import (
	"errors"

	"github.com/aws/smithy-go"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
)

// onAWS is what a service without an endpoint of its own is reached at.
const onAWS = connect.OnAWS

func (b *Bootstrapper) endpoints() map[string]string {
	return map[string]string{
		"dynamodb": b.Endpoint(connect.DynamoDB),
		"sns":      b.Endpoint(connect.SNS),
		"sqs":      b.Endpoint(connect.SQS),
	}
}

// declines reports whether an endpoint that is not AWS does not know a value
// that AWS takes. On AWS such an error is one.
func declines(endpoint string, err error) bool {
	var api smithy.APIError
	if endpoint == onAWS || !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode() {
	case "InvalidAttributeValue", "InvalidAttributeName", "InvalidParameterValue", "InvalidParameter":
		return true
	}
	return false
}
