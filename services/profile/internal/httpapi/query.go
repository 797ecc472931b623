package httpapi

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Companies of a page.
const (
	defaultLimit = 50
	maxLimit     = 500
)

// readQuery returns the request's query parameters. One that is not allowed
// here, or is given twice, is a problem.
func readQuery(r *http.Request, p *problems, allowed ...string) url.Values {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		p.add("query", "want parameters as name=value, joined by '&' and percent-encoded")
	}
	for i, name := range slices.Sorted(maps.Keys(values)) {
		if len(*p) >= maxNamedProblems {
			p.add("query", "%d more parameters were not looked at", len(values)-i)
			break
		}
		switch {
		case len(allowed) == 0:
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
