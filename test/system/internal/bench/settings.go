package bench

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
)

// Settings are what Tributary and the floor have in common: batch sizes are
// AWS's largest, these say how much goes on at the same time.
type Settings struct {
	// Receivers are the receive loops.
	Receivers int `json:"receivers"`
	// InFlight bounds the messages received and not yet settled.
	InFlight int `json:"maxInFlight"`
	// Writers are the batches written at the same time.
	Writers int `json:"parallelBatches"`
	// Publishers are the PublishBatch requests at the same time.
	Publishers int `json:"parallelPublishes"`
	// RelayBatch are the records of one call of the relay: Lambda's default
	// for a DynamoDB stream.
	RelayBatch int `json:"relayBatch"`
}

// DefaultSettings are the library's defaults.
var DefaultSettings = Settings{Receivers: 8, InFlight: 200, Writers: 4, Publishers: 8, RelayBatch: 100}

const region, account = "us-east-1", "000000000000"

// Batch sizes: the most that AWS takes ("PublishBatch", "ReceiveMessage",
// "DeleteMessageBatch", "BatchExecuteStatement" in the API references).
const (
	messagesPerRequest   = 10
	statementsPerRequest = 25
)

// awsConfig reaches localaws and nothing else, with enough idle connections for
// every call in flight. Bodies are whole in every variant: a receive that the SDK
// loses otherwise keeps its messages invisible for half a minute, which is no
// property of any of them.
func awsConfig(endpoint string) aws.Config {
	return aws.Config{
		Region:       region,
		BaseEndpoint: aws.String(endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		HTTPClient: wholebody.Client(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConnsPerHost, t.MaxIdleConns = 528, 1056
			t.Proxy = nil
		})),
	}
}

// visibilityTimeout is what the subscriber's manifest says.
const visibilityTimeout = 30 * time.Second
