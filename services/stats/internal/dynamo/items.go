package dynamo

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/stats/internal/company"
)

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func number(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

// storedVersion is a version as it is stored, valid or not.
type storedVersion struct{ raw types.AttributeValue }

func newStoredVersion(v contracts.Version) storedVersion { return storedVersion{number(v.String())} }

// MarshalDynamoDBAttributeValue implements attributevalue.Marshaler.
func (v storedVersion) MarshalDynamoDBAttributeValue() (types.AttributeValue, error) {
	return v.raw, nil
}

// UnmarshalDynamoDBAttributeValue implements attributevalue.Unmarshaler. It
// takes every value: one that is no version counts as missing.
func (v *storedVersion) UnmarshalDynamoDBAttributeValue(raw types.AttributeValue) error {
	v.raw = raw
	return nil
}

// version returns 0 where it is missing, no version at all or after latest.
func (v storedVersion) version(latest time.Time) contracts.Version {
	n, ok := v.raw.(*types.AttributeValueMemberN)
	if !ok {
		return 0
	}
	return contracts.VersionOf(contracts.Number(n.Value), latest)
}

// rowItem is a row of the statistics table.
type rowItem struct {
	CIK        string        `dynamodbav:"cik"`
	DateTicker string        `dynamodbav:"dateTicker"`
	Version    storedVersion `dynamodbav:"rowVersion"`
	company.Figures
}

func dateTicker(row company.Row) string { return row.Date + "#" + row.Ticker }

func rowKey(row company.Row) item {
	return item{attrCIK: text(row.CIK), attrDateTicker: text(dateTicker(row))}
}

// decodeRow reads a stored row; nil, for an item that is not there, gives nil.
func decodeRow(stored item) (*rowItem, error) {
	if stored == nil {
		return nil, nil
	}
	var i rowItem
	if err := attributevalue.UnmarshalMap(stored, &i); err != nil {
		return nil, fmt.Errorf("read the row: %w", err)
	}
	return &i, nil
}

func companyKey(cik string) item { return item{attrCIK: text(cik)} }

// companyItem is an item of company-stats: the copy and our own attributes.
type companyItem struct {
	CIK            string                `dynamodbav:"cik"`
	Name           *string               `dynamodbav:"companyName"`
	Sector         *string               `dynamodbav:"sector"`
	ProfileVersion attributevalue.Number `dynamodbav:"profileVersion"`
	Latest         map[string]latestItem `dynamodbav:"latest"`
	Revision       attributevalue.Number `dynamodbav:"statsRevision"`
}

// latestItem is what a summary keeps of a ticker.
type latestItem struct {
	Date    string        `dynamodbav:"date"`
	Version storedVersion `dynamodbav:"rowVersion"`
	company.Figures
}

// decodeCompany reads an item of company-stats; nil, for one that is not there,
// gives a company of which nothing is known.
func (s *Store) decodeCompany(stored item) (company.Company, error) {
	i, err := decodeCompanyItem(stored)
	if err != nil {
		return company.Company{}, err
	}
	return company.Company{
		CIK:     i.CIK,
		Profile: company.Profile{Name: i.Name, Sector: i.Sector, Version: string(i.ProfileVersion)},
		Summary: i.summary(s.latestVersion()),
	}, nil
}

func decodeCompanyItem(stored item) (companyItem, error) {
	var i companyItem
	if err := attributevalue.UnmarshalMap(stored, &i); err != nil {
		return i, fmt.Errorf("read the item: %w", err)
	}
	return i, nil
}

// summary returns the summary an item holds; versions after latest are missing.
func (i companyItem) summary(latest time.Time) company.Summary {
	held := make(map[string]company.Latest, len(i.Latest))
	for ticker, l := range i.Latest {
		held[ticker] = company.Latest{Date: l.Date, Version: l.Version.version(latest), Figures: l.Figures}
	}
	return company.Summary{Latest: held}
}

func encodeLatest(s company.Summary) (types.AttributeValue, error) {
	latest := make(map[string]latestItem, len(s.Latest))
	for ticker, l := range s.Latest {
		latest[ticker] = latestItem{Date: l.Date, Version: newStoredVersion(l.Version), Figures: l.Figures}
	}
	encoded, err := attributevalue.Marshal(latest)
	if err != nil {
		return nil, fmt.Errorf("encode the summary: %w", err)
	}
	return encoded, nil
}

// nextRevision is the revision that follows the one the item holds, if any.
func (i companyItem) nextRevision() (string, error) {
	if i.Revision == "" {
		return "1", nil
	}
	revision, err := strconv.ParseInt(string(i.Revision), 10, 64)
	if err != nil {
		return "", fmt.Errorf("%s %q is no whole number: %w", attrRevision, i.Revision, err)
	}
	return strconv.FormatInt(revision+1, 10), nil
}
