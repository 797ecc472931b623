// Package printable makes texts that others wrote, such as what items hold and
// messages say, fit for a terminal.
//
// It promises that nothing in them commands the terminal, turns what follows
// round or, on one line, begins another. It is for text alone: JSON has escapes.
package printable

import (
	"strings"
	"unicode"
)

// Text is a text in which the characters that command terminals, or change the
// direction of writing, are replaced. Its lines and tabs stay.
func Text(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// Line is such a text on one line, without tabs: each end of a line, and each
// tab, is a space.
func Line(text string) string {
	return Text(strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ").Replace(text))
}
