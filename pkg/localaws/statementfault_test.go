package localaws_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/localaws"
	localdynamodb "github.com/tributary-dev/tributary/pkg/localaws/dynamodb"
	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// bump sets the version of items where it is below the given one, and returns
// what each statement was answered: a code, or "" for success.
func (c *clients) bump(version string, ids ...string) []string {
	c.Helper()
	var in dynamodb.BatchExecuteStatementInput
	for _, id := range ids {
		v := &ddbtypes.AttributeValueMemberN{Value: version}
		in.Statements = append(in.Statements, ddbtypes.BatchStatementRequest{
			Statement:                           aws.String(`UPDATE "items" SET "v"=? WHERE "id"=? AND ("v" IS MISSING OR "v" < ?)`),
			Parameters:                          []ddbtypes.AttributeValue{v, &ddbtypes.AttributeValueMemberS{Value: id}, v},
			ReturnValuesOnConditionCheckFailure: ddbtypes.ReturnValuesOnConditionCheckFailureAllOld,
		})
	}
	out, err := c.dynamodb.BatchExecuteStatement(c.Context(), &in)
	c.must(err)
	codes := []string{}
	for _, r := range out.Responses {
		code := ""
		if r.Error != nil {
			code = string(r.Error.Code)
			if r.Error.Item != nil {
				code += " with the item"
			}
		}
		codes = append(codes, code)
	}
	return codes
}

func (c *clients) wantCodes(got []string, want ...string) {
	c.Helper()
	if d := cmp.Diff(want, got); d != "" {
		c.Errorf("(-want +got):\n%s", d)
	}
}

func (c *clients) itemsOf(ids ...string) {
	c.Helper()
	c.table("items")
	for _, id := range ids {
		c.must(c.put("items", id))
	}
}

// A statement that is throttled leaves its neighbours alone, and the SDK does
// not try it again.
func TestStatementsFailOneByOne(t *testing.T) {
	inBubble(t, localaws.Config{}, func(c *clients) {
		c.itemsOf("a", "b", "c", "d")
		c.engine.ResetRequests()
		c.engine.SetFaults(func(localaws.Call) localaws.Fault {
			return localaws.Fault{Statement: func(st localdynamodb.Statement) localdynamodb.StatementFault {
				switch st.Parameters[1].Str() {
				case "b":
					return localdynamodb.StatementFault{Error: localaws.ThrottledStatement()}
				case "d":
					return localdynamodb.StatementFault{Error: wire.Errorf("InternalServerError", "made up"), Applied: true}
				}
				return localdynamodb.StatementFault{}
			}}
		})
		c.wantCodes(c.bump("1", "a", "b", "c", "d"), "", "ThrottlingError", "", "InternalServerError")
		if n := c.engine.Requests().Of(localaws.DynamoDB, "BatchExecuteStatement"); n != 1 {
			c.Errorf("%d requests, want 1", n)
		}
		c.engine.SetFaults(nil)
		const stale = "ConditionalCheckFailed with the item"
		c.wantCodes(c.bump("1", "a", "b", "c", "d"), stale, "", stale, stale)
	})
}

func TestAFaultSeesTheStatement(t *testing.T) {
	inBubble(t, localaws.Config{}, func(c *clients) {
		c.itemsOf("a")
		var seen []localdynamodb.Statement
		c.engine.SetFaults(func(localaws.Call) localaws.Fault {
			return localaws.Fault{Statement: func(st localdynamodb.Statement) localdynamodb.StatementFault {
				seen = append(seen, st)
				return localdynamodb.StatementFault{}
			}}
		})
		c.bump("7", "a", "b")
		if len(seen) != 2 || seen[1].Index != 1 || seen[1].Parameters[0].Num() != "7" || seen[1].Parameters[1].Str() != "b" || seen[1].Text[:14] != `UPDATE "items"` {
			c.Errorf("the hook saw %+v", seen)
		}
	})
}

// When the answer is lost, the SDK sends the batch again, and what was applied
// looks stale.
func TestALostAnswerMakesAppliedStatementsLookStale(t *testing.T) {
	inBubble(t, localaws.Config{}, func(c *clients) {
		c.itemsOf("a")
		c.engine.SetFaults(firstAttempt(localaws.Fault{Drop: localaws.DropResponse}))
		c.wantCodes(c.bump("1", "a", "missing"), "ConditionalCheckFailed with the item", "ConditionalCheckFailed")
	})
}

func TestStatementsMayReturnNoItems(t *testing.T) {
	inBubble(t, localaws.Config{StatementsReturnNoItems: true}, func(c *clients) {
		c.itemsOf("a")
		c.wantCodes(c.bump("1", "a"), "")
		c.wantCodes(c.bump("1", "a"), "ConditionalCheckFailed")
	})
}
