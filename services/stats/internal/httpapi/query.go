package httpapi

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Entries of a page.
const (
	defaultLimit = 20
	maxLimit     = 100
)

// readQuery returns the request's query parameters. One that is not allowed
// here, or is given twice, is a problem.
func readQuery(r *http.Request, p *problems, allowed ...string) url.Values {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.add("query", "want parameters as name=value, joined by '&' and percent-encoded")
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for i, name := range names {
		if len(*p) >= maxNamedProblems {
			p.add("query", "%d more parameters were not looked at", len(names)-i)
			break
		}
		switch {
		case !slices.Contains(allowed, name) && len(allowed) == 0:
			p.add(clip(name), "is no parameter here: there are none")
		case !slices.Contains(allowed, name):
			p.add(clip(name), "is no parameter here; there are %s", strings.Join(allowed, ", "))
		case len(values[name]) > 1:
			p.add(name, "is there more than once")
		}
	}
	return values
}

// readLimit returns the size of page the request asks for.
func readLimit(values url.Values, p *problems) int {
	text, ok := values["limit"]
	if !ok {
		return defaultLimit
	}
	limit, err := strconv.Atoi(text[0])
	if err != nil || limit < 1 || limit > maxLimit {
		p.add("limit", "want a whole number from 1 to %d", maxLimit)
		return defaultLimit
	}
	return limit
}

// A cursor says where the next page begins. It is opaque to the client, and
// belongs to the list it came from.

func encodeCursor(cursor any) string {
	encoded, err := json.Marshal(cursor)
	if err != nil { // cursors are made of strings and whole numbers
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(encoded)
}

// readCursor reads the request's cursor into cursor and reports whether there
// is one. wrong says what, of all that was read, cannot be of this list.
//
// Cursors are not signed, since whoever makes one up sees nothing that the list
// itself would not show; but what is accepted is a text that encodeCursor could
// have made, of values that this list could have.
func readCursor(values url.Values, p *problems, cursor any, wrong func() error) bool {
	text, ok := values["cursor"]
	if !ok {
		return false
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text[0])
	switch {
	case err != nil:
		err = errors.New("it is no base64url")
	case json.Unmarshal(decoded, cursor) != nil || encodeCursor(cursor) != text[0]:
		err = errors.New("its content is not what this service writes into one")
	default:
		err = wrong()
	}
	if err != nil {
		p.add("cursor", `%v; want the "next" of an earlier page of this list, as it was given`, err)
		return false
	}
	return true
}
