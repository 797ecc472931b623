package replica_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/google/go-cmp/cmp"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/contracts/profilev1"
	"github.com/tributary-dev/tributary/pkg/replica"
)

// bench is a relay whose neighbours are all in memory.
type bench struct {
	relay *replica.Relay
	out   *scripted
	dlq   *letters
}

func newBench(t *testing.T, out *scripted) *bench {
	t.Helper()
	m := profileManifest(t)
	source, err := replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{out: out, dlq: &letters{}}
	b.relay, err = replica.NewRelay(replica.RelayConfig{
		Sources: []*replica.Source{source}, Table: noTable{}, Publisher: out, DeadLetters: b.dlq, Logger: quiet,
		Now: func() time.Time { return made },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// noTable is a source table that nothing may be stamped in.
type noTable struct{}

var errNoTable = errors.New("table is down")

func (noTable) Read(context.Context, contracts.Item) (contracts.Item, error) { return nil, errNoTable }
func (noTable) Restamp(context.Context, contracts.Item, contracts.Item, contracts.Item) (bool, error) {
	return false, errNoTable
}
func (noTable) PutAbsent(context.Context, contracts.Item, contracts.Item) (bool, error) {
	return false, errNoTable
}

// scripted is a publisher that fails as told, by subject.
type scripted struct {
	fail     map[string]error // subject -> failure of its entry
	oversize map[string]int   // subject -> size
	refused  map[string]error // subject -> why it can never be sent
	down     error            // failure of the whole call
	calls    int
	sent     []*contracts.Change
}

func (p *scripted) Close() error { return nil }

func (p *scripted) Publish(topic string, messages ...*message.Message) error {
	p.calls++
	if topic != "company-profile-v1" {
		return fmt.Errorf("topic %q", topic)
	}
	var changes []*contracts.Change
	over := &replica.OversizeError{Bytes: map[int]int{}, LimitBytes: 262144}
	refused := &replica.RefusedError{Causes: map[int]error{}}
	partial := &replica.PublishError{Failed: map[int]error{}}
	for i, m := range messages {
		c, err := contracts.Decode(m.Payload, catalog)
		if err != nil {
			return err
		}
		changes = append(changes, c)
		if size := p.oversize[c.Subject]; size > 0 {
			over.Bytes[i] = size
		}
		if err := p.refused[c.Subject]; err != nil {
			refused.Causes[i] = err
		}
		if err := p.fail[c.Subject]; err != nil {
			partial.Failed[i] = err
		}
	}
	switch {
	case p.down != nil:
		return p.down
	case len(over.Bytes) > 0:
		return errors.Join(refused, over)
	case len(refused.Causes) > 0:
		return refused
	}
	for i, c := range changes {
		if partial.Failed[i] == nil {
			p.sent = append(p.sent, c)
		}
	}
	if len(partial.Failed) > 0 {
		return partial
	}
	return nil
}

var made = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var sequence int

// changed is the record of a versioned write d after made.
func changed(cik string, d time.Duration, before, after contracts.Item) replica.Record {
	sequence++
	rec := replica.Record{
		EventID: "e", EventName: replica.Modify, SequenceNumber: fmt.Sprintf("1%020d", sequence),
		Created: made, Keys: keyOf(cik), Old: before, New: after,
	}
	v := contracts.VersionAt(made.Add(d))
	if rec.Old == nil {
		rec.EventName = replica.Insert
	} else {
		rec.Old["cik"], rec.Old["version"] = keyOf(cik)["cik"], (v - 1).Value()
	}
	rec.New["cik"], rec.New["version"] = keyOf(cik)["cik"], v.Value()
	return rec
}

func created(cik string, d time.Duration, name string) replica.Record {
	return changed(cik, d, nil, attrs("name", name))
}

func subjects(changes []*contracts.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.Subject+"="+c.Attributes["name"].Text())
	}
	slices.Sort(out)
	return out
}

func positions(failed map[int]error) []int {
	var out []int
	for at := range failed {
		out = append(out, at)
	}
	slices.Sort(out)
	return out
}

func TestRelayMergesAnItemsRecordsIntoItsLatestState(t *testing.T) {
	b := newBench(t, &scripted{})
	failed := b.relay.Handle(t.Context(), []replica.Record{
		changed("1", 0, attrs("name", "a", "sector", "x"), attrs("name", "b", "sector", "x")),
		changed("1", 2*time.Second, attrs("name", "b", "sector", "y"), attrs("name", "b", "sector", "z")),
		changed("1", time.Second, attrs("name", "b", "sector", "x"), attrs("name", "b", "sector", "y")),
		created("2", 0, "other"),
	})
	if len(failed) > 0 {
		t.Fatal(failed)
	}
	if diff := cmp.Diff([]string{"1=b", "2=other"}, subjects(b.out.sent)); diff != "" {
		t.Fatal(diff)
	}
	for _, c := range b.out.sent {
		if c.Subject != "1" {
			continue
		}
		if want := contracts.VersionAt(made.Add(2 * time.Second)); c.Version != want || c.Attributes["sector"].Text() != "z" {
			t.Errorf("published %s with sector %q, want the state of %s", c.Version, c.Attributes["sector"].Text(), want)
		}
		if diff := cmp.Diff([]string{"name", "sector"}, c.Changed); diff != "" {
			t.Errorf("changed is not the union of all merged records:\n%s", diff)
		}
	}
}

// What changed is decided record by record: a value that went and came back
// within a batch was still published once, perhaps, in an earlier batch.
func TestRelayPublishesWhatChangedThereAndBack(t *testing.T) {
	b := newBench(t, &scripted{})
	b.relay.Handle(t.Context(), []replica.Record{
		changed("1", 0, attrs("name", "a"), attrs("name", "b")),
		changed("1", time.Second, attrs("name", "b"), attrs("name", "a")),
	})
	if len(b.out.sent) != 1 || len(b.out.sent[0].Changed) != 1 {
		t.Errorf("published %v, want one change of the name", b.out.sent)
	}
}

func TestRelayReportsEveryRecordOfAMergedMessageThatFails(t *testing.T) {
	b := newBench(t, &scripted{fail: map[string]error{"1": errors.New("InternalError")}})
	failed := b.relay.Handle(t.Context(), []replica.Record{
		created("2", 0, "two"),
		created("1", 0, "a"),
		created("3", 0, "three"),
		changed("1", time.Second, attrs("name", "a"), attrs("name", "b")),
	})
	if diff := cmp.Diff([]int{1, 3}, positions(failed)); diff != "" {
		t.Errorf("failed:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"2=two", "3=three"}, subjects(b.out.sent)); diff != "" {
		t.Errorf("neighbours:\n%s", diff)
	}
	if got := failed[1].Error(); !strings.HasPrefix(got, "publish company.profile/v1 1@") {
		t.Errorf("error %q does not say what failed", got)
	}
}

func TestRelayFailsEveryRecordWhenTheTopicIsDown(t *testing.T) {
	b := newBench(t, &scripted{down: errors.New("connection refused")})
	failed := b.relay.Handle(t.Context(), []replica.Record{created("1", 0, "a"), created("2", 0, "b")})
	if diff := cmp.Diff([]int{0, 1}, positions(failed)); diff != "" {
		t.Error(diff)
	}
	if len(b.dlq.kept) > 0 {
		t.Error("an outage was taken for poison")
	}
}

func TestPoisonGoesToTheDeadLetterQueueAndCostsNoNeighbour(t *testing.T) {
	nameless := created("9", 0, "")
	delete(nameless.New, "name")
	wrongType := created("9", 0, "")
	wrongType.New["tickers"] = contracts.StringSet("A", "B")
	damaged := created("9", 0, "")
	damaged.Damaged, damaged.New = errors.New("NewImage: attribute type is not known"), nil
	for name, c := range map[string]struct {
		poison replica.Record
		out    *scripted
		reason string
		detail string
	}{
		"a required attribute is missing":    {nameless, &scripted{}, "state violates the contract", "attributes.name"},
		"an attribute has the wrong type":    {wrongType, &scripted{}, "state violates the contract", "attributes.tickers"},
		"a record that cannot be read":       {damaged, &scripted{}, "undecodable record", "NewImage"},
		"a message over the topic's limit":   {created("9", 0, "big"), &scripted{oversize: map[string]int{"9": 300000}}, "larger than the topic accepts", "300000 bytes"},
		"a message SNS cannot take":          {created("9", 0, "odd"), &scripted{refused: map[string]error{"9": errors.New("has 11 attributes")}}, "not a message SNS accepts", "11 attributes"},
		"a message the topic always refuses": {created("9", 0, "odd"), &scripted{fail: map[string]error{"9": &replica.RejectedError{Reason: "refused by SNS", Err: errors.New("InvalidParameter")}}}, "refused by SNS", "InvalidParameter"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.out)
			failed := b.relay.Handle(t.Context(), []replica.Record{created("1", 0, "a"), c.poison, created("2", 0, "b")})
			if len(failed) > 0 {
				t.Fatalf("failed: %v", failed)
			}
			if diff := cmp.Diff([]string{"1=a", "2=b"}, subjects(b.out.sent)); diff != "" {
				t.Errorf("neighbours:\n%s", diff)
			}
			if len(b.dlq.kept) != 1 {
				t.Fatalf("%d dead letters, want 1", len(b.dlq.kept))
			}
			letter := b.dlq.kept[0]
			if letter.Reason != c.reason || !strings.Contains(letter.Detail, c.detail) {
				t.Errorf("reason %q, detail %q; want %q, %q", letter.Reason, letter.Detail, c.reason, c.detail)
			}
			var body struct {
				Change struct {
					Keys           map[string]map[string]string
					SequenceNumber string
				} `json:"dynamodb"`
			}
			if err := json.Unmarshal(letter.Body, &body); err != nil {
				t.Fatal(err)
			}
			if body.Change.Keys["cik"]["S"] != "9" || body.Change.SequenceNumber != c.poison.SequenceNumber {
				t.Errorf("the body is not the whole record: %s", letter.Body)
			}
		})
	}
}

func TestARecordThatCannotBeDeadLetteredHasFailed(t *testing.T) {
	b := newBench(t, &scripted{})
	b.dlq.err = errors.New("queue is down")
	nameless := created("9", 0, "")
	delete(nameless.New, "name")
	failed := b.relay.Handle(t.Context(), []replica.Record{created("1", 0, "a"), nameless})
	if diff := cmp.Diff([]int{1}, positions(failed)); diff != "" {
		t.Error(diff)
	}
	if len(b.out.sent) != 1 {
		t.Error("the neighbour was not published")
	}
}

func TestAStampThatFailsFailsItsRecordAlone(t *testing.T) {
	b := newBench(t, &scripted{})
	foreign := created("9", 0, "a")
	delete(foreign.New, "version")
	failed := b.relay.Handle(t.Context(), []replica.Record{created("1", 0, "a"), foreign, created("2", 0, "b")})
	if diff := cmp.Diff([]int{1}, positions(failed)); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(failed[1], errNoTable) {
		t.Errorf("error %v hides its cause", failed[1])
	}
	if len(b.out.sent) != 2 {
		t.Error("the neighbours were not published")
	}
}

func TestRelayConfigReportsEveryProblemAtOnce(t *testing.T) {
	_, err := replica.NewRelay(replica.RelayConfig{})
	for _, field := range []string{"Sources", "Table", "Publisher", "DeadLetters"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error %v does not name %s", err, field)
		}
	}
}

func TestMessageCarriesWhatFiltersLookAt(t *testing.T) {
	out := &kept{}
	m := profileManifest(t)
	source, err := replica.NewSource(m.Service, m.Publishes[0], profilev1.Contract)
	if err != nil {
		t.Fatal(err)
	}
	relay, err := replica.NewRelay(replica.RelayConfig{
		Sources: []*replica.Source{source}, Table: noTable{}, Publisher: out, DeadLetters: &letters{}, Now: func() time.Time { return made },
	})
	if err != nil {
		t.Fatal(err)
	}
	gone := changed("1", 0, attrs("name", "a"), contracts.Item{"deleted": contracts.Bool(true)})
	relay.Handle(t.Context(), []replica.Record{gone})
	if len(out.messages) != 1 {
		t.Fatalf("%d messages", len(out.messages))
	}
	want := message.Metadata{
		"type": "company.profile.deleted.v1", "operation": "delete", "origin": "live", "audience": "all",
		"changed": `["name","sector","subIndustry","headquarters","tickers","founded","dateAdded"]`,
	}
	if diff := cmp.Diff(want, out.messages[0].Metadata); diff != "" {
		t.Error(diff)
	}
}

type kept struct{ messages []*message.Message }

func (k *kept) Publish(_ string, messages ...*message.Message) error {
	k.messages = append(k.messages, messages...)
	return nil
}
func (k *kept) Close() error { return nil }

func TestARecordGivenUpIsDeadLetteredUnlessItIsOfNoInterest(t *testing.T) {
	damaged := created("9", 0, "")
	damaged.Damaged, damaged.New, damaged.Keys = errors.New("no keys"), nil, nil
	unshared := changed("1", 0, attrs("name", "a"), attrs("name", "a"))
	for name, c := range map[string]struct {
		rec  replica.Record
		want int
	}{
		"a change":                  {created("1", 0, "a"), 1},
		"a record without its keys": {damaged, 1},
		"nothing shared changed":    {unshared, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, &scripted{})
			if err := b.relay.GiveUp(t.Context(), c.rec, errors.New("throttled for hours")); err != nil {
				t.Fatal(err)
			}
			if len(b.dlq.kept) != c.want {
				t.Fatalf("%d dead letters, want %d", len(b.dlq.kept), c.want)
			}
			b.dlq.err = errors.New("queue is down")
			if err := b.relay.GiveUp(t.Context(), c.rec, errors.New("throttled")); (err != nil) != (c.want > 0) {
				t.Errorf("with the queue down: %v", err)
			}
		})
	}
}

// A record of two images of the largest items may not fit the queue. Its key
// does, and is all that putting it back needs.
func TestARecordThatDoesNotFitTheQueueGoesWithoutItsImages(t *testing.T) {
	for name, c := range map[string]struct {
		limit int
		want  []string
	}{
		"whole":               {1 << 20, []string{"Keys", "NewImage", "OldImage"}},
		"without the old one": {600, []string{"Keys", "NewImage"}},
		"without both":        {400, []string{"Keys"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, &scripted{})
			b.dlq.limit = c.limit
			big := changed("9", 0, attrs("sector", strings.Repeat("x", 200)), attrs("sector", strings.Repeat("y", 200)))
			if failed := b.relay.Handle(t.Context(), []replica.Record{big}); len(failed) > 0 {
				t.Fatal(failed)
			}
			var body struct {
				Change map[string]json.RawMessage `json:"dynamodb"`
			}
			if err := json.Unmarshal(b.dlq.kept[0].Body, &body); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, part := range []string{"Keys", "NewImage", "OldImage"} {
				if _, ok := body.Change[part]; ok {
					got = append(got, part)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if said := strings.Contains(b.dlq.kept[0].Detail, "left out"); said != (len(c.want) < 3) {
				t.Errorf("the letter says %q", b.dlq.kept[0].Detail)
			}
		})
	}
}
