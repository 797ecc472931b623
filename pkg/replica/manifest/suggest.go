package manifest

import (
	"slices"
	"strings"
)

// suggest says which of the known names was probably meant, or lists them.
func suggest(name string, known []string) string {
	known = slices.DeleteFunc(slices.Clone(known), func(s string) bool { return s == "" })
	if len(name) <= 64 {
		best, least := "", 3
		for _, candidate := range known {
			if edits := distance(name, candidate); edits < least && edits < len(candidate) {
				best, least = candidate, edits
			}
		}
		if best != "" {
			return "did you mean " + best + "?"
		}
	}
	return "the fields here are " + strings.Join(known, ", ")
}

// distance is how many bytes have to be inserted, deleted or replaced to make
// one text of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
