package dynamostore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/smithy-go"
)

// noIndex is that an index cannot be queried: it is not there, or DynamoDB still
// fills it.
type noIndex struct {
	table, index, said string
	cause              error
}

// Error is the consumer's log line, and a dead letter's detail once the retries
// are exhausted.
func (e *noIndex) Error() string {
	return fmt.Sprintf("index %s of table %s is not there, or is still being built (%s): make it with terraform apply or replicactl bootstrap --apply, and wait until it is ACTIVE; until then the message stays, at last as a dead letter, which replicactl dlq redrive puts back",
		e.index, e.table, e.said)
}

// Unwrap returns what the SDK made of it.
func (e *noIndex) Unwrap() error { return e.cause }

// withoutIndex says of a query's error what is wrong where the index is. DynamoDB
// answers as it does any wrong query, with a ValidationException ("Query", Amazon
// DynamoDB API Reference), so that only the text tells.
func withoutIndex(err error, table, index string) error {
	api, answered := errors.AsType[smithy.APIError](err)
	if !answered || api.ErrorCode() != "ValidationException" {
		return err
	}
	for _, text := range []string{lacksIndex, "backfilling global secondary index"} {
		if strings.Contains(api.ErrorMessage(), text) {
			return &noIndex{table: table, index: index, said: api.ErrorMessage(), cause: err}
		}
	}
	return err
}
