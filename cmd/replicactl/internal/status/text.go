package status

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tributary-dev/tributary/cmd/replicactl/internal/connect"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/lag"
	"github.com/tributary-dev/tributary/cmd/replicactl/internal/printable"
)

// quiet is after how long a poller that does not say that it follows its stream
// counts as stopped: it says so every minute.
const quiet = 3 * time.Minute

// lasting is from when on a lag is worth a look at its item.
const lasting = time.Minute

// Write prints the report for a person. What could not be read is a ? in the
// tables, what nobody can know a -, each with the reason below.
func (r *Report) Write(out io.Writer) {
	fmt.Fprintf(out, "%s, DynamoDB at %s, SNS at %s, SQS at %s; %s\n", r.Region, r.Endpoints[string(connect.DynamoDB)],
		r.Endpoints[string(connect.SNS)], r.Endpoints[string(connect.SQS)], r.At.Format(time.RFC3339))
	for _, t := range r.Topics {
		fmt.Fprintln(out)
		t.write(out)
	}
	if r.nowhere() {
		fmt.Fprintf(out, "\nnothing that the manifests declare exists in %s: is that the Region and the account meant (AWS_REGION, AWS_PROFILE)? If so, run terraform apply, or replicactl bootstrap --apply at an endpoint of your own\n", r.Region)
	}
	if !r.Complete {
		fmt.Fprintln(out, "\nnot everything could be read: each ? has its reason below it")
	}
}

func (t *Topic) write(out io.Writer) {
	n := &notes{}
	t.missing(n)
	state := cell(n, "topic", t.ARN, func(string) string { return "there" })
	owner := "nobody's here"
	if t.Owner != "" {
		owner = t.Owner + "'s"
	}
	fmt.Fprintf(out, "topic %s: %s, %s, %s\n", t.Name, t.Contract, owner, state)
	if r := t.Relay; r != nil {
		fmt.Fprintf(out, "  relay of %s: stream %s, %s, place kept %s, behind %s, dead letters %s\n", r.Table,
			cell(n, "stream of "+r.Table, r.Stream, func(string) string { return "on" }),
			cell(n, "relay", r.Followed, followed), cell(n, "relay's place", r.Saved, func(i Instant) string { return i.text("never") }),
			cell(n, "relay behind", r.Behind, lag.Age.String), cell(n, r.DeadLetterQueue, r.Letters, total))
		if r.Behind.Value != nil && r.Behind.Value.Note != "" {
			n.add("relay behind: %s", r.Behind.Value.Note)
		}
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "  SUBSCRIBER\tQUEUE\tWAITING\tIN FLIGHT\tDELAYED\tDEAD\tLAG\tSUBSCRIPTION\n")
	for _, s := range t.Subscriptions {
		depth := func(of func(Depth) int) string {
			return plain(s.Depth, func(d Depth) string { return fmt.Sprint(of(d)) })
		}
		n.reason(s.Queue, s.Depth.Unread)
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Subscriber, s.Queue,
			depth(func(d Depth) int { return d.Waiting }), depth(func(d Depth) int { return d.InFlight }), depth(func(d Depth) int { return d.Delayed }),
			cell(n, s.DeadLetterQueue, s.Letters, total), cell(n, s.Subscriber+"'s lag", s.Lag, lag.Age.String),
			cell(n, s.Subscriber+"'s subscription", s.Settings, func(set Settings) string { return n.settings(s.Subscriber, set) }))
		if !t.nothing() {
			n.stores(s)
		}
		if s.Lag.Value != nil && s.Lag.Value.Note != "" {
			n.add("%s's lag: %s", s.Subscriber, s.Lag.Value.Note)
		}
		if late := s.Lag.Value; late != nil && late.Subject != "" && late.Seconds >= lasting.Seconds() {
			n.add("%s's lag is that of %s: replicactl explain %s says why", s.Subscriber, printable.Line(late.Subject), t.Contract)
		}
	}
	if len(t.Subscriptions) == 0 {
		fmt.Fprint(table, "  no manifest subscribes\n")
	}
	table.Flush()
	n.reason("subscriptions of "+t.Name, t.Others.Unread)
	if t.Others.Value != nil {
		for _, o := range *t.Others.Value {
			n.add("no manifest declares the subscription of %s %s: %s", o.Protocol, o.Endpoint, o.text())
		}
	}
	for _, line := range n.lines {
		fmt.Fprintf(out, "  %s\n", line)
	}
}

func (o Other) text() string {
	if o.Unread != "" {
		return o.Unread
	}
	return fmt.Sprintf("filter %s, raw delivery %v, dead letters to %s", orNone(o.Filter), o.Raw, orNone(o.Redrive))
}

// notes are the lines below a topic's table.
type notes struct{ lines []string }

func (n *notes) add(format string, args ...any) {
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notes) reason(what, why string) {
	if why != "" {
		n.add("? %s: %s", what, why)
	}
}

// settings says whether a subscription is as declared, and notes how not.
func (n *notes) settings(subscriber string, set Settings) string {
	for _, d := range set.Differences {
		n.add("! %s's %s has %s, is to have %s", subscriber, d.Field, d.Have, d.Want)
	}
	if len(set.Differences) > 0 {
		return "not as declared"
	}
	return set.Filter
}

// stores notes the subscriber's tables and indexes that are not there.
func (n *notes) stores(s *Subscription) {
	for _, store := range s.Stores {
		name := store.name(s.Subscriber)
		n.reason(name, store.State.Unread)
		if store.State.Missing {
			n.add("! %s does not exist: run terraform apply, or replicactl bootstrap --apply at an endpoint of your own, then replicactl backfill", name)
		}
		// What is UPDATING is read and written all the same ("TableDescription",
		// DynamoDB API reference).
		if is := store.State.Value; is != nil && *is != string(types.TableStatusActive) && *is != string(types.TableStatusUpdating) {
			then := "see why in its description (aws dynamodb describe-table)"
			if *is == string(types.TableStatusCreating) {
				then = "wait"
			}
			n.add("! %s is %s and cannot be read until it is ACTIVE: %s", name, *is, then)
		}
	}
}

// missing notes what does not exist and what to do about it. Where nothing does,
// that is said once for all.
func (t *Topic) missing(n *notes) {
	if t.nothing() {
		return
	}
	note := func(missing bool, then, format string, args ...any) {
		if missing {
			n.add("! %s does not exist: run terraform apply, or replicactl bootstrap --apply at an endpoint of your own%s", fmt.Sprintf(format, args...), then)
		}
	}
	const again = ", then replicactl backfill for what was published meanwhile"
	note(t.ARN.Missing, again, "topic %s", t.Name)
	if t.Relay != nil {
		note(t.Relay.Stream.Missing, ", then replicactl reconcile --repair for what was written meanwhile", "the stream of %s's table %s, by which changes are published,", t.Owner, t.Relay.Table)
		note(t.Relay.Letters.Missing, "", "the relay's dead-letter queue %s", t.Relay.DeadLetterQueue)
	}
	for _, s := range t.Subscriptions {
		note(s.Depth.Missing, again, "%s's queue %s", s.Subscriber, s.Queue)
		note(s.Letters.Missing, "", "%s's dead-letter queue %s", s.Subscriber, s.DeadLetterQueue)
		note(s.Settings.Missing && !t.ARN.Missing && !s.Depth.Missing, again, "%s's subscription to the topic", s.Subscriber)
	}
}

// nothing reports whether none of what the topic needs exists.
func (t *Topic) nothing() bool {
	if !t.ARN.Missing || t.Relay != nil && !(t.Relay.Stream.Missing && t.Relay.Letters.Missing) {
		return false
	}
	for _, s := range t.Subscriptions {
		if !s.Depth.Missing || !s.Letters.Missing || slices.ContainsFunc(s.Stores, func(s Store) bool { return s.Index == "" && !s.State.Missing }) {
			return false
		}
	}
	return true
}

// nowhere reports whether nothing of what the manifests declare exists.
func (r *Report) nowhere() bool {
	return len(r.Topics) > 0 && !slices.ContainsFunc(r.Topics, func(t *Topic) bool { return !t.nothing() })
}

// cell prints a cell, and notes the reason where there is no answer.
func cell[T any](n *notes, what string, c Cell[T], text func(T) string) string {
	n.reason(what, c.Unread)
	if c.Unknown != "" {
		n.add("- %s: %s", what, c.Unknown)
	}
	return plain(c, text)
}

func plain[T any](c Cell[T], text func(T) string) string {
	switch {
	case c.Missing:
		return "missing"
	case c.Unknown != "":
		return "-"
	case c.Value == nil:
		return "?"
	default:
		return text(*c.Value)
	}
}

func total(d Depth) string { return fmt.Sprint(d.Total()) }

func (i Instant) text(never string) string {
	if i.At == nil {
		return never
	}
	return lag.Brief(i.AgeSeconds) + " ago"
}

func followed(i Instant) string {
	if i.At != nil && i.AgeSeconds > quiet.Seconds() {
		return "no poller since " + lag.Brief(i.AgeSeconds)
	}
	if i.At == nil {
		return "never polled"
	}
	return "polled " + i.text("")
}
