package dynamostream

import (
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// ttlPrincipal is who removes expired items (DynamoDB Streams and TTL,
// developer guide).
const ttlPrincipal = "dynamodb.amazonaws.com"

// fromStream returns a record as GetRecords gives it.
func fromStream(r *types.Record) replica.Record {
	rec := replica.Record{
		EventID:   aws.ToString(r.EventID),
		EventName: replica.EventName(r.EventName),
		ByTTL:     r.UserIdentity != nil && aws.ToString(r.UserIdentity.PrincipalId) == ttlPrincipal,
	}
	c := r.Dynamodb
	if c == nil {
		rec.Damaged = fmt.Errorf("record %s has no change", rec.EventID)
		return rec
	}
	rec.SequenceNumber = aws.ToString(c.SequenceNumber)
	rec.Created = aws.ToTime(c.ApproximateCreationDateTime)
	images(&rec, c.Keys, c.OldImage, c.NewImage, streamValue)
	return rec
}

// fromLambda returns a record as Lambda delivers it.
func fromLambda(r *events.DynamoDBEventRecord) replica.Record {
	c := &r.Change
	rec := replica.Record{
		EventID:        r.EventID,
		EventName:      replica.EventName(r.EventName),
		ByTTL:          r.UserIdentity != nil && r.UserIdentity.PrincipalID == ttlPrincipal,
		SequenceNumber: c.SequenceNumber,
		Created:        c.ApproximateCreationDateTime.Time,
	}
	images(&rec, c.Keys, c.OldImage, c.NewImage, lambdaValue)
	return rec
}

// images fills in the record's three items. A stream without both images would
// look like one creation or removal after the other, so what is missing is
// damage, never an absent item.
func images[V any](rec *replica.Record, keys, before, after map[string]V, value func(V) (contracts.Value, error)) {
	for _, image := range []struct {
		name string
		from map[string]V
		into *contracts.Item
		want bool
	}{
		{"Keys", keys, &rec.Keys, true},
		{"OldImage", before, &rec.Old, rec.EventName != replica.Insert},
		{"NewImage", after, &rec.New, rec.EventName != replica.Remove},
	} {
		if len(image.from) == 0 {
			if image.want {
				rec.Damaged = fmt.Errorf("%s record %s has no %s: the stream must carry new and old images", rec.EventName, rec.EventID, image.name)
			}
			continue
		}
		item, err := mapOf(image.from, value)
		if err != nil {
			rec.Damaged = fmt.Errorf("%s of record %s: %w", image.name, rec.EventID, err)
			continue
		}
		*image.into = item
	}
}

func mapOf[V any](from map[string]V, value func(V) (contracts.Value, error)) (contracts.Item, error) {
	item := make(contracts.Item, len(from))
	for name, v := range from {
		out, err := value(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		item[name] = out
	}
	return item, nil
}

func listOf[V any](from []V, value func(V) (contracts.Value, error)) (contracts.Value, error) {
	list := make([]contracts.Value, len(from))
	for i, v := range from {
		out, err := value(v)
		if err != nil {
			return contracts.Value{}, fmt.Errorf("[%d]: %w", i, err)
		}
		list[i] = out
	}
	return contracts.List(list...), nil
}

func streamValue(av types.AttributeValue) (contracts.Value, error) {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		return contracts.String(av.Value), nil
	case *types.AttributeValueMemberN:
		return contracts.Number(av.Value), nil
	case *types.AttributeValueMemberB:
		return contracts.Binary(av.Value), nil
	case *types.AttributeValueMemberBOOL:
		return contracts.Bool(av.Value), nil
	case *types.AttributeValueMemberNULL:
		return contracts.Null(), nil
	case *types.AttributeValueMemberL:
		return listOf(av.Value, streamValue)
	case *types.AttributeValueMemberM:
		fields, err := mapOf(av.Value, streamValue)
		return contracts.Map(fields), err
	case *types.AttributeValueMemberSS:
		return contracts.StringSet(av.Value...), nil
	case *types.AttributeValueMemberNS:
		return contracts.NumberSet(av.Value...), nil
	case *types.AttributeValueMemberBS:
		return contracts.BinarySet(av.Value...), nil
	default:
		return contracts.Value{}, fmt.Errorf("attribute type %T is not known", av)
	}
}

func lambdaValue(av events.DynamoDBAttributeValue) (contracts.Value, error) {
	switch av.DataType() {
	case events.DataTypeString:
		return contracts.String(av.String()), nil
	case events.DataTypeNumber:
		return contracts.Number(av.Number()), nil
	case events.DataTypeBinary:
		return contracts.Binary(av.Binary()), nil
	case events.DataTypeBoolean:
		return contracts.Bool(av.Boolean()), nil
	case events.DataTypeNull:
		return contracts.Null(), nil
	case events.DataTypeList:
		return listOf(av.List(), lambdaValue)
	case events.DataTypeMap:
		fields, err := mapOf(av.Map(), lambdaValue)
		return contracts.Map(fields), err
	case events.DataTypeStringSet:
		return contracts.StringSet(av.StringSet()...), nil
	case events.DataTypeNumberSet:
		return contracts.NumberSet(av.NumberSet()...), nil
	case events.DataTypeBinarySet:
		return contracts.BinarySet(av.BinarySet()...), nil
	default:
		return contracts.Value{}, fmt.Errorf("attribute type %d is not known", av.DataType())
	}
}
