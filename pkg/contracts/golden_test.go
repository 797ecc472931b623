package contracts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
)

type golden struct {
	file   string
	change *contracts.Change
}

func goldens(t testing.TB) []golden {
	return []golden{
		{"company.profile.changed.v1.json", typical()},
		{"company.profile.deleted.v1.json", deletion()},
		{"tributary.canary.v1.json", canary()},
		{"test.everything.changed.v3.json", fullChange(everything(t))},
	}
}

func (g golden) body(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "golden", g.file))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b, []byte("\n"))
}

// The golden files are what has been sent. They are never rewritten: where this
// test fails, the code is wrong, or a new major version is due.
func TestGoldenBytesAreEncodedAndDecoded(t *testing.T) {
	all := catalogOf(t, profilev1.Contract, everything(t))
	for _, g := range goldens(t) {
		t.Run(g.file, func(t *testing.T) {
			want := g.body(t)
			got, err := contracts.Encode(g.change)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("Encode (-frozen +now):\n%s", diff)
			}
			change, err := contracts.Decode(want, all)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(g.change, change); diff != "" {
				t.Errorf("Decode (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCloudEventsSDKReadsEveryEvent(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.file, func(t *testing.T) {
			var e event.Event
			if err := e.UnmarshalJSON(g.body(t)); err != nil {
				t.Fatal(err)
			}
			if err := e.Validate(); err != nil {
				t.Fatal(err)
			}
			c := g.change
			got := map[string]any{
				"specversion": e.SpecVersion(), "id": e.ID(), "source": e.Source(), "type": e.Type(), "subject": e.Subject(),
				"time": e.Time(), "datacontenttype": e.DataContentType(), "dataschema": e.DataSchema(),
			}
			want := map[string]any{
				"specversion": "1.0", "id": c.ID(), "source": c.Source, "type": c.Type(), "subject": c.Subject,
				"time": c.Time(), "datacontenttype": "application/json", "dataschema": "",
			}
			extensions := map[string]any{
				"origin":    string(c.Origin),
				"published": c.Published.Format("2006-01-02T15:04:05.000000Z"),
			}
			if c.Contract != nil {
				want["dataschema"] = c.Contract.SchemaID
				extensions["version"] = c.Version.String()
			}
			if c.TraceParent != "" {
				extensions["traceparent"] = c.TraceParent
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("attributes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(extensions, e.Extensions()); diff != "" {
				t.Errorf("extensions (-want +got):\n%s", diff)
			}
			var data struct{ Changed []string }
			if err := e.DataAs(&data); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.Changed, data.Changed); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTimeBeyondRFC3339IsClampedAndVersionDecides(t *testing.T) {
	c := typical()
	c.Version = 1<<63 - 1
	body, err := contracts.Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if want := `"time":"9999-12-31T23:59:59.999999Z"`; !bytes.Contains(body, []byte(want)) {
		t.Errorf("want %s in %s", want, body)
	}
	var e event.Event
	if err := e.UnmarshalJSON(body); err != nil {
		t.Error(err)
	}
	got, err := contracts.Decode(body, catalogOf(t, profilev1.Contract))
	if err != nil {
		t.Fatal(err)
	}
	if got.Version != c.Version {
		t.Errorf("version %d, want %d", got.Version, c.Version)
	}
}

func TestTimesAreWrittenAsRFC3339WithMicroseconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := canary()
		c.Published = anyTime().Draw(t, "published").Add(time.Duration(rapid.IntRange(0, 999).Draw(t, "nanoseconds")))
		c.Published = c.Published.In(time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "hours")*3600))
		body, err := contracts.Encode(c)
		if err != nil {
			t.Fatal(err)
		}
		if want := `"time":"` + c.Published.UTC().Format("2006-01-02T15:04:05.000000Z") + `"`; !bytes.Contains(body, []byte(want)) {
			t.Fatalf("want %s in %s", want, body)
		}
	})
}

func TestVersionDecidesWhereTimeDisagrees(t *testing.T) {
	body := bytes.Replace(goldens(t)[0].body(t), []byte(`"time":"2024-`), []byte(`"time":"1999-`), 1)
	c, err := contracts.Decode(body, catalogOf(t, profilev1.Contract))
	if err != nil {
		t.Fatal(err)
	}
	if !c.Time().Equal(typical().Version.Time()) {
		t.Errorf("time %s, want %s", c.Time(), typical().Version.Time())
	}
}

func TestLagIsMeasuredFromTheVersionAndNeverNegative(t *testing.T) {
	c := typical()
	if got := c.Lag(c.Version.Time().Add(3 * time.Second)); got != 3*time.Second {
		t.Errorf("lag %s, want 3s", got)
	}
	if got := c.Lag(c.Version.Time().Add(-time.Second)); got != 0 {
		t.Errorf("lag of a version ahead of the clock %s, want 0", got)
	}
	if got := canary().Lag(canary().Published.Add(time.Minute)); got != time.Minute {
		t.Errorf("lag of a canary %s, want 1m", got)
	}
}

func TestREADMEShowsAnEvent(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```json\n")
	example, _, _ := strings.Cut(rest, "```")
	got, err := contracts.Decode([]byte(example), catalogOf(t, profilev1.Contract))
	if err != nil {
		t.Fatal(err)
	}
	body, err := contracts.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimSpace(strings.ReplaceAll(example, "\n ", "")); want != string(body) {
		t.Errorf("the README shows\n%s\nwhich is written\n%s", example, body)
	}
}
