package sqssub

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestWhatReceivesSayAboutTheNeedForLoops(t *testing.T) {
	const never = 0
	for name, c := range map[string]struct {
		receives   []int
		took       time.Duration
		more, less int // after how many receives it is said first
	}{
		"full ones":             {[]int{10, 10}, time.Millisecond, 2, never},
		"nearly full ones":      {[]int{9, 9, 9}, time.Millisecond, 3, never},
		"seldom full ones":      {[]int{7, 10, 5, 9, 8, 9, 9}, time.Millisecond, 6, never},
		"full ones over oceans": {[]int{10, 10}, 900 * time.Millisecond, 2, never},
		"full ones after waits": {slices.Repeat([]int{10}, 100), 3 * time.Second, never, never},
		"half full ones":        {slices.Repeat([]int{5}, 1000), time.Millisecond, never, never},
		"a full one now and then": {slices.Repeat([]int{10, 5, 4, 4, 4}, 100), time.Millisecond,
			never, never},
		"an empty one":                   {[]int{10, 10, 0}, time.Millisecond, 2, 3},
		"single ones":                    {[]int{1, 1}, time.Millisecond, never, 2},
		"small ones":                     {[]int{3, 3, 3, 3}, time.Millisecond, never, 4},
		"small ones among larger ones":   {slices.Repeat([]int{2, 6, 1, 8}, 100), time.Millisecond, never, never},
		"what was enough and now is not": {[]int{8, 8, 8, 2, 2}, time.Millisecond, never, 5},
	} {
		var l load
		more, less := never, never
		for i, n := range c.receives {
			m, f := l.note(n, c.took)
			if m && more == never {
				more = i + 1
			}
			if f && less == never {
				less = i + 1
			}
		}
		if more != c.more || less != c.less {
			t.Errorf("%s: more after %d, fewer after %d receives, want %d and %d", name, more, less, c.more, c.less)
		}
	}
}

// No receive both starts a loop and ends one, and what two loops share half
// each, of what started the second, keeps both.
func TestLoopsDoNotStartAndEndInTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l load
		for range 100 {
			more, less := l.note(rapid.IntRange(0, MaxBatchMessages).Draw(t, "messages"), time.Millisecond)
			if more && less {
				t.Fatal("another loop is worthwhile and this one is not")
			}
		}
		l = load{}
		for range 100 {
			half := rapid.IntRange(busyAbove+1, MaxBatchMessages).Draw(t, "busy") / 2
			if more, less := l.note(half, time.Millisecond); more || less {
				t.Fatalf("half of what starts a loop, %d messages, starts or ends one", half)
			}
		}
	})
}
