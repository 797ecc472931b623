package company

import (
	"fmt"
	"regexp"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxUserBytes bounds the name of a watchlist's user: well below DynamoDB's
// 2048 bytes of a partition key (AWS, "Quotas in Amazon DynamoDB").
const MaxUserBytes = 256

var (
	cikText    = regexp.MustCompile(`^[1-9][0-9]{0,19}$`)
	tickerText = regexp.MustCompile(`^[A-Z0-9][A-Z0-9.-]{0,15}$`)
)

// CheckCIK says what is wrong with a company's Central Index Key. The SEC's have
// ten digits; the owner of the profiles takes up to twenty, and so do its real
// data, so a narrower rule here would refuse companies that exist there.
func CheckCIK(cik string) error {
	if !cikText.MatchString(cik) {
		return fmt.Errorf("want 1 to 20 digits without leading zeros, as in 320193")
	}
	return nil
}

// CheckDate says what is wrong with a row's date.
func CheckDate(date string) error {
	if t, err := time.Parse(time.DateOnly, date); err != nil || t.Format(time.DateOnly) != date {
		return fmt.Errorf("want a day of the calendar as YYYY-MM-DD, as in 2024-10-10")
	}
	return nil
}

// CheckTicker says what is wrong with a ticker.
func CheckTicker(ticker string) error {
	if !tickerText.MatchString(ticker) {
		return fmt.Errorf("want 1 to 16 of A-Z, 0-9, '.' and '-', beginning with a letter or digit, as in BRK.B")
	}
	return nil
}

// CheckUser says what is wrong with the name of a watchlist's user.
func CheckUser(user string) error {
	if user == "" || len(user) > MaxUserBytes || !utf8.ValidString(user) {
		return fmt.Errorf("want 1 to %d bytes of UTF-8", MaxUserBytes)
	}
	for _, r := range user {
		if unicode.IsControl(r) {
			return fmt.Errorf("has the control character %U", r)
		}
	}
	return nil
}
