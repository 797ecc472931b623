package dynamo

import (
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func number(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

// rowItem is a row of the statistics table.
type rowItem struct {
	CIK        string `dynamodbav:"cik"`
	DateTicker string `dynamodbav:"dateTicker"`
	company.Figures
}

func dateTicker(row company.Row) string { return row.Date + "#" + row.Ticker }

func rowKey(row company.Row) item {
	return item{attrCIK: text(row.CIK), attrDateTicker: text(dateTicker(row))}
}

func companyKey(cik string) item { return item{attrCIK: text(cik)} }

func encodeRow(row company.Row) (item, error) {
	return attributevalue.MarshalMap(rowItem{CIK: row.CIK, DateTicker: dateTicker(row), Figures: row.Figures})
}

// companyItem is an item of company-stats: the copy and our own attributes.
type companyItem struct {
	CIK            string                    `dynamodbav:"cik"`
	Name           *string                   `dynamodbav:"companyName"`
	Sector         *string                   `dynamodbav:"sector"`
	ProfileVersion attributevalue.Number     `dynamodbav:"profileVersion"`
	Latest         map[string]company.Latest `dynamodbav:"latest"`
	Revision       attributevalue.Number     `dynamodbav:"statsRevision"`
}

func decodeCompany(stored item) (company.Company, companyItem, error) {
	var i companyItem
	if err := attributevalue.UnmarshalMap(stored, &i); err != nil {
		return company.Company{}, i, fmt.Errorf("read the item: %w", err)
	}
	return company.Company{
		CIK:     i.CIK,
		Profile: company.Profile{Name: i.Name, Sector: i.Sector, Version: string(i.ProfileVersion)},
		Summary: company.Summary{Latest: i.Latest},
	}, i, nil
}

// revisionOf is the revision of the summary an item holds, 0 for none yet.
func revisionOf(i companyItem) (int64, error) {
	if i.Revision == "" {
		return 0, nil
	}
	revision, err := strconv.ParseInt(string(i.Revision), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s %q is no whole number: %w", attrRevision, i.Revision, err)
	}
	return revision, nil
}
