package expr

import "testing"

func TestReservedWordsAreAllThere(t *testing.T) {
	if got := len(words.reserved); got != 573 {
		t.Errorf("%d reserved words, want the 573 that are documented", got)
	}
}
