package redrive

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/contracts"
	"github.com/tributary-dev/tributary/pkg/replica/sqssub"
)

// Mover says who put a message into a dead-letter queue.
type Mover string

// The movers.
const (
	// ByConsumer: rejected or given up by the consumer, with the reason.
	ByConsumer Mover = "consumer"
	// BySQS: received as often as the queue's RedrivePolicy allows, by a
	// consumer that crashed or knows no reasons. SQS says where from
	// ("ReceiveMessage", DeadLetterQueueSourceArn).
	BySQS Mover = "sqs"
	// BySNS: SNS could not deliver it to the queue, or somebody sent it there.
	// SNS adds nothing to a message that it moves to a subscription's dead-letter
	// queue ("Amazon SNS dead-letter queues").
	BySNS Mover = "sns"
)

// Reasons of letters without one of their own, by which they are grouped.
const (
	ReasonMovedBySQS = "received too often"
	ReasonMovedBySNS = "not delivered by SNS"
	ReasonUnreadable = "unreadable letter"
)

// foreignAttributes are what other services and engines add to what they move to
// a dead-letter queue (Lambda does: "Capturing records of Lambda asynchronous
// invocations"). They are told as the detail and not put back.
var foreignAttributes = []string{"ErrorMessage", "ErrorCode", "RequestID"}

// Letter is one message of a dead-letter queue.
type Letter struct {
	// ID is SQS's. It names the letter while it is in this queue.
	ID string
	// Reason groups letters; Detail is the error in full.
	Reason, Detail string
	// MovedBy is who put it there, Source the queue it comes from; empty where
	// that is not known.
	MovedBy Mover
	Source  string
	// Contract, Subject, Version, Operation, Origin and Published are the
	// event's; zero where the body is none that is known.
	Contract  string
	Subject   string
	Version   contracts.Version
	Operation contracts.Operation
	Origin    contracts.Origin
	Published time.Time
	// FirstSent is when the message was first sent to a queue that SQS knows of:
	// the main queue where SQS moved it, else this one. Retention counts from it
	// ("Setting-up dead-letter queue retention in Amazon SQS").
	FirstSent time.Time
	// ReceiveCount is how often the consumer received it; 0 if unknown.
	ReceiveCount int
	// Body and Attributes are the original message's.
	Body       []byte
	Attributes map[string]types.MessageAttributeValue
	// About is what a letter that is no event says of its item, as a relay's letters
	// of stream records do.
	About Item
	// Unreadable is why the letter could not be unpacked: Body and Attributes
	// are the letter's own then, and it can be shown and purged alone.
	Unreadable error
	// Unknown is why the body is no event that the catalog knows.
	Unknown error
}

// Item names an item of a contract.
type Item struct{ Contract, Subject string }

// Read reads a message that was received from a dead-letter queue with all its
// attributes. It never fails: what cannot be read says so.
func Read(msg types.Message, catalog *contracts.Catalog) Letter {
	l := Letter{ID: aws.ToString(msg.MessageId), FirstSent: millis(msg.Attributes["SentTimestamp"])}
	unpacked, err := sqssub.ReadDeadLetter(msg)
	if err != nil {
		l.Unreadable, l.Reason, l.Detail = err, ReasonUnreadable, err.Error()
		l.MovedBy = ByConsumer // nobody else packs
		l.Body, l.Attributes = []byte(aws.ToString(msg.Body)), msg.MessageAttributes
		return l
	}
	l.Body, l.Attributes = unpacked.Body, unpacked.Attributes
	l.Reason, l.Detail, l.Source, l.ReceiveCount = unpacked.Reason, unpacked.Detail, unpacked.Source, unpacked.ReceiveCount
	from := msg.Attributes[string(types.MessageSystemAttributeNameDeadLetterQueueSourceArn)]
	switch {
	case l.Reason != "":
		l.MovedBy = ByConsumer
	case from != "":
		l.MovedBy, l.Reason, l.Source = BySQS, ReasonMovedBySQS, from[strings.LastIndexByte(from, ':')+1:]
	default:
		l.MovedBy, l.Reason = BySNS, ReasonMovedBySNS
	}
	if l.MovedBy == BySQS && l.ReceiveCount == 0 {
		l.ReceiveCount, _ = strconv.Atoi(msg.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)])
	}
	l.takeForeign()
	change, err := contracts.Decode(l.Body, catalog)
	if err != nil {
		l.Unknown = err
		metadata := l.metadata() // as the relay writes it beside a record
		l.About = Item{metadata["contract"], metadata["subject"]}
		return l
	}
	if change.Contract != nil {
		l.Contract = change.Contract.ID()
	}
	l.Subject, l.Version, l.Operation = change.Subject, change.Version, change.Operation
	l.Origin, l.Published = change.Origin, change.Published
	return l
}

// takeForeign turns attributes that are none of the message's own into detail.
func (l *Letter) takeForeign() {
	if l.MovedBy == ByConsumer {
		return // which had them when the consumer got it
	}
	var told []string
	kept := maps.Clone(l.Attributes)
	for _, name := range foreignAttributes {
		if a, ok := kept[name]; ok {
			told = append(told, name+" "+aws.ToString(a.StringValue))
			delete(kept, name)
		}
	}
	if len(told) > 0 {
		l.Attributes = kept
		if l.Detail == "" {
			l.Detail = strings.Join(told, ", ")
		}
	}
}

// metadata are the attributes as the consumer sees them.
func (l *Letter) metadata() map[string]string {
	metadata := make(map[string]string, len(l.Attributes))
	for name, a := range l.Attributes {
		if a.StringValue != nil {
			metadata[name] = *a.StringValue
		}
	}
	return metadata
}

// withoutBody is the letter as a list shows it.
func (l Letter) withoutBody() Letter {
	l.Body, l.Attributes = nil, nil
	return l
}

func millis(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// Group counts the letters of one reason and contract.
type Group struct {
	Reason, Contract string
	Letters          int
	// Oldest and Newest are the first and the last FirstSent.
	Oldest, Newest time.Time
	// Detail and ID are of the group's first letter.
	Detail, ID string
}

// groups collects letters by reason and contract.
type groups map[[2]string]*Group

func (g groups) add(l *Letter) {
	at := [2]string{l.Reason, l.Contract}
	group := g[at]
	if group == nil {
		if len(g) >= maxGroups { // reasons are few, unless somebody writes his own
			at = [2]string{"others", ""}
			if group = g[at]; group == nil {
				group = &Group{Reason: "others", Oldest: l.FirstSent, Newest: l.FirstSent, Detail: l.Detail, ID: l.ID}
			}
		} else {
			group = &Group{Reason: l.Reason, Contract: l.Contract, Oldest: l.FirstSent, Newest: l.FirstSent, Detail: l.Detail, ID: l.ID}
		}
		g[at] = group
	}
	group.Letters++
	if l.FirstSent.Before(group.Oldest) {
		group.Oldest = l.FirstSent
	}
	if l.FirstSent.After(group.Newest) {
		group.Newest = l.FirstSent
	}
}

const maxGroups = 1000

// sorted returns the groups, the largest first.
func (g groups) sorted() []Group {
	out := make([]Group, 0, len(g))
	for _, group := range g {
		out = append(out, *group)
	}
	slices.SortFunc(out, func(a, b Group) int {
		if a.Letters != b.Letters {
			return b.Letters - a.Letters
		}
		return strings.Compare(a.Reason+"\x00"+a.Contract, b.Reason+"\x00"+b.Contract)
	})
	return out
}
