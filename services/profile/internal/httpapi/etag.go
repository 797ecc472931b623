package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

// setETag sends a state's version as its validator; one without a version has
// none.
func setETag(w http.ResponseWriter, version contracts.Version) {
	if version > 0 {
		w.Header().Set("ETag", `"`+version.String()+`"`)
	}
}

// conditions are a request's If-Match and If-None-Match (RFC 9110, section
// 13.1). Only a state that exists has a validator, and one without a version
// matches no tag but "*".
type conditions struct {
	match, noneMatch *etags // nil where the header is absent
}

// readConditions reads both headers. One that is no list of entity tags is a
// problem.
func readConditions(r *http.Request, p *problems) conditions {
	return conditions{match: readETags(r, "If-Match", p), noneMatch: readETags(r, "If-None-Match", p)}
}

// precondition is what a write is to be conditional on; nil for none.
func (c conditions) precondition() company.Precondition {
	if c.match == nil && c.noneMatch == nil {
		return nil
	}
	return func(s company.State) bool { return c.match.admits(s) && c.noneMatch.admitsNot(s) }
}

// etags is the value of one of the headers.
type etags struct {
	any  bool // "*"
	tags []etag
}

type etag struct {
	weak   bool
	opaque string
}

// admits is If-Match: "*" wants any state, a list one of those it names. The
// comparison is the strong one, so a weak tag matches nothing.
func (e *etags) admits(s company.State) bool {
	if e == nil {
		return true
	}
	if e.any {
		return s.Exists
	}
	return e.names(s, func(t etag) bool { return !t.weak })
}

// admitsNot is If-None-Match: "*" wants no state at all, a list none of those
// it names. The comparison is the weak one.
func (e *etags) admitsNot(s company.State) bool {
	if e == nil {
		return true
	}
	if e.any {
		return !s.Exists
	}
	return !e.names(s, func(etag) bool { return true })
}

func (e *etags) names(s company.State, counts func(etag) bool) bool {
	if !s.Exists || s.Version == 0 {
		return false
	}
	for _, t := range e.tags {
		if t.opaque == s.Version.String() && counts(t) {
			return true
		}
	}
	return false
}

func readETags(r *http.Request, header string, p *problems) *etags {
	lines, ok := r.Header[header]
	if !ok {
		return nil
	}
	tags, err := parseETags(strings.Join(lines, ","))
	p.check(header, err)
	return tags
}

// maxETags is how many entity tags one header can list; a client that holds
// more states of one company than that asks without them.
const maxETags = 100

var errETags = errors.New(`want * or a list of entity tags, each in double quotes, as in "1731000000000000"`)

// parseETags reads a list of entity tags (RFC 9110, section 8.8.3), with the
// empty elements that section 5.6.1 wants tolerated.
func parseETags(text string) (*etags, error) {
	if strings.Trim(text, " \t") == "*" {
		return &etags{any: true}, nil
	}
	var all etags
	for {
		text = strings.TrimLeft(text, " \t,")
		if text == "" {
			break
		}
		var t etag
		text, t.weak = strings.CutPrefix(text, "W/") // case-sensitive
		rest, ok := strings.CutPrefix(text, `"`)
		if !ok {
			return nil, errETags
		}
		t.opaque, text, ok = strings.Cut(rest, `"`)
		if !ok || strings.ContainsFunc(t.opaque, func(c rune) bool { return c <= ' ' || c == 0x7f }) {
			return nil, errETags
		}
		if len(all.tags) == maxETags {
			return nil, fmt.Errorf("want at most %d entity tags", maxETags)
		}
		all.tags = append(all.tags, t)
		text = strings.TrimLeft(text, " \t")
		if text != "" && text[0] != ',' {
			return nil, errETags
		}
	}
	if len(all.tags) == 0 {
		return nil, errETags
	}
	return &all, nil
}
