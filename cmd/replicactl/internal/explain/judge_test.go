package explain

import (
	"strings"
	"testing"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica"
)

var now = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

// minutesAgo is the version of so many minutes ago.
func minutesAgo(n int) contracts.Version {
	return contracts.VersionAt(now.Add(-time.Duration(n) * time.Minute))
}

func valueOf[T any](v T) status.Cell[T] { return status.Cell[T]{Value: &v} }

// sound is a live item of an hour ago whose every copy is in step, all queues
// empty, the relay done with everything.
func sound() (*Facts, *Subscriber) {
	version := minutesAgo(60)
	f := &Facts{
		At: now, Contract: "company.profile/v1", Subject: "320193",
		Source: Source{Service: "profile", Table: "companies", State: Live, Version: version.String(),
			snapshot: replica.Snapshot{Subject: "320193", Version: version, Live: true}},
		Stream: Stream{Complete: true},
		Relay:  &status.Relay{Behind: valueOf(lag.Age{Kind: lag.None}), Followed: valueOf(status.Instant{At: &now})},
	}
	s := &Subscriber{
		Service: "stats", attributes: []string{"name", "sector"}, lets: []string{"name", "sector"}, secondPass: 5 * time.Second,
		Subscription: &status.Subscription{Subscriber: "stats", Queue: "stats-q", DeadLetterQueue: "stats-dlq",
			Settings: valueOf(status.Settings{}), Depth: valueOf(status.Depth{}), Letters: valueOf(status.Depth{})},
		Copies: []Copy{copyOf("company-stats", replica.InStep, version), copyOf("watchlists by-cik", replica.InStep, version)},
	}
	return f, s
}

func copyOf(name string, drift replica.Drift, stored contracts.Version) Copy {
	return Copy{Replica: name, drift: drift, stored: stored, Drift: drift.String()}
}

func recordOf(action replica.Action, minutes int, changed ...string) Record {
	v := minutesAgo(minutes)
	return Record{Created: v.Time().Truncate(time.Second), Action: action.String(), version: v, Version: v.String(), Changed: changed}
}

func behindBy(minutes int) status.Cell[lag.Age] {
	return valueOf(lag.Age{Kind: lag.Exact, Seconds: float64(minutes) * 60})
}

const (
	wantRepair   = "replicactl reconcile --contract company.profile/v1 --subscriber stats --repair --restart --apply"
	wantBackfill = "replicactl backfill --contract company.profile/v1 --to stats --restart --apply"
	wantRedrive  = "replicactl dlq redrive --contract company.profile/v1 --subscriber stats --subject 320193 --apply"
	wantStream   = "replicactl stream-dlq --contract company.profile/v1 --apply"
)

// Each situation has its verdict and the command that mends it.
func TestVerdicts(t *testing.T) {
	behind := func(s *Subscriber) { s.Copies[0] = copyOf("company-stats", replica.Behind, minutesAgo(90)) }
	for name, c := range map[string]struct {
		change  func(f *Facts, s *Subscriber)
		state   State
		command string
		says    []string
	}{
		"every copy is right": {
			func(*Facts, *Subscriber) {}, StateInStep, "", []string{"nothing is wrong"}},
		"a newer version changed nothing that is copied": {
			func(_ *Facts, s *Subscriber) {
				s.Copies = []Copy{copyOf("company-stats", replica.InStep, minutesAgo(90))}
			}, StateInStep, "", []string{minutesAgo(90).String(), minutesAgo(60).String(), "name, sector"}},
		"right, with superseded letters": {
			func(_ *Facts, s *Subscriber) { s.Letters = []Letter{{version: minutesAgo(90)}} },
			StateInStep, "", []string{"1 superseded"}},
		"right, with letters that are not superseded": {
			func(_ *Facts, s *Subscriber) {
				s.Letters = []Letter{{version: minutesAgo(90)}, {version: minutesAgo(60)}}
			},
			StateInStep, "", []string{"2 messages", "1 of them not superseded", strings.TrimSuffix(wantRedrive, " --apply")}},
		"no such item anywhere, but letters": {
			func(f *Facts, s *Subscriber) {
				f.Source = Source{State: Absent}
				s.Copies = []Copy{copyOf("company-stats", replica.InStep, 0)}
				s.Letters = []Letter{{version: minutesAgo(1)}}
			}, StateNothing, "", []string{"no such item", "1 of them not superseded"}},
		"no such item anywhere": {
			func(f *Facts, s *Subscriber) {
				f.Source = Source{State: Absent}
				s.Copies = []Copy{copyOf("company-stats", replica.InStep, 0)}
			}, StateNothing, "", []string{"no such item and no tombstone"}},
		"deleted everywhere": {
			func(f *Facts, _ *Subscriber) { f.Source.State = Tombstone }, StateInStep, "", nil},
		"a key that is no subject's": {
			func(f *Facts, s *Subscriber) {
				f.Source = Source{State: NotOurs, Problem: "it does not begin with USER-"}
				s.Copies = nil
			}, StateNotOurs, "", []string{"not an item of company.profile/v1", "does not begin with USER-"}},
		"not the contract's any more, and still copied": {
			func(f *Facts, s *Subscriber) {
				f.Source = Source{State: NotOurs, Problem: "it does not match"}
				s.Copies = []Copy{copyOf("company-stats", replica.Extra, minutesAgo(90))}
			}, StateMissed, wantRepair, []string{"extra"}},
		"the source is not readable": {
			func(f *Facts, _ *Subscriber) { f.Source = Source{State: Unreadable, Problem: "access denied"} },
			StateUnknown, "", []string{"access denied"}},
		"the copies are not readable": {
			func(_ *Facts, s *Subscriber) { s.Unread = "company-stats: access denied" },
			StateUnknown, "", []string{"company-stats: access denied"}},
		"only the service can read what it keeps": {
			func(_ *Facts, s *Subscriber) { s.Copies, s.Functions = nil, []string{"index-search"} },
			StateUnknown, "", []string{"index-search"}},
		"an old item that was never stamped": {
			func(f *Facts, _ *Subscriber) { f.Source.State, f.Source.Version = Unversioned, "" },
			StateUnversioned, wantBackfill, []string{"no valid version"}},
		"written without a version a moment ago": {
			func(f *Facts, _ *Subscriber) {
				f.Source.State = Unversioned
				f.Records = []Record{recordOf(replica.Stamp, 0)}
				f.Relay.Behind = valueOf(lag.Age{Kind: lag.Exact, Seconds: 1})
			}, StateOnItsWay, "", []string{"explain again"}},
		"written without a version, and the relay stands still": {
			func(f *Facts, _ *Subscriber) {
				f.Source.State = Unversioned
				f.Records = []Record{recordOf(replica.Stamp, 20)}
				f.Relay.Behind = behindBy(20)
			}, StateRelayBehind, "", []string{"20m ago", "see that the relay runs"}},
		"written without a version, and nothing is known of the relay": {
			func(f *Facts, _ *Subscriber) {
				f.Source.State = Unversioned
				f.Records = []Record{recordOf(replica.Stamp, 20)}
				f.Relay.Behind = status.Cell[lag.Age]{Unknown: "Lambda keeps its own place"}
			}, StateRelayBehind, "", []string{"20m ago", "iterator age"}},
		"the source was changed without a version, which the relay has not seen": {
			func(f *Facts, s *Subscriber) {
				s.Copies[0] = copyOf("company-stats", replica.Different, minutesAgo(60))
				f.Records = []Record{recordOf(replica.Publish, 60, "name"), recordOf(replica.Stamp, 20)}
				f.Relay.Behind = behindBy(20)
			}, StateRelayBehind, "", []string{"20m ago"}},
		"the source was changed without a version a moment ago": {
			func(f *Facts, s *Subscriber) {
				s.Copies[0] = copyOf("company-stats", replica.Different, minutesAgo(60))
				f.Records = []Record{recordOf(replica.Stamp, 0)}
				f.Relay.Behind = status.Cell[lag.Age]{Unknown: "Lambda keeps its own place"}
			}, StateOnItsWay, "", nil},
		"the source was restored, which the relay has not seen": {
			func(f *Facts, s *Subscriber) {
				s.Copies[0] = copyOf("company-stats", replica.Ahead, minutesAgo(50))
				f.Records = []Record{recordOf(replica.Stamp, 20)}
				f.Relay.Behind = behindBy(25)
			}, StateRelayBehind, "", nil},
		"the relay answered the write without a version, and a copy was damaged": {
			func(f *Facts, s *Subscriber) {
				s.Copies[0] = copyOf("company-stats", replica.Different, minutesAgo(60))
				f.Records = []Record{recordOf(replica.Stamp, 61), recordOf(replica.Publish, 60, "name")}
				f.Relay.Behind = behindBy(90)
			}, StateDifferent, wantRepair, nil},
		"the relay is done with a write that it needs not answer": {
			func(f *Facts, s *Subscriber) {
				s.Copies[0] = copyOf("company-stats", replica.Different, minutesAgo(60))
				f.Records = []Record{recordOf(replica.Stamp, 20)}
			}, StateDifferent, wantRepair, nil},
		"a state that the contract refuses": {
			func(f *Facts, s *Subscriber) { f.Source.Problem = "name is a bool"; behind(s) },
			StateUnpublished, "", []string{"name is a bool", "companies"}},
		"the relay gave a record up": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.RelayLetters = []Letter{{Queue: "relay-dlq", Reason: "undecodable record"}}
			}, StateRelayGaveUp, wantStream, []string{"undecodable record", "relay-dlq"}},
		"the relay gave up the record of the present version": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.RelayLetters = []Letter{{Reason: "older", version: minutesAgo(70)}, {Reason: "undecodable record", version: minutesAgo(60)}}
			}, StateRelayGaveUp, wantStream, []string{"undecodable record"}},
		"the relay gave up a record before the item was corrected, and the consumer is dead": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.RelayLetters = []Letter{{Reason: "state violates the contract", version: minutesAgo(70)}}
				f.Records = []Record{recordOf(replica.Publish, 60, "name")}
				s.Subscription.Depth = valueOf(status.Depth{Waiting: 7})
			}, StateInQueue, "", nil},
		"the relay gave up a write without a version before the item was corrected": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.RelayLetters = []Letter{{Reason: "too late", made: minutesAgo(70).Time()}}
			}, StateMissed, wantRepair, nil},
		"the relay gave up a record, and the item is gone without a trace": {
			func(f *Facts, s *Subscriber) {
				f.Source = Source{State: Absent}
				s.Copies = []Copy{copyOf("company-stats", replica.Extra, minutesAgo(90))}
				f.RelayLetters = []Letter{{Reason: "too late", version: minutesAgo(90)}}
			}, StateRelayGaveUp, wantStream, nil},
		"the relay gave up a record, and somebody has written without a version since": {
			func(f *Facts, _ *Subscriber) {
				f.Source.State, f.Source.Version, f.Source.snapshot.Version = Unversioned, "", 0
				f.RelayLetters = []Letter{{Reason: "too late", version: minutesAgo(90)}}
			}, StateUnversioned, wantBackfill, nil},
		"the relay stands still": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Records = []Record{recordOf(replica.Publish, 60, "name")}
				f.Relay.Behind = behindBy(62)
				followed := now.Add(-62 * time.Minute)
				f.Relay.Followed = valueOf(status.Instant{At: &followed})
			}, StateRelayBehind, "", []string{"from 1h0m ago", "followed the stream 1h2m ago"}},
		"the relay stands still behind another item's record": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Records = []Record{recordOf(replica.Publish, 60, "name")}
				f.Relay.Behind = behindBy(30)
			}, StateMissed, wantRepair, nil},
		"just written, and the relay has not kept its place yet": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Records = []Record{recordOf(replica.Publish, 0, "name")}
				f.Relay.Behind = valueOf(lag.Age{Kind: lag.Exact, Seconds: 1})
			}, StateOnItsWay, "", nil},
		"published a moment ago": {
			func(f *Facts, s *Subscriber) { behind(s); f.Records = []Record{recordOf(replica.Publish, 0, "name")} },
			StateOnItsWay, "", []string{"on its way"}},
		"the queue is long": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Records = []Record{recordOf(replica.Publish, 60, "name")}
				s.Subscription.Depth = valueOf(status.Depth{Waiting: 7, InFlight: 2})
			}, StateInQueue, "", []string{"stats-q", "7 waiting, 2 in flight"}},
		"the change is a dead letter": {
			func(_ *Facts, s *Subscriber) {
				behind(s)
				s.Letters = []Letter{
					{Queue: "stats-dlq", Reason: "older", Version: "1", version: 1},
					{Queue: "stats-dlq", Reason: "state does not fit", Version: "7", version: minutesAgo(60)},
				}
			}, StateDeadLetter, wantRedrive, []string{"state does not fit", "version 7", "stats-dlq"}},
		"a dead letter older than the copy mends nothing": {
			func(_ *Facts, s *Subscriber) { behind(s); s.Letters = []Letter{{version: minutesAgo(95)}} },
			StateMissed, wantRepair, nil},
		"the queue does not exist": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				s.Subscription.Depth = status.Cell[status.Depth]{Missing: true}
				f.Records = []Record{recordOf(replica.Publish, 0, "name")}
			}, StateUnsubscribed, wantBackfill, []string{"queue stats-q does not exist"}},
		"the queue is not subscribed": {
			func(_ *Facts, s *Subscriber) {
				behind(s)
				s.Subscription.Settings = status.Cell[status.Settings]{Missing: true}
			}, StateUnsubscribed, wantBackfill, []string{"not subscribed"}},
		"the filter at SNS is older than the manifest": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				s.lets = []string{"sector"}
				f.Records = []Record{recordOf(replica.Publish, 95, "sector"), recordOf(replica.Publish, 60, "name")}
			}, StateFilteredOut, wantBackfill, []string{"only changes of sector", "name, sector"}},
		"the filter let the change through, which got lost": {
			func(f *Facts, s *Subscriber) { behind(s); f.Records = []Record{recordOf(replica.Publish, 60, "name")} },
			StateMissed, wantRepair, []string{wantRepair, wantBackfill}},
		"missed more than a day ago": {
			func(_ *Facts, s *Subscriber) { s.Copies[0] = copyOf("company-stats", replica.Missing, 0) },
			StateMissed, wantRepair, []string{"company-stats is missing"}},
		"a fan-out copy that the second pass did not see": {
			func(_ *Facts, s *Subscriber) {
				s.Copies = append(s.Copies, copyOf("watchlists by-cik", replica.Missing, 0), copyOf("watchlists by-cik", replica.Missing, 0))
			}, StateMissed, wantRepair, []string{"watchlists by-cik (with 1 more copies)"}},
		"the source is gone without a trace, and a copy is left": {
			func(f *Facts, s *Subscriber) {
				f.Source = Source{State: Absent}
				s.Copies = []Copy{copyOf("company-stats", replica.Extra, minutesAgo(90))}
			}, StateMissed, wantRepair, []string{"company-stats is extra"}},
		"a copy is ahead of the source": {
			func(_ *Facts, s *Subscriber) { s.Copies[1] = copyOf("watchlists by-cik", replica.Ahead, minutesAgo(1)) },
			StateAhead, wantRepair, []string{"watchlists by-cik", minutesAgo(1).String(), minutesAgo(60).String()}},
		"something else wrote to a copy": {
			func(_ *Facts, s *Subscriber) {
				s.Copies[0] = copyOf("company-stats", replica.Different, minutesAgo(60))
			},
			StateDifferent, wantRepair, []string{"other content"}},
		"the manifest's mapping is new": {
			func(_ *Facts, s *Subscriber) {
				s.Copies[0] = copyOf("company-stats", replica.Different, minutesAgo(60))
				s.Copies[0].remapped = true
			}, StateRemapped, wantBackfill, []string{"another mapping"}},
		"the relay's place was lost, and the consumer is dead": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Records = []Record{recordOf(replica.Publish, 60, "name")}
				f.Relay.Behind = valueOf(lag.Age{Kind: lag.LessThan, Seconds: 62 * 60})
				s.Subscription.Depth = valueOf(status.Depth{Waiting: 7})
			}, StateInQueue, "", nil},
		"a table of its replicas does not exist": {
			func(_ *Facts, s *Subscriber) { behind(s); s.Gone = []string{"watchlists"} },
			StateNoTable, wantBackfill, []string{"stats's table watchlists does not exist"}},
		"an index of its replicas is being filled": {
			func(_ *Facts, s *Subscriber) {
				s.GoneIndexes = []Index{{Table: "watchlists", Name: "by-cik", State: "CREATING"}}
			},
			StateNoIndex, "", []string{"by-cik of stats's table watchlists is CREATING", "wait"}},
		"of two indexes the one that no waiting brings back": {
			func(_ *Facts, s *Subscriber) {
				s.GoneIndexes = []Index{{Table: "watchlists", Name: "by-cik", State: "CREATING"}, {Table: "portfolios", Name: "by-cik"}}
			},
			StateNoIndex, wantBackfill, []string{"by-cik of stats's table portfolios does not exist"}},
		"never stamped, and the stream is off": {
			func(f *Facts, _ *Subscriber) {
				f.Source.State, f.Source.Version = Unversioned, ""
				f.Relay.Stream = status.Cell[string]{Missing: true}
			}, StateNoStream, wantRepair, []string{"companies is off"}},
		"a letter tells more than the topic that is gone": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Topic = status.Cell[string]{Missing: true}
				s.Letters = []Letter{{version: minutesAgo(60), Reason: "does not fit"}}
			}, StateDeadLetter, wantRedrive, nil},
		"right, though the topic is gone": {
			func(f *Facts, _ *Subscriber) { f.Topic = status.Cell[string]{Missing: true} }, StateInStep, "", nil},
		"nobody receives what waits": {
			func(_ *Facts, s *Subscriber) {
				behind(s)
				s.Subscription.Depth = valueOf(status.Depth{Waiting: 7})
				s.Subscription.Lag = valueOf(lag.Age{Kind: lag.AtLeast, Seconds: 3 * 3600})
			}, StateInQueue, "", []string{"7 waiting; lag at least 3h0m", "nobody seems to receive: see that stats's consumer runs"}},
		"what was received is not done with": {
			func(_ *Facts, s *Subscriber) {
				behind(s)
				s.Subscription.Depth = valueOf(status.Depth{InFlight: 1})
				s.Subscription.Lag = status.Cell[lag.Age]{Unknown: "of a reason"}
			}, StateInQueue, "", []string{"0 waiting, 1 in flight", "lag not known", "hangs", "log"}},
		"under Lambda, nothing is known of the relay": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Relay.Behind = status.Cell[lag.Age]{Unknown: "Lambda keeps its own place"}
				f.Records = []Record{recordOf(replica.Publish, 0, "name")}
			}, StateOnItsWay, "", nil},
		"under Lambda, a change of some time ago may still be before the relay": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Relay.Behind = status.Cell[lag.Age]{Unknown: "Lambda keeps its own place"}
				f.Records = []Record{recordOf(replica.Publish, 20, "name")}
			}, StateMissed, wantRepair, []string{"20m ago", "iterator age"}},
		"status could not be read": {
			func(f *Facts, s *Subscriber) { behind(s); f.Relay, s.Subscription, s.lets = nil, nil, nil },
			StateMissed, wantRepair, []string{"unless it is still in its queues, which were not read"}},
		"the relay stands still, and not all of the stream was read": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Stream, f.Relay.Behind = Stream{Read: 5}, behindBy(62)
			}, StateRelayBehind, "", []string{"1h2m ago", "5 records of the stream were read and not all (--records)"}},
		"the relay is done with the present state, and not all of the stream was read": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Stream.Complete, f.Relay.Behind = false, behindBy(20)
			}, StateMissed, wantRepair, []string{"no change of it is on its way any more"}},
		"the stream was not read, and nothing is known of the relay": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				f.Stream.Complete, f.Relay.Behind = false, status.Cell[lag.Age]{Unknown: "Lambda keeps its own place"}
			}, StateMissed, wantRepair, []string{"no change of it was found", "unless it is still before the relay", "iterator age"}},
		"the relay stands still, the stream was not read, and the source has other content": {
			func(f *Facts, s *Subscriber) {
				s.Copies[0] = copyOf("company-stats", replica.Different, minutesAgo(60))
				f.Stream.Complete, f.Relay.Behind = false, behindBy(20)
			}, StateRelayBehind, "", []string{"20m ago"}},
		"an old item that was never stamped, and the stream was not read": {
			func(f *Facts, _ *Subscriber) {
				f.Source.State, f.Source.Version, f.Source.snapshot.Version = Unversioned, "", 0
				f.Stream.Complete, f.Relay.Behind = false, status.Cell[lag.Age]{Unknown: "Lambda keeps its own place"}
			}, StateUnversioned, wantBackfill, []string{"whether a record of its write waits for the relay is not known"}},
		"how long the queue is could not be read": {
			func(_ *Facts, s *Subscriber) {
				behind(s)
				s.Subscription.Depth = status.Cell[status.Depth]{Unread: "access denied"}
			}, StateMissed, wantRepair, []string{"unless it is still in stats-q, whose depth was not read"}},
		"the dead letters could not be read": {
			func(f *Facts, s *Subscriber) {
				behind(s)
				s.Subscription.Letters, s.lettersUnread = valueOf(status.Depth{Waiting: 3}), true
				f.Relay.DeadLetterQueue, f.Relay.Letters = "relay-dlq", status.Cell[status.Depth]{Unread: "access denied"}
			}, StateMissed, wantRepair, []string{"in the relay's dead-letter queue relay-dlq, which was not read whole, or in its dead-letter queue stats-dlq"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, s := sound()
			c.change(f, s)
			v := Judge(f, s)
			if v.State != c.state || v.Command != c.command {
				t.Errorf("got %q, command %q; want %q, %q", v.State, v.Command, c.state, c.command)
			}
			if !strings.Contains(v.Says, v.Command) {
				t.Errorf("the sentence does not name its command: %s", v.Says)
			}
			for _, want := range c.says {
				if !strings.Contains(v.Says, want) {
					t.Errorf("want %q in: %s", want, v.Says)
				}
			}
			if !strings.HasSuffix(v.Says, ".") && !strings.HasSuffix(v.Says, ";") {
				t.Errorf("no sentence: %s", v.Says)
			}
		})
	}
}

func TestSubjectsAreQuotedForAShell(t *testing.T) {
	for subject, want := range map[string]string{"320193": "320193", "ORG-1/a@b": "ORG-1/a@b", "it's; rm": `'it'\''s; rm'`, "": "''", "ä b": "'ä b'"} {
		if got := quoted(subject); got != want {
			t.Errorf("%q is quoted as %s, want %s", subject, got, want)
		}
	}
}
