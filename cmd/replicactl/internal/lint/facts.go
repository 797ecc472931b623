package lint

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
	"github.com/tributary-dev/tributary/pkg/replica/redrive"
	"github.com/tributary-dev/tributary/pkg/replica/snspub"
)

// These is what this build's code does.
func These() Facts {
	const day = 24 * time.Hour
	return Facts{
		MessageAttributes:    messageAttributes,
		MaxMessageAttributes: snspub.MaxAttributes,
		ReplicaTombstone:     replica.ReplicaTombstoneLife,
		SourceTombstone:      replica.SourceTombstoneLife,
		Paths: map[string]time.Duration{
			// The most that SQS keeps a message (SQS, "SetQueueAttributes"), in the
			// queue and then, by its first enqueue, in the dead-letter queue.
			"a message in queue and dead-letter queue": 14 * day,
			"a redrive of a dead letter":               redrive.MaxAge,
		},
	}
}

// messageAttributes makes a change of the contract, a delete, which lists every
// attribute in changed, and counts what travels beside its body.
func messageAttributes(c *contracts.Contract) ([]string, error) {
	at := time.Unix(0, 0)
	change := &contracts.Change{Contract: c, Operation: contracts.Delete, Source: "/services/lint", Subject: "0",
		Version: contracts.VersionAt(at.Add(time.Second)), Origin: contracts.Live, Published: at, Changed: c.Names()}
	message, err := replica.NewMessage(context.Background(), change, replica.AudienceAll)
	if err != nil {
		return nil, err
	}
	return append(slices.Sorted(maps.Keys(message.Metadata)), "the message's UUID"), nil
}
