package dynamo_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/services/profile/internal/company"
)

func (r *rig) wantItem(t *testing.T, cik string, want contracts.Item) {
	t.Helper()
	if got := r.Item(t, cik); !got.Equal(want) {
		t.Errorf("stored is\n%v\nwant\n%v", got, want)
	}
}

func TestTombstoneAndReturn(t *testing.T) {
	r := newRig(t)
	start := noon.UnixMicro()
	profile := contracts.Item{
		"name": text("3M"), "sector": text("Industrials"), "founded": text(""),
		"tickers": contracts.List(text("MMM"), text("MMM.X")),
	}
	if _, created, err := r.Repository.Put(t.Context(), "7", profile, nil); err != nil || !created {
		t.Fatal(created, err)
	}
	r.wantItem(t, "7", contracts.Item{
		"cik": text("7"), "version": number(start), "writeID": text("write 1"),
		"name": profile["name"], "sector": profile["sector"], "founded": profile["founded"], "tickers": profile["tickers"],
	})
	r.now = noon.Add(-time.Hour) // a clock that goes back does not take versions back
	if err := r.Delete(t.Context(), "7", nil); err != nil {
		t.Fatal(err)
	}
	r.wantItem(t, "7", contracts.Item{
		"cik": text("7"), "version": number(start + 1), "writeID": text("write 2"), "deleted": contracts.Bool(true),
		"expiresAt": number(noon.Add(30 * 24 * time.Hour).Unix()), // by the version, which is later than the clock
	})
	if _, err := r.Company(t.Context(), "7"); !errors.Is(err, company.ErrDeleted) || !errors.Is(err, company.ErrNotFound) {
		t.Errorf("reading it: %v", err)
	}
	c, created, err := r.Repository.Put(t.Context(), "7", named("3M"), nil)
	if err != nil || !created || c.Version != contracts.Version(start+2) {
		t.Fatal(c, created, err)
	}
	r.wantItem(t, "7", contracts.Item{"cik": text("7"), "version": number(start + 2), "writeID": text("write 3"), "name": text("3M")})

	r.now = noon.Add(time.Hour)
	if err := r.Delete(t.Context(), "7", nil); err != nil {
		t.Fatal(err)
	}
	if got, want := r.Item(t, "7")["expiresAt"], number(r.now.Add(30*24*time.Hour).Unix()); !got.Equal(want) {
		t.Errorf("expires at %v, want %v", got, want)
	}
}

// Attributes of others survive what this service writes; bookkeeping of stamps
// is the relay's.
func TestUnknownAttributesSurvive(t *testing.T) {
	r := newRig(t)
	r.World.Put(t, contracts.Item{
		"cik": text("7"), "name": text("3M"), "sector": text("Industrials"), "version": number(5), "stampedVersion": number(5),
		"website": text("3m.com"), "ratings": contracts.NumberSet("1", "2"), "a.b": contracts.Null(),
	})
	if _, _, err := r.Repository.Put(t.Context(), "7", named("3M Company"), nil); err != nil {
		t.Fatal(err)
	}
	change := company.Change{Set: contracts.Item{"founded": text("1902")}, Remove: []string{"sector"}}
	if _, err := r.Patch(t.Context(), "7", change, nil); err != nil {
		t.Fatal(err)
	}
	want := contracts.Item{
		"cik": text("7"), "name": text("3M Company"), "founded": text("1902"), "version": number(noon.UnixMicro() + 1), "writeID": text("write 2"),
		"stampedVersion": number(5), "website": text("3m.com"), "ratings": contracts.NumberSet("1", "2"), "a.b": contracts.Null(),
	}
	r.wantItem(t, "7", want)

	// A patch of one attribute does not undo what something else has written
	// to another between the read and the write.
	r.before = func(string) {
		r.before = nil
		foreign := r.Item(t, "7")
		foreign["headquarters"] = text("Saint Paul")
		r.World.Put(t, foreign)
	}
	c, err := r.Patch(t.Context(), "7", company.Change{Remove: []string{"founded"}}, nil)
	if err != nil || c.Profile.Headquarters == nil || *c.Profile.Headquarters != "Saint Paul" || c.Profile.Founded != nil {
		t.Errorf("%+v %v", c, err)
	}
}

// A stored version that is invalid counts as missing: the next is now's,
// however large the other was, and is still conditional on it.
func TestInvalidVersionsCountAsMissing(t *testing.T) {
	day := int64(24 * time.Hour / time.Microsecond)
	for _, tc := range []struct {
		name   string
		stored contracts.Value
		want   int64 // relative to now
	}{
		{"none", contracts.Value{}, 0},
		{"a text", text("1728561600000000"), 0},
		{"a fraction", contracts.Number("1.5"), 0},
		{"zero", number(0), 0},
		{"negative", number(-3), 0},
		{"past 63 bits", contracts.Number("9223372036854775808"), 0},
		{"more than a day ahead", number(noon.UnixMicro() + day + 1), 0},
		{"a day ahead is valid", number(noon.UnixMicro() + day), day + 1},
		{"the past is valid", number(1), 0},
		{"this very microsecond", number(noon.UnixMicro()), 1},
	} {
		for _, verb := range []string{"put", "patch", "delete"} {
			t.Run(tc.name+", "+verb, func(t *testing.T) {
				r := newRig(t)
				item := contracts.Item{"cik": text("7"), "name": text("3M")}
				if !tc.stored.IsZero() {
					item["version"] = tc.stored
				}
				r.World.Put(t, item)
				r.before = func(string) { // somebody else versions it meanwhile: the write must notice
					r.before = nil
					item["version"], item["name"] = number(77), text("3M!")
					r.World.Put(t, item)
				}
				if err := r.do(t, verb, "7"); err != nil {
					t.Fatal(err)
				}
				if got := r.Item(t, "7")["version"]; len(r.pauses) != 1 || !got.Equal(number(noon.UnixMicro())) {
					t.Errorf("version %s after %d conflicts", got.Text(), len(r.pauses))
				}

				r = newRig(t)
				item = contracts.Item{"cik": text("7"), "name": text("3M")}
				if !tc.stored.IsZero() {
					item["version"] = tc.stored
				}
				r.World.Put(t, item)
				if err := r.do(t, verb, "7"); err != nil {
					t.Fatal(err)
				}
				if got := r.Item(t, "7")["version"]; !got.Equal(number(noon.UnixMicro() + tc.want)) {
					t.Errorf("version %s, want now %+d", got.Text(), tc.want)
				}
			})
		}
	}
}

func (r *rig) do(t *testing.T, verb, cik string) error {
	switch verb {
	case "put":
		_, _, err := r.Repository.Put(t.Context(), cik, named("3M Company"), nil)
		return err
	case "patch":
		_, err := r.Patch(t.Context(), cik, company.Change{Set: contracts.Item{"sector": text("x")}}, nil)
		return err
	default:
		return r.Delete(t.Context(), cik, nil)
	}
}

func TestConflicts(t *testing.T) {
	rewrite := func(r *rig, times int) {
		n := 0
		r.before = func(string) {
			if n++; n <= times {
				r.World.Put(t, contracts.Item{"cik": text("7"), "name": text(fmt.Sprint("other ", n)), "version": number(int64(100 + n))})
			}
		}
	}
	for _, verb := range []string{"put", "patch", "delete"} {
		t.Run(verb+" goes on after conflicts", func(t *testing.T) {
			r := newRig(t)
			rewrite(r, 0)
			r.World.Put(t, contracts.Item{"cik": text("7"), "name": text("3M"), "version": number(100)})
			rewrite(r, 11)
			if err := r.do(t, verb, "7"); err != nil {
				t.Fatal(err)
			}
			if len(r.pauses) != 11 || r.pauses[0] >= r.pauses[3] || r.pauses[10] != 200*time.Millisecond {
				t.Errorf("pauses of at most %v", r.pauses)
			}
		})
		t.Run(verb+" gets its turn beside one who writes more often than it pauses", func(t *testing.T) {
			r := newRig(t)
			r.World.Put(t, contracts.Item{"cik": text("7"), "name": text("3M"), "version": number(100)})
			rewrite(r, 1)
			r.during = func() {
				r.World.Put(t, contracts.Item{"cik": text("7"), "name": text("another"), "version": number(int64(200 + len(r.pauses)))})
			}
			if err := r.do(t, verb, "7"); err != nil {
				t.Fatal(err)
			}
			if len(r.pauses) != 1 {
				t.Errorf("it paused %d times", len(r.pauses))
			}
		})
		t.Run(verb+" gives up when it loses every time", func(t *testing.T) {
			r := newRig(t)
			r.World.Put(t, contracts.Item{"cik": text("7"), "name": text("3M"), "version": number(100)})
			rewrite(r, 1000)
			if err := r.do(t, verb, "7"); !errors.Is(err, company.ErrUnavailable) {
				t.Fatal(err)
			}
			if got := r.Item(t, "7")["name"].Text(); got != "other 12" {
				t.Errorf("stored is %q", got)
			}
		})
		t.Run(verb+" under a precondition is refused at the first conflict", func(t *testing.T) {
			r := newRig(t)
			r.World.Put(t, contracts.Item{"cik": text("7"), "name": text("3M"), "version": number(100)})
			rewrite(r, 1)
			pre := func(s company.State) bool { return s.Exists && s.Version == 100 }
			var err error
			switch verb {
			case "put":
				_, _, err = r.Repository.Put(t.Context(), "7", named("x"), pre)
			case "patch":
				_, err = r.Patch(t.Context(), "7", company.Change{}, pre)
			default:
				err = r.Delete(t.Context(), "7", pre)
			}
			if !errors.Is(err, company.ErrPrecondition) || r.Item(t, "7")["name"].Text() != "other 1" {
				t.Errorf("%v, stored is %v", err, r.Item(t, "7"))
			}
		})
	}
	t.Run("a delete that another delete overtakes finds nothing", func(t *testing.T) {
		r := newRig(t)
		r.World.Put(t, contracts.Item{"cik": text("7"), "name": text("3M"), "version": number(100)})
		r.before = func(string) {
			r.World.Put(t, contracts.Item{"cik": text("7"), "version": number(noon.UnixMicro()), "deleted": contracts.Bool(true)})
		}
		if err := r.Delete(t.Context(), "7", nil); !errors.Is(err, company.ErrDeleted) {
			t.Error(err)
		}
	})
	t.Run("a tombstone that is purged meanwhile does not hold up the return", func(t *testing.T) {
		r := newRig(t)
		r.World.Put(t, contracts.Item{"cik": text("7"), "version": number(100), "deleted": contracts.Bool(true), "expiresAt": number(time.Now().Add(-time.Hour).Unix())})
		r.before = func(string) {
			r.before = nil
			if n, err := r.Engine.DynamoDB().SweepTTL(t.Context()); n != 1 || err != nil {
				t.Fatalf("%d items were purged: %v", n, err)
			}
		}
		c, created, err := r.Repository.Put(t.Context(), "7", named("3M"), nil)
		if err != nil || !created || c.Version != contracts.VersionAt(noon) {
			t.Error(c, created, err)
		}
	})
}

// What something else stored is told from a profile, mended by a put and
// removed by a delete.
func TestDamagedProfiles(t *testing.T) {
	for name, item := range map[string]contracts.Item{
		"a name that is a number": {"name": number(3)},
		"no name":                 {"sector": text("x")},
		"tickers that are a set":  {"name": text("x"), "tickers": contracts.StringSet("A")},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			item["cik"], item["version"] = text("7"), number(100)
			r.World.Put(t, item)
			if _, err := r.Company(t.Context(), "7"); !errors.Is(err, company.ErrDamaged) {
				t.Errorf("read: %v", err)
			}
			if _, err := r.Patch(t.Context(), "7", company.Change{Set: contracts.Item{"founded": text("1")}}, nil); !errors.Is(err, company.ErrDamaged) {
				t.Errorf("patch: %v", err)
			}
			r.wantItem(t, "7", item)
			mend := company.Change{Set: contracts.Item{"name": text("x")}, Remove: []string{"tickers"}}
			if _, err := r.Patch(t.Context(), "7", mend, nil); err != nil {
				t.Errorf("a patch that mends it: %v", err)
			}
			r.World.Put(t, item)
			if _, created, err := r.Repository.Put(t.Context(), "7", named("x"), nil); created || err != nil {
				t.Errorf("put: %v %v", created, err)
			}
			r.World.Put(t, item)
			if err := r.Delete(t.Context(), "7", nil); err != nil {
				t.Errorf("delete: %v", err)
			}
		})
	}
}
