package replica

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// recordLetter makes the dead letter for a stream record: its body is the
// record as Lambda delivers it, so that tools for stream records read it.
func recordLetter(rec *Record, s *Source, subject string, cause error) (DeadLetter, error) {
	body, err := MarshalRecord(rec)
	if err != nil {
		return DeadLetter{}, err
	}
	letter := DeadLetter{
		Body:       body,
		Attributes: map[string]string{"contract": s.contract.ID(), "subject": subject},
		Reason:     "record cannot be published",
		Detail:     cause.Error(),
	}
	if rejected, ok := errors.AsType[*RejectedError](cause); ok {
		letter.Reason = rejected.Reason
	}
	return letter, nil
}

// MarshalRecord returns a stream record in the JSON form in which Lambda
// delivers it and its on-failure destination keeps it.
func MarshalRecord(rec *Record) ([]byte, error) {
	type change struct {
		Created        float64         `json:"ApproximateCreationDateTime"`
		Keys           json.RawMessage `json:"Keys,omitempty"`
		NewImage       json.RawMessage `json:"NewImage,omitempty"`
		OldImage       json.RawMessage `json:"OldImage,omitempty"`
		SequenceNumber string          `json:"SequenceNumber"`
		StreamViewType string          `json:"StreamViewType"`
	}
	type identity struct {
		Type        string `json:"type"`
		PrincipalID string `json:"principalId"`
	}
	out := struct {
		EventID      string    `json:"eventID"`
		EventName    EventName `json:"eventName"`
		EventSource  string    `json:"eventSource"`
		Change       change    `json:"dynamodb"`
		UserIdentity *identity `json:"userIdentity,omitempty"`
	}{
		EventID:     rec.EventID,
		EventName:   rec.EventName,
		EventSource: "aws:dynamodb",
		Change: change{
			Created:        float64(rec.Created.Unix()),
			SequenceNumber: rec.SequenceNumber,
			StreamViewType: "NEW_AND_OLD_IMAGES",
		},
	}
	if rec.ByTTL {
		out.UserIdentity = &identity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	}
	for _, image := range []struct {
		item contracts.Item
		into *json.RawMessage
	}{{rec.Keys, &out.Change.Keys}, {rec.New, &out.Change.NewImage}, {rec.Old, &out.Change.OldImage}} {
		if image.item == nil {
			continue
		}
		raw, err := json.Marshal(typedItem(image.item))
		if err != nil {
			return nil, fmt.Errorf("marshal record %s: %w", rec.EventID, err)
		}
		*image.into = raw
	}
	return json.Marshal(out)
}

// typedItem is an item in DynamoDB's JSON form: {"name": {"S": "x"}}.
func typedItem(item map[string]contracts.Value) map[string]any {
	out := make(map[string]any, len(item))
	for name, v := range item {
		out[name] = typedValue(v)
	}
	return out
}

func typedValue(v contracts.Value) map[string]any {
	switch v.Kind() {
	case contracts.KindString:
		return map[string]any{"S": v.Text()}
	case contracts.KindNumber:
		return map[string]any{"N": v.Text()}
	case contracts.KindBinary:
		return map[string]any{"B": base64.StdEncoding.EncodeToString(v.Bytes())}
	case contracts.KindBool:
		return map[string]any{"BOOL": v.Bool()}
	case contracts.KindList:
		list := make([]any, len(v.Elements()))
		for i, e := range v.Elements() {
			list[i] = typedValue(e)
		}
		return map[string]any{"L": list}
	case contracts.KindMap:
		return map[string]any{"M": typedItem(v.Fields())}
	case contracts.KindStringSet, contracts.KindNumberSet, contracts.KindBinarySet:
		members := make([]string, len(v.Elements()))
		for i, e := range v.Elements() {
			members[i] = e.Text()
			if v.Kind() == contracts.KindBinarySet {
				members[i] = base64.StdEncoding.EncodeToString(e.Bytes())
			}
		}
		name := map[contracts.Kind]string{contracts.KindStringSet: "SS", contracts.KindNumberSet: "NS", contracts.KindBinarySet: "BS"}[v.Kind()]
		return map[string]any{name: members}
	default:
		return map[string]any{"NULL": true}
	}
}
