package contracts_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
)

func TestNextStrictlyIncreasesAndFollowsTheClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		version := contracts.Version(rapid.Int64Range(0, math.MaxInt64-100).Draw(t, "floor"))
		for range rapid.IntRange(1, 20).Draw(t, "writes") {
			now := anyTime().Draw(t, "now")
			next, err := contracts.Next(now, version)
			if err != nil {
				t.Fatal(err)
			}
			if next <= version || next < contracts.VersionAt(now) {
				t.Fatalf("%d at %s is followed by %d", version, now, next)
			}
			if next != version+1 && next != contracts.VersionAt(now) {
				t.Fatalf("%d at %s is followed by %d, further than it need be", version, now, next)
			}
			version = next
		}
	})
}

func TestTheLastVersionHasNoNext(t *testing.T) {
	if v, err := contracts.Next(time.Now(), math.MaxInt64); err == nil {
		t.Errorf("next is %d", v)
	}
	if v, err := contracts.Next(time.Now(), math.MaxInt64-1); err != nil || v != math.MaxInt64 {
		t.Errorf("%d, %v", v, err)
	}
}

func TestVersionIsItsInstantInMicroseconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := contracts.Version(rapid.Int64Min(1).Draw(t, "version"))
		if got := contracts.VersionAt(v.Time()); got != v {
			t.Fatalf("%d is %s, which is %d", v, v.Time(), got)
		}
	})
	at := time.Date(2024, 11, 7, 17, 20, 0, 123456789, time.UTC)
	if got := contracts.VersionAt(at); got != 1731000000123456 {
		t.Errorf("%s is %d", at, got)
	}
	for name, row := range map[string]struct {
		at   time.Time
		want contracts.Version
	}{
		"before the epoch":        {time.Unix(-5, 0), 1},
		"the zero time":           {time.Time{}, 1},
		"long before":             {time.Date(-300_000, 1, 1, 0, 0, 0, 0, time.UTC), 1},
		"after the last version":  {time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC), math.MaxInt64},
		"the end of what Go says": {time.Unix(math.MaxInt64-62135596801, 0), math.MaxInt64},
	} {
		if got := contracts.VersionAt(row.at); got != row.want {
			t.Errorf("%s: %d, want %d", name, got, row.want)
		}
	}
}

func TestVersionHasOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := contracts.Version(rapid.Int64Min(1).Draw(t, "version"))
		got, err := contracts.ParseVersion(v.String())
		if err != nil || got != v {
			t.Fatalf("%d: %d, %v", v, got, err)
		}
		for _, other := range []string{"0" + v.String(), "+" + v.String(), v.String() + ".0", v.String() + "e0", " " + v.String()} {
			if got, err := contracts.ParseVersion(other); err == nil {
				t.Fatalf("%q parses to %d", other, got)
			}
		}
	})
	_, err := contracts.ParseVersion(strings.Repeat("é", 5000))
	if err == nil || len(err.Error()) > 1000 {
		t.Errorf("an error of any length: %v", err)
	}
}

func TestInvalidStoredVersionCountsAsMissing(t *testing.T) {
	now := contracts.Version(1731000000000000).Time()
	for name, row := range map[string]struct {
		value  contracts.Value
		latest time.Time
		want   contracts.Version
	}{
		"a version":           {contracts.Number("1730999999999999"), now, 1730999999999999},
		"the latest allowed":  {contracts.Number("1731000000000000"), now, 1731000000000000},
		"past the latest":     {contracts.Number("1731000000000001"), now, 0},
		"without a bound":     {contracts.Number("9223372036854775807"), time.Time{}, math.MaxInt64},
		"none":                {contracts.Value{}, now, 0},
		"a string":            {contracts.String("5"), now, 0},
		"zero":                {contracts.Number("0"), now, 0},
		"negative":            {contracts.Number("-5"), now, 0},
		"a fraction":          {contracts.Number("5.5"), now, 0},
		"more than 63 bits":   {contracts.Number("9223372036854775808"), time.Time{}, 0},
		"thirty-eight digits": {contracts.Number(strings.Repeat("9", 38)), time.Time{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := contracts.VersionOf(row.value, row.latest); got != row.want {
				t.Errorf("%d, want %d", got, row.want)
			}
		})
	}
	if got := contracts.VersionOf(contracts.Version(7).Value(), now); got != 7 {
		t.Errorf("a stored version reads back as %d", got)
	}
}
