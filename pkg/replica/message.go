package replica

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// NewMessage makes the Watermill message that carries a change: the event in
// the payload, what filter policies look at in the metadata. The audience is
// AudienceAll or one subscriber's name. An error is a *RejectedError: the
// change can never travel.
func NewMessage(ctx context.Context, c *contracts.Change, audience string) (*message.Message, error) {
	body, err := contracts.Encode(c)
	if err != nil {
		return nil, &RejectedError{Reason: "state violates the contract", Err: err}
	}
	changed, err := json.Marshal(c.Changed)
	if err != nil {
		return nil, &RejectedError{Reason: "state violates the contract", Err: fmt.Errorf("changed: %w", err)}
	}
	msg := message.NewMessage(watermill.NewUUID(), body)
	msg.SetContext(ctx)
	msg.Metadata.Set(MetadataType, eventType(c))
	msg.Metadata.Set(MetadataOperation, string(c.Operation))
	msg.Metadata.Set(MetadataChanged, string(changed))
	msg.Metadata.Set(MetadataOrigin, string(c.Origin))
	msg.Metadata.Set(MetadataAudience, audience)
	return msg, nil
}

func eventType(c *contracts.Change) string {
	switch c.Operation {
	case contracts.Canary:
		return contracts.CanaryType
	case contracts.Delete:
		return c.Contract.DeletedType()
	default:
		return c.Contract.ChangedType()
	}
}
