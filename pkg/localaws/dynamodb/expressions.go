package dynamodb

import (
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/attr"
	"github.com/tributary-dev/tributary/pkg/localaws/dynamodb/expr"
)

// expressions are the parameters every request with expressions has; request
// structs embed them.
type expressions struct {
	ExpressionAttributeNames  map[string]string `json:",omitempty"`
	ExpressionAttributeValues expr.Values       `json:",omitempty"`
}

// parse checks the parameters. given says whether the request has any
// expression; valued names its absent expressions that could use values.
func (e expressions) parse(cache *expr.Cache, given bool, valued ...string) (*expr.Parameters, error) {
	if !given {
		if e.ExpressionAttributeNames != nil {
			return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
		}
		if e.ExpressionAttributeValues != nil {
			verb := " is null"
			if len(valued) > 1 {
				verb = " are null"
			}
			return nil, invalid("ExpressionAttributeValues can only be specified when using expressions: %s%s", strings.Join(valued, " and "), verb)
		}
	}
	return cache.Parameters(e.ExpressionAttributeNames, e.ExpressionAttributeValues)
}

// writeExpressions are the expressions of one write, parsed.
type writeExpressions struct {
	condition *expr.Condition
	update    *expr.Update
}

// parseWrite parses a write's expressions and refuses unused parameters.
func (e expressions) parseWrite(cache *expr.Cache, update, condition *string, updates bool) (writeExpressions, error) {
	valued := []string{"ConditionExpression"}
	if updates {
		valued = []string{"UpdateExpression", "ConditionExpression"}
	}
	var w writeExpressions
	p, err := e.parse(cache, update != nil || condition != nil, valued...)
	if err != nil {
		return w, err
	}
	if update != nil {
		if w.update, err = p.Update(*update); err != nil {
			return w, err
		}
	}
	if condition != nil {
		if w.condition, err = p.Condition("ConditionExpression", *condition); err != nil {
			return w, err
		}
	}
	return w, p.Unused()
}

// parseProjection parses a read's projection, nil if there is none.
func parseProjection(cache *expr.Cache, names map[string]string, projection *string) (*expr.Projection, error) {
	p, err := expressions{ExpressionAttributeNames: names}.parse(cache, projection != nil)
	if err != nil || projection == nil {
		return nil, err
	}
	pr, err := p.Projection(*projection)
	if err != nil {
		return nil, err
	}
	return pr, p.Unused()
}

// apply projects an item; without a projection it stays whole.
func applyProjection(pr *expr.Projection, item attr.Item) attr.Item {
	if pr == nil || item == nil {
		return item
	}
	return pr.Apply(item)
}

// projected is what a projection keeps of an entry, nil for no entry. An
// entry of which it keeps nothing is an empty item.
func projected(pr *expr.Projection, e *entry) *attr.Item {
	if e == nil {
		return nil
	}
	item := applyProjection(pr, e.item)
	return &item
}
