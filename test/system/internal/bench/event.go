package bench

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

// event is a change as a consumer without Tributary reads it.
type event struct {
	Subject string `json:"subject"`
	Version string `json:"version"`
	Data    struct {
		Attributes *profilev1.Profile `json:"attributes"`
	} `json:"data"`
}

func readEvent(body []byte) (*event, contracts.Version, error) {
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, 0, fmt.Errorf("read event: %w", err)
	}
	version, err := contracts.ParseVersion(e.Version)
	if err != nil {
		return nil, 0, fmt.Errorf("read event of %s: %w", e.Subject, err)
	}
	return &e, version, nil
}

// pair is a local attribute and its new value, nil where it is removed.
type pair struct {
	name  string
	value *string
}

// pairs are the local attributes that a change sets or removes.
func (e *event) pairs() [3]pair {
	pairs := [3]pair{{name: attributeName}, {name: attributeSector}, {name: attributeHeadquarters}}
	if p := e.Data.Attributes; p != nil { // else it is deleted
		pairs[0].value, pairs[1].value, pairs[2].value = &p.Name, p.Sector, p.Headquarters
	}
	return pairs
}

// update is the write of one change: on condition that the stored version is
// missing or lower.
func (e *event) update() *dynamodb.UpdateItemInput {
	set, remove := "SET profileVersion = :v", ""
	values := map[string]types.AttributeValue{":v": &types.AttributeValueMemberN{Value: e.Version}}
	for i, p := range e.pairs() {
		if p.value == nil {
			if remove != "" {
				remove += ", "
			}
			remove += p.name
			continue
		}
		placeholder := string([]byte{':', 'a' + byte(i)})
		set += ", " + p.name + " = " + placeholder
		values[placeholder] = &types.AttributeValueMemberS{Value: *p.value}
	}
	if remove != "" {
		set += " REMOVE " + remove
	}
	return &dynamodb.UpdateItemInput{
		TableName: aws.String(replicaTable), Key: map[string]types.AttributeValue{keyAttribute: &types.AttributeValueMemberS{Value: e.Subject}},
		UpdateExpression:          aws.String(set),
		ConditionExpression:       aws.String("attribute_not_exists(profileVersion) OR profileVersion < :v"),
		ExpressionAttributeValues: values,
	}
}

// mappingText is what Tributary stores with a copy about its mapping.
const mappingText = "clear:companyName=name,headquarters=headquarters,sector=sector"

// statement is the statement that Tributary makes of the change, so that the
// floor makes the same calls.
func (e *event) statement() types.BatchStatementRequest {
	text := make([]byte, 0, 512)
	text = append(text, `UPDATE "`+replicaTable+`"`...)
	values := make([]types.AttributeValue, 0, 8)
	var gone []string
	for _, p := range e.pairs() {
		if p.value == nil {
			gone = append(gone, p.name)
			continue
		}
		text = append(text, ` SET "`+p.name+`"=?`...)
		values = append(values, &types.AttributeValueMemberS{Value: *p.value})
	}
	text = append(text, ` SET "`+attributeMapping+`"=? SET "`+attributeVersion+`"=?`...)
	values = append(values, &types.AttributeValueMemberS{Value: mappingText}, &types.AttributeValueMemberN{Value: e.Version})
	for _, name := range gone {
		text = append(text, ` REMOVE "`+name+`"`...)
	}
	text = append(text, ` WHERE "`+keyAttribute+`"=? AND ("`+attributeVersion+`" IS MISSING OR "`+attributeVersion+`"<?)`+
		` AND ("`+attributeMapping+`" IS MISSING OR "`+attributeMapping+`"=?)`...)
	values = append(values, &types.AttributeValueMemberS{Value: e.Subject}, &types.AttributeValueMemberN{Value: e.Version},
		&types.AttributeValueMemberS{Value: mappingText})
	return types.BatchStatementRequest{
		Statement: aws.String(string(text)), Parameters: values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// stale says that a write's condition did not hold, which is no error.
func stale(err error) bool {
	_, failed := errors.AsType[*types.ConditionalCheckFailedException](err)
	return failed
}
