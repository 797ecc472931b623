package sns

import (
	"encoding/base64"
	"slices"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// pageLength is how many topics or subscriptions one List call returns
// ("ListTopics", "ListSubscriptions").
const pageLength = 100

// pageOf sorts names and returns the page that a token asks for, with the
// token of the next one, empty after the last. A token stays good while names
// come and go.
func pageOf(names []string, token string) (page []string, next string, err error) {
	slices.Sort(names)
	if token != "" {
		after, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return nil, "", wire.Errorf("InvalidParameter", "Invalid parameter: NextToken")
		}
		at, found := slices.BinarySearch(names, string(after))
		if found {
			at++
		}
		names = names[at:]
	}
	if len(names) > pageLength {
		names = names[:pageLength]
		next = base64.RawURLEncoding.EncodeToString([]byte(names[pageLength-1]))
	}
	return names, next, nil
}
