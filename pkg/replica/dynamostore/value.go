package dynamostore

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// ToAttribute returns a value as the SDK's type. The zero Value has none and
// gives nil.
func ToAttribute(v contracts.Value) types.AttributeValue {
	switch v.Kind() {
	case contracts.KindString:
		return &types.AttributeValueMemberS{Value: v.Text()}
	case contracts.KindNumber:
		return &types.AttributeValueMemberN{Value: v.Text()}
	case contracts.KindBinary:
		return &types.AttributeValueMemberB{Value: notNil(v.Bytes())}
	case contracts.KindBool:
		return &types.AttributeValueMemberBOOL{Value: v.Bool()}
	case contracts.KindNull:
		return &types.AttributeValueMemberNULL{Value: true}
	case contracts.KindList:
		list := make([]types.AttributeValue, len(v.Elements()))
		for i, e := range v.Elements() {
			list[i] = ToAttribute(e)
		}
		return &types.AttributeValueMemberL{Value: list}
	case contracts.KindMap:
		return &types.AttributeValueMemberM{Value: ToAttributes(v.Fields())}
	case contracts.KindStringSet:
		return &types.AttributeValueMemberSS{Value: memberTexts(v)}
	case contracts.KindNumberSet:
		return &types.AttributeValueMemberNS{Value: memberTexts(v)}
	case contracts.KindBinarySet:
		members := make([][]byte, len(v.Elements()))
		for i, m := range v.Elements() {
			members[i] = notNil(m.Bytes())
		}
		return &types.AttributeValueMemberBS{Value: members}
	default:
		return nil
	}
}

// notNil keeps the SDK from sending an empty value as JSON's null, which DynamoDB
// takes for no value at all.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// ToAttributes returns an item as the SDK's type.
func ToAttributes(item map[string]contracts.Value) map[string]types.AttributeValue {
	out := make(map[string]types.AttributeValue, len(item))
	for name, v := range item {
		out[name] = ToAttribute(v)
	}
	return out
}

func memberTexts(set contracts.Value) []string {
	members := make([]string, len(set.Elements()))
	for i, m := range set.Elements() {
		members[i] = m.Text()
	}
	return members
}

// FromAttribute returns an SDK value as a contracts.Value. The error names a
// type this version of the SDK has and DynamoDB did not have when this was
// written.
func FromAttribute(av types.AttributeValue) (contracts.Value, error) {
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
		list := make([]contracts.Value, len(av.Value))
		for i, e := range av.Value {
			v, err := FromAttribute(e)
			if err != nil {
				return contracts.Value{}, fmt.Errorf("[%d]: %w", i, err)
			}
			list[i] = v
		}
		return contracts.List(list...), nil
	case *types.AttributeValueMemberM:
		fields, err := FromAttributes(av.Value)
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

// FromAttributes returns an item in the SDK's type as a contracts.Item, nil for
// nil.
func FromAttributes(item map[string]types.AttributeValue) (contracts.Item, error) {
	if item == nil {
		return nil, nil
	}
	out := make(contracts.Item, len(item))
	for name, av := range item {
		v, err := FromAttribute(av)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = v
	}
	return out, nil
}
