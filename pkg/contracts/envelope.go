package contracts

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// The rules for single fields of the envelope, which Encode and Decode share.

// checkSource wants a URI-reference, as CloudEvents says; a service's is a
// plain path such as /services/profile.
func checkSource(source string) error {
	if source == "" {
		return wrong("source", missing)
	}
	if source[0] == '/' && plainPath(source[1:]) {
		return nil
	}
	u, err := url.Parse(source)
	if err != nil || u.String() == "" || !utf8.ValidString(source) || hasControl(source) || strings.Contains(source, " ") {
		return wrong("source", "want a URI reference such as /services/profile, got %q", clip(source))
	}
	return nil
}

func plainPath(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '/':
		default:
			return false
		}
	}
	return true
}

// checkSubject wants what CloudEvents allows in a string, which is no control
// characters, and what its readers take for one that is there: not only space.
func checkSubject(subject string) error {
	switch {
	case subject == "":
		return wrong("subject", missing)
	case strings.TrimSpace(subject) == "":
		return wrong("subject", "is blank")
	case !utf8.ValidString(subject):
		return wrong("subject", "not UTF-8: %q", clip(subject))
	case hasControl(subject):
		return wrong("subject", "CloudEvents allows no control characters and no noncharacters: %q", clip(subject))
	}
	return nil
}

// hasControl reports characters that CloudEvents' String may not have: control
// characters and what Unicode says is no character.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || 0x7f <= r && r <= 0x9f || 0xfdd0 <= r && r <= 0xfdef || r&0xfffe == 0xfffe
	})
}

func checkOrigin(origin Origin) error {
	switch origin {
	case Live, Backfill, Replay, Repair:
		return nil
	case "":
		return wrong("origin", missing)
	}
	return wrong("origin", "want live, backfill, replay or repair, got %q", clip(string(origin)))
}

// noTrace is what no trace id and no parent id may be.
const noTrace = "00000000000000000000000000000000"

// checkTraceParent wants W3C's form: version, trace id, parent id and flags.
// A version above 00 may have more after them.
func checkTraceParent(s string) error {
	const n = len("00-0123456789abcdef0123456789abcdef-0123456789abcdef-00")
	ok := len(s) == n || len(s) > n && s[n] == '-' && s[:2] != "00"
	ok = ok && s[2] == '-' && s[35] == '-' && s[52] == '-' && s[:2] != "ff"
	ok = ok && isHex(s[:2]) && isHex(s[3:35]) && isHex(s[36:52]) && isHex(s[53:55])
	ok = ok && s[3:35] != noTrace[:32] && s[36:52] != noTrace[:16]
	for i := n; ok && i < len(s); i++ {
		ok = s[i] > ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if !ok {
		return wrong("traceparent", "want a W3C trace context, got %q", clip(s))
	}
	return nil
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
