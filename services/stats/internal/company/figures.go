package company

// Figures are a company's market figures on one day: US dollars or plain
// ratios. An empty one is missing.
type Figures struct {
	Price            Decimal `json:"price,omitempty" dynamodbav:"price,omitempty"`
	PriceEarnings    Decimal `json:"priceEarnings,omitempty" dynamodbav:"priceEarnings,omitempty"`
	DividendYield    Decimal `json:"dividendYield,omitempty" dynamodbav:"dividendYield,omitempty"`
	EarningsPerShare Decimal `json:"earningsPerShare,omitempty" dynamodbav:"earningsPerShare,omitempty"`
	Low52Week        Decimal `json:"low52Week,omitempty" dynamodbav:"low52Week,omitempty"`
	High52Week       Decimal `json:"high52Week,omitempty" dynamodbav:"high52Week,omitempty"`
	MarketCap        Decimal `json:"marketCap,omitempty" dynamodbav:"marketCap,omitempty"`
	EBITDA           Decimal `json:"ebitda,omitempty" dynamodbav:"ebitda,omitempty"`
	PriceSales       Decimal `json:"priceSales,omitempty" dynamodbav:"priceSales,omitempty"`
	PriceBook        Decimal `json:"priceBook,omitempty" dynamodbav:"priceBook,omitempty"`
}

// FigureNames are the names of the figures as the data files and the API write
// them, in their order.
func FigureNames() []string {
	return []string{
		"price", "priceEarnings", "dividendYield", "earningsPerShare", "low52Week",
		"high52Week", "marketCap", "ebitda", "priceSales", "priceBook",
	}
}

// Figure returns the place of the figure of that name, nil if there is none.
func (f *Figures) Figure(name string) *Decimal {
	switch name {
	case "price":
		return &f.Price
	case "priceEarnings":
		return &f.PriceEarnings
	case "dividendYield":
		return &f.DividendYield
	case "earningsPerShare":
		return &f.EarningsPerShare
	case "low52Week":
		return &f.Low52Week
	case "high52Week":
		return &f.High52Week
	case "marketCap":
		return &f.MarketCap
	case "ebitda":
		return &f.EBITDA
	case "priceSales":
		return &f.PriceSales
	case "priceBook":
		return &f.PriceBook
	}
	return nil
}

// Row is one line of the data files: the figures of one ticker of a company on
// one date.
type Row struct {
	Date   string `json:"date"`
	CIK    string `json:"cik"`
	Ticker string `json:"ticker"`
	Figures
}
