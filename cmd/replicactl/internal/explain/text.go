package explain

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/printable"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/status"
)

// maxRecordsShown is how many stream records the text shows, the latest.
const maxRecordsShown = 10

// maxCopiesShown is how many copies of one replica that are in step the text
// shows; those that are not are all shown.
const maxCopiesShown = 3

// page is what the facts are printed on: no text that others wrote, in an item or
// a message, commands the terminal or begins a line of its own.
type page struct{ io.Writer }

func (p page) print(format string, args ...any) {
	for i, arg := range args {
		if text, ok := arg.(string); ok {
			args[i] = printable.Line(text)
		}
	}
	fmt.Fprintf(p, format, args...)
}

// Write prints the facts for a person: the sentences first.
func (f *Facts) Write(to io.Writer) {
	out := page{to}
	for i := range f.Subscribers {
		s := &f.Subscribers[i]
		out.print("%s: %s\n", s.Service, s.Verdict.Says)
	}
	if len(f.Subscribers) == 0 {
		out.print("no manifest subscribes to %s\n", f.Contract)
	}
	f.writeSource(out)
	f.writeRecords(out)
	for i := range f.Subscribers {
		f.writeSubscriber(out, &f.Subscribers[i])
	}
	if len(f.Unread) > 0 {
		out.print("\nnot read\n")
		for _, u := range f.Unread {
			out.print("  %s\n", u)
		}
	}
}

func (f *Facts) writeSource(out page) {
	s := &f.Source
	out.print("\nsource %s %s: %s", s.Table, pairs(s.Key), s.State)
	if s.Version != "" {
		age := ago(f.At.Sub(*s.Written)) + " ago"
		if ahead := s.Written.Sub(f.At); ahead >= time.Second { // as after a stamp above a copy that was ahead
			age = ago(ahead) + " ahead of the clock"
		}
		out.print(", version %s of %s, %s", s.Version, s.Written.Format(time.RFC3339Nano), age)
	}
	out.print("\n")
	if s.Problem != "" {
		out.print("  %s\n", s.Problem)
	}
	writeFields(out, s.Shared)
	if f.Relay == nil {
		return
	}
	if f.Topic.Missing {
		out.print("  topic: missing, so that nothing new reaches anybody\n")
	}
	out.print("  relay: behind %s, place kept %s, polled %s, %s dead letters (%d about this item)\n",
		behindText(f.Relay.Behind), instantText(f.Relay.Saved), instantText(f.Relay.Followed), depthText(f.Relay.Letters), len(f.RelayLetters))
	writeLetters(out, f.RelayLetters)
}

func (f *Facts) writeRecords(out page) {
	out.print("\nstream since %s: %d records of the item among %d", f.Stream.Since.Format(time.RFC3339), len(f.Records), f.Stream.Read)
	if !f.Stream.Complete {
		out.print("; not all were read")
	}
	out.print("\n")
	records := f.Records
	if left := len(records) - maxRecordsShown; left > 0 {
		out.print("  %d older ones\n", left)
		records = records[left:]
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	rows := page{table}
	for _, r := range records {
		what := strings.Join(r.Changed, ", ")
		if r.Problem != "" {
			what = r.Problem
		}
		rows.print("  %s\t%s\tversion %s\t%s\t%s\n", r.Created.Format(time.RFC3339), r.Event, orNone(r.Version), r.Action, what)
	}
	table.Flush()
}

func (f *Facts) writeSubscriber(out page, s *Subscriber) {
	out.print("\n%s: %s\n", s.Service, s.Verdict.State)
	if sub := s.Subscription; sub != nil {
		out.print("  queue %s: %s; dead letters %s (%d about this item)\n", sub.Queue, depthText(sub.Depth), depthText(sub.Letters), len(s.Letters))
		out.print("  lag, the oldest change not applied: %s\n", lagText(sub.Lag))
		if sub.Settings.Missing && !f.Topic.Missing {
			out.print("  subscription: missing, so that nothing new reaches the queue\n")
		}
		if sub.Settings.Value != nil {
			for _, d := range sub.Settings.Value.Differences {
				out.print("  subscription: %s is %s, the manifest says %s\n", d.Field, d.Have, d.Want)
			}
		}
	}
	for _, i := range s.GoneIndexes {
		state := i.State
		if state == "" {
			state = "missing"
		}
		out.print("  index %s of %s: %s\n", i.Name, i.Table, state)
	}
	writeLetters(out, s.Letters)
	shown, hidden := make(map[string]int), make(map[string]int)
	for _, c := range s.Copies {
		if c.Drift == "in step" {
			if shown[c.Replica]++; shown[c.Replica] > maxCopiesShown {
				hidden[c.Replica]++
				continue
			}
		}
		out.print("  %s %s: %s, version %s\n", c.Replica, pairs(c.Key), c.Drift, orNone(c.Version))
		writeFields(out, c.Fields)
	}
	for _, name := range slices.Sorted(maps.Keys(hidden)) {
		out.print("  %s: %d more copies in step\n", name, hidden[name])
	}
	for _, l := range s.LookedAt {
		out.print("  %s: not all were looked at, only %d (--copies)\n", l.Replica, l.Copies)
	}
	for _, name := range s.Functions {
		out.print("  function %s: known to the service alone\n", name)
	}
}

func writeLetters(out page, letters []Letter) {
	for _, l := range letters {
		out.print("  dead letter %s: version %s, %s\n", l.ID, orNone(l.Version), l.Reason)
		if l.Detail != "" {
			out.print("    %s\n", l.Detail)
		}
	}
}

func writeFields(out page, fields map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		out.print("    %s = %s\n", name, fields[name])
	}
}

func pairs(key map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(key)) {
		parts = append(parts, name+"="+key[name])
	}
	return strings.Join(parts, " ")
}

// absent says why a cell has no value: what was not read is among the facts, with
// the reason.
func absent[T any](c status.Cell[T]) string {
	switch {
	case c.Missing:
		return "missing"
	case c.Unknown != "":
		return "not known (" + c.Unknown + ")"
	}
	return "not read"
}

func depthText(c status.Cell[status.Depth]) string {
	if c.Value == nil {
		return absent(c)
	}
	if d := *c.Value; d.Delayed > 0 {
		return fmt.Sprintf("%d waiting, %d in flight, %d delayed", d.Waiting, d.InFlight, d.Delayed)
	} else if d.InFlight > 0 {
		return fmt.Sprintf("%d waiting, %d in flight", d.Waiting, d.InFlight)
	}
	return fmt.Sprintf("%d waiting", c.Value.Waiting)
}

func instantText(c status.Cell[status.Instant]) string {
	switch {
	case c.Value == nil:
		return absent(c)
	case c.Value.At == nil:
		return "never"
	default:
		return ago(time.Duration(c.Value.AgeSeconds*float64(time.Second))) + " ago"
	}
}

func behindText(c status.Cell[lag.Age]) string {
	switch {
	case c.Value == nil:
		return absent(c)
	case c.Value.Kind == lag.None:
		return "nothing"
	case c.Value.Kind == lag.LessThan:
		return "less than " + ago(time.Duration(c.Value.Seconds*float64(time.Second)))
	default:
		return ago(time.Duration(c.Value.Seconds * float64(time.Second)))
	}
}

// lagText says how old the oldest change is, of which item, and what else to
// know; and where it is not known, why.
func lagText(c status.Cell[lag.Age]) string {
	switch {
	case c.Unread != "":
		return "not read: " + c.Unread
	case c.Value == nil:
		return "not known: " + c.Unknown
	}
	text := c.Value.String()
	if c.Value.Subject != "" {
		text += ", of " + c.Value.Subject
	}
	if c.Value.Note != "" {
		text += " (" + c.Value.Note + ")"
	}
	return text
}
