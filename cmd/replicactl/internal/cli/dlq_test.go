package cli

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
)

// Whatever a letter says, a terminal shows it and does nothing that it says.
func TestALetterCommandsNoTerminal(t *testing.T) {
	const hostile = "\x1b]0;owned\a\x1b[2J\u202ereversed\u009b31m\r\n\tnext\x00"
	var out bytes.Buffer
	printLetter(&out, &wholeLetter{letterLine: letterLine{ID: "1", Reason: hostile, Detail: hostile, Source: hostile, Subject: hostile},
		Body: hostile, Attributes: map[string]letterAttribute{hostile: {Type: hostile, Value: hostile}}})
	tallyTable(&out, []tallyView{{Action: "refuse", Reason: hostile, ID: hostile, Detail: hostile, Advice: "purge it"}})
	for _, r := range out.String() {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			t.Errorf("%U reached the terminal:\n%q", r, out.String())
			break
		}
	}
	if n := strings.Count(out.String(), "reversed"); n != 11 {
		t.Errorf("the text is there %d times, want 11:\n%q", n, out.String())
	}
	for _, cell := range []string{clipLine(hostile), clipLine(strings.Repeat("a b\n", 100))} {
		if strings.ContainsAny(cell, "\n\t") || len([]rune(cell)) > 101 {
			t.Errorf("a cell of a table is %q", cell)
		}
	}
}
