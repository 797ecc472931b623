package replicatest

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

// imageOf reads those attributes of a stream record's image. The contract's and
// the bookkeeping's have no other types than these.
func imageOf(image map[string]types.AttributeValue, names []string) (contracts.Item, error) {
	item := make(contracts.Item, len(names))
	for _, name := range names {
		raw, has := image[name]
		if !has {
			continue
		}
		v, err := valueOf(raw)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		item[name] = v
	}
	return item, nil
}

func valueOf(raw types.AttributeValue) (contracts.Value, error) {
	switch v := raw.(type) {
	case *types.AttributeValueMemberS:
		return contracts.String(v.Value), nil
	case *types.AttributeValueMemberN:
		return contracts.Number(v.Value), nil
	case *types.AttributeValueMemberBOOL:
		return contracts.Bool(v.Value), nil
	case *types.AttributeValueMemberL:
		elements := make([]contracts.Value, 0, len(v.Value))
		for _, e := range v.Value {
			element, err := valueOf(e)
			if err != nil {
				return contracts.Value{}, err
			}
			elements = append(elements, element)
		}
		return contracts.List(elements...), nil
	default:
		return contracts.Value{}, fmt.Errorf("type %T is no shared attribute's", raw)
	}
}
