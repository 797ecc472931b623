package sns

import (
	"context"
	"regexp"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// maxEntries is how many messages a batch may have ("PublishBatch").
const maxEntries = 10

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

type batchEntry struct {
	id    string
	draft draft
}

type publishBatchInput struct {
	topicARN string
	entries  []batchEntry
}

type batchSuccess struct {
	ID             string `xml:"Id"`
	MessageID      string `xml:"MessageId"`
	SequenceNumber string `xml:",omitempty"`
}

type batchFailure struct {
	ID          string `xml:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

type publishBatchOutput struct {
	Successful []batchSuccess `xml:"Successful>member"`
	Failed     []batchFailure `xml:"Failed>member"`
}

// publishBatch sends up to ten messages. What is wrong with the batch (its
// number of entries, their ids, its size, an entry that the kind of topic
// cannot take) refuses all of it; what is wrong with a message fails its
// entry alone.
var publishBatch = action(
	func(p *param) publishBatchInput {
		in := publishBatchInput{topicARN: p.required("TopicArn")}
		for _, entry := range p.list("PublishBatchRequestEntries", "member") {
			in.entries = append(in.entries, batchEntry{id: entry.required("Id"), draft: entry.draft()})
		}
		return in
	},
	func(s *Service, _ context.Context, in publishBatchInput) (any, error) {
		s.mu.Lock()
		t, err := s.topic("TopicArn", in.topicARN)
		if err == nil {
			err = t.admitBatch(in.entries)
		}
		if err != nil {
			s.mu.Unlock()
			return nil, err
		}
		var out publishBatchOutput
		var sends []*send
		for _, entry := range in.entries {
			m, err := entry.draft.check()
			if err == nil {
				err = s.publishFault(t.arn, entry.draft.body)
			}
			var made []*send
			if err == nil {
				m, made, err = s.accept(t, m)
			}
			if err != nil {
				code, text, senderFault := entryError(err)
				out.Failed = append(out.Failed, batchFailure{entry.id, code, text, senderFault})
				continue
			}
			sends = append(sends, made...)
			out.Successful = append(out.Successful, batchSuccess{entry.id, m.id, m.sequence})
		}
		s.mu.Unlock()
		s.send(sends)
		return out, nil
	})

// admitBatch refuses a batch as a whole.
func (t *topic) admitBatch(entries []batchEntry) error {
	switch {
	case len(entries) == 0:
		return wire.Errorf("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case len(entries) > maxEntries:
		return wire.Errorf("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
	}
	ids := map[string]bool{}
	size := 0
	for _, entry := range entries {
		switch {
		case !entryID.MatchString(entry.id):
			return wire.Errorf("InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification.")
		case ids[entry.id]:
			return wire.Errorf("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		ids[entry.id] = true
		size += entry.draft.bytes()
	}
	if size > t.maximumBytes() {
		return wire.Errorf("BatchRequestTooLong", "The length of all the messages put together is more than the limit.")
	}
	for _, entry := range entries {
		if err := t.checkOrdering(entry.draft); err != nil {
			return err
		}
	}
	return nil
}
