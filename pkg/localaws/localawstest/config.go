// Package localawstest connects the AWS SDK to a localaws.Engine in tests.
//
// It promises a configuration that reaches the engine in memory and nothing
// else: no environment, no profile, no instance metadata and no network. It is
// the one part of localaws that depends on the SDK.
package localawstest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/tributary-dev/tributary/pkg/localaws"
)

// Endpoint is the address that clients made from Config believe to call. It
// is part of queue URLs and is never resolved.
const Endpoint = "http://localaws.test"

// Config returns an SDK configuration for the engine: its region, static
// credentials and its in-memory transport. Inside a testing/synctest bubble
// the SDK's retries back off in virtual time; the engine must then have been
// made inside the same bubble. The caller may change the result.
func Config(e *localaws.Engine) aws.Config {
	return aws.Config{
		Region:       e.Region(),
		Credentials:  credentials.NewStaticCredentialsProvider("localaws", "localaws", ""),
		HTTPClient:   e.HTTPClient(),
		BaseEndpoint: aws.String(Endpoint),
	}
}
