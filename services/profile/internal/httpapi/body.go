package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

// mergePatch is the media type of PATCH bodies (RFC 7396).
const mergePatch = "application/merge-patch+json"

// maxNamedProblems bounds the problems named of one body, so that a body of
// thousands of wrong fields does not make an answer larger than itself.
const maxNamedProblems = 100

// takes reports whether the body is of the media type; if not, it has
// answered. A PUT need not say what it is, as it can only be a profile; a patch
// document has to (RFC 5789, section 2).
func takes(w http.ResponseWriter, r *http.Request, mediaType string) bool {
	given := r.Header.Get("Content-Type")
	is, parameters, err := mime.ParseMediaType(given)
	charset, hasCharset := parameters["charset"]
	encoding := r.Header.Get("Content-Encoding")
	switch {
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		w.Header().Set("Accept-Encoding", "identity")
	case given == "" && r.Method == http.MethodPut:
		return true
	case err == nil && is == mediaType && (!hasCharset || strings.EqualFold(charset, "utf-8")):
		return true
	}
	accept := "Accept"
	if r.Method == http.MethodPatch {
		accept = "Accept-Patch"
	}
	w.Header().Set(accept, mediaType)
	writeProblem(w, http.StatusUnsupportedMediaType, fmt.Sprintf("The body has to be %s in UTF-8, not compressed.", mediaType))
	return false
}

// readBody reads the whole body. It reports false where it has answered
// already, as the body is over the limit; a body that ends early is a problem
// and gives nil.
func readBody(w http.ResponseWriter, r *http.Request, p *problems) ([]byte, bool) {
	body, err := io.ReadAll(r.Body)
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		writeProblem(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("The body has more than %d bytes; nothing was written.", tooLarge.Limit))
		return nil, false
	}
	if err != nil {
		p.add("body", "the body ends too early")
		return nil, true
	}
	return body, true
}

// decodeProfile reads the body of a PUT for the company at the path's key: a
// JSON object with the fields of a profile. It may be a line of the data files
// as it is, whose cik, date and op are compared with the request or checked,
// and not kept. Every problem is added to p.
func decodeProfile(body []byte, cik string, p *problems) contracts.Item {
	profile := contracts.Item{}
	whole := eachField(body, p, func(f field) {
		switch a, ok := profilev1.Contract.Lookup(f.name); {
		case ok && f.isNull():
			p.add(f.name, "is null; leave the field out where there is no value")
		case ok:
			if v, ok := readValue(f, a, p); ok {
				profile[f.name] = v
			}
		case f.name == "op":
			if text, ok := f.text(); !ok || text != "put" {
				p.add(f.name, `want "put" here, or no such field`)
			}
		case f.name == "date":
			text, _ := f.text()
			if _, err := time.Parse(time.DateOnly, text); err != nil {
				p.add(f.name, "want a day as YYYY-MM-DD, or no such field")
			}
		default:
			readKeyOrRefuse(f, cik, p)
		}
	})
	for _, name := range profilev1.Contract.Names() {
		_, read := profile[name]
		if whole != nil && company.Required(name) && !read && !whole[name] {
			p.add(name, "is missing; every company has one")
		}
	}
	return profile
}

// decodePatch reads the body of a PATCH: a JSON merge patch (RFC 7396). A
// profile has no objects inside, so merging is setting what is there and
// removing what is null. Every problem is added to p.
func decodePatch(body []byte, cik string, p *problems) company.Change {
	change := company.Change{Set: contracts.Item{}}
	eachField(body, p, func(f field) {
		switch a, ok := profilev1.Contract.Lookup(f.name); {
		case ok && f.isNull() && company.Required(f.name):
			p.add(f.name, "is null, which would remove it; every company has one")
		case ok && f.isNull():
			change.Remove = append(change.Remove, f.name)
		case ok:
			if v, ok := readValue(f, a, p); ok {
				change.Set[f.name] = v
			}
		default:
			readKeyOrRefuse(f, cik, p)
		}
	})
	return change
}

// eachField calls do for every field of the body once, and returns the names
// that are there; nil where the body is no JSON object.
func eachField(body []byte, p *problems, do func(field)) map[string]bool {
	if len(*p) > 0 && body == nil {
		return nil
	}
	fields, ok := decodeObject(body, p)
	if !ok {
		return nil
	}
	seen := make(map[string]bool, len(fields))
	for i, f := range fields {
		if len(*p) >= maxNamedProblems {
			p.add("body", "%d more fields were not looked at", len(fields)-i)
			return nil
		}
		if seen[f.name] {
			p.add(clip(f.name), "is there more than once")
			continue
		}
		seen[f.name] = true
		do(f)
	}
	return seen
}

// readKeyOrRefuse takes the company's key where it is the path's, and refuses
// everything else by its name.
func readKeyOrRefuse(f field, cik string, p *problems) {
	if f.name != "cik" {
		p.add(clip(f.name), "is no field of a profile; the fields are %s", strings.Join(profilev1.Contract.Names(), ", "))
		return
	}
	switch text, ok := f.text(); {
	case !ok:
		p.add(f.name, "want the path's %q as a string, found %s", clip(cik), f.kind())
	case text != cik:
		p.add(f.name, "the body says %q, the path says %q", clip(text), clip(cik))
	}
}

// readValue reads a field as the contract's attribute: a string, or a list of
// strings.
func readValue(f field, a contracts.Attribute, p *problems) (contracts.Value, bool) {
	before := len(*p)
	value := contracts.Value{}
	if a.Shape.Kind == contracts.KindList {
		value = readList(f, p)
	} else if text, ok := f.text(); ok {
		value = contracts.String(text)
	} else {
		p.add(f.name, "want a string of whole characters, found %s", f.kind())
	}
	if len(*p) > before {
		return contracts.Value{}, false
	}
	for _, fault := range company.Check(value) {
		name := f.name
		if fault.At >= 0 {
			name = element(f.name, fault.At)
		}
		p.check(name, fault.Err)
	}
	return value, len(*p) == before
}

func readList(f field, p *problems) contracts.Value {
	var raw []json.RawMessage
	if f.value[0] != '[' || json.Unmarshal(f.value, &raw) != nil {
		p.add(f.name, "want an array of strings, found %s", f.kind())
		return contracts.Value{}
	}
	elements := make([]contracts.Value, len(raw))
	for i := range raw {
		e := field{name: element(f.name, i), value: raw[i]}
		text, ok := e.text()
		if !ok {
			p.add(e.name, "want a string of whole characters, found %s", e.kind())
			if len(*p) >= maxNamedProblems {
				break
			}
		}
		elements[i] = contracts.String(text)
	}
	return contracts.List(elements...)
}

func element(list string, at int) string { return fmt.Sprintf("%s[%d]", list, at) }
