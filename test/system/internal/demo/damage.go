package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/replica/wholebody"
	"github.com/tributary-dev/tributary/test/system/internal/stack"
)

// damage is a copy of a company's name that is written over by hand, in the
// stats service's own table.
type damage struct {
	cik  string
	name string // that it is to have
	user string // whose watchlist has the copy; empty for the company's own item
	// wrong is written over the name; nil where it is removed.
	wrong *string
}

type damages []damage

// chooseDamage picks a company whose copied name is overwritten, with the one it
// had before if it was renamed, and an entry of a watchlist, of another company
// where there is one, that loses its name.
func chooseDamage(e expectation, arrivals []arrival) damages {
	var chosen damages
	for _, a := range arrivals {
		if p := e.profiles[a.change.CIK]; p != nil && p.Name != a.old {
			chosen = append(chosen, damage{cik: a.change.CIK, name: p.Name, wrong: &a.old})
			break
		}
	}
	if len(chosen) == 0 {
		for _, cik := range e.companies() {
			if p := e.profiles[cik]; p != nil {
				chosen = append(chosen, damage{cik: cik, name: p.Name, wrong: aws.String(p.Name + " (overwritten)")})
				break
			}
		}
	}
	var entry *damage
	for _, w := range e.watches {
		p := e.profiles[w.cik]
		if p == nil || entry != nil && w.cik == chosen[0].cik {
			continue
		}
		entry = &damage{cik: w.cik, name: p.Name, user: w.user}
		if w.cik != chosen[0].cik {
			break
		}
	}
	if entry != nil {
		chosen = append(chosen, *entry)
	}
	return chosen
}

// do writes the damage, as somebody with a console would.
func (d damages) do(ctx context.Context, system *stack.System) error {
	client := dynamodb.New(options(system))
	for _, one := range d {
		if err := one.do(ctx, client); err != nil {
			return err
		}
	}
	return nil
}

// options reach the DynamoDB that the processes were given.
func options(system *stack.System) dynamodb.Options {
	env := make(map[string]string)
	for _, pair := range system.Environment {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	endpoint := env["AWS_ENDPOINT_URL_DYNAMODB"]
	if endpoint == "" {
		endpoint = env["AWS_ENDPOINT_URL"]
	}
	return dynamodb.Options{
		Region: system.AWS.Region, BaseEndpoint: &endpoint, HTTPClient: wholebody.Client(awshttp.NewBuildableClient()),
		Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]),
	}
}

func (d damage) do(ctx context.Context, client *dynamodb.Client) error {
	in := &dynamodb.UpdateItemInput{
		TableName: aws.String("company-stats"), Key: map[string]types.AttributeValue{"cik": &types.AttributeValueMemberS{Value: d.cik}},
		ConditionExpression: aws.String("attribute_exists(companyName)"), UpdateExpression: aws.String("REMOVE companyName"),
	}
	if d.user != "" {
		in.TableName, in.Key["user"] = aws.String("watchlists"), &types.AttributeValueMemberS{Value: d.user}
	}
	if d.wrong != nil {
		in.UpdateExpression = aws.String("SET companyName = :wrong")
		in.ExpressionAttributeValues = map[string]types.AttributeValue{":wrong": &types.AttributeValueMemberS{Value: *d.wrong}}
	}
	if _, err := client.UpdateItem(ctx, in); err != nil {
		return fmt.Errorf("damage company %s in %s: %w", d.cik, *in.TableName, err)
	}
	return nil
}

// path is where the stats service answers with the copy.
func (d damage) path() string {
	if d.user != "" {
		return "/watchlists/" + d.user + " (company " + d.cik + ")"
	}
	return "/companies/" + d.cik + "/statistics"
}

// answered is the name that the stats service answers with, nil for none.
func (d damage) answered(ctx context.Context, s services) (*string, error) {
	if d.user == "" {
		c, err := s.stats.Company(ctx, d.cik)
		if err != nil || c == nil {
			return nil, err
		}
		return c.Name, nil
	}
	entries, err := s.stats.Watchlist(ctx, d.user)
	for _, entry := range entries {
		if entry.CIK == d.cik {
			return entry.Name, err
		}
	}
	return nil, err
}

// right and damaged say which of the two a name is.
func (d damage) right(name *string) bool { return name != nil && *name == d.name }

func (d damage) damaged(name *string) bool {
	return name == nil && d.wrong == nil || name != nil && d.wrong != nil && *name == *d.wrong
}
