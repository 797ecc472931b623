package sns

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tributary-dev/tributary/pkg/localaws/wire"
)

// message is a message to a topic, as published.
type message struct {
	id              string
	sequence        string // FIFO topics
	published       time.Time
	subject         string
	body            string // as SQS endpoints get it
	attributes      map[string]Attribute
	structured      bool // MessageStructure was json
	groupID         string
	deduplicationID string
}

// draft is a message before it was checked, of Publish or of one entry of
// PublishBatch.
type draft struct {
	body, structure          string
	subject                  string
	hasSubject, hasStructure bool
	attributes               map[string]Attribute
	groupID                  string
	deduplicationID          string
	hasGroup, hasDeduplicate bool
}

// draft reads the parameters that Publish and a batch entry share.
func (p *param) draft() draft {
	d := draft{body: p.required("Message"), attributes: p.attributes("MessageAttributes")}
	d.structure, d.hasStructure = p.optional("MessageStructure")
	d.subject, d.hasSubject = p.optional("Subject")
	d.groupID, d.hasGroup = p.optional("MessageGroupId")
	d.deduplicationID, d.hasDeduplicate = p.optional("MessageDeduplicationId")
	return d
}

// bytes is what counts against a topic's MaximumMessageSize: the body and
// the attributes' names, types and values.
func (d draft) bytes() int {
	size := len(d.body)
	for name, attribute := range d.attributes {
		size += len(name) + len(attribute.DataType) + len(attribute.StringValue) + len(attribute.BinaryValue)
	}
	return size
}

// check refuses what AWS refuses of a message itself ("Publish") and returns
// the message for SQS endpoints.
func (d draft) check() (message, error) {
	switch {
	case d.body == "":
		return message{}, wire.Errorf("InvalidParameter", "Invalid parameter: Empty message")
	case !utf8.ValidString(d.body):
		return message{}, wire.Errorf("InvalidParameter", "Invalid parameter: Message Reason: must be UTF-8")
	case d.hasStructure && d.structure != "json":
		return message{}, wire.Errorf("InvalidParameter", "Invalid parameter: MessageStructure Reason: must be json, not %q", d.structure)
	}
	if err := d.checkSubject(); err != nil {
		return message{}, err
	}
	if err := checkAttributes(d.attributes); err != nil {
		return message{}, err
	}
	m := message{
		subject: d.subject, body: d.body, attributes: d.attributes, structured: d.hasStructure,
		groupID: d.groupID, deduplicationID: d.deduplicationID,
	}
	if m.structured {
		body, err := sqsBody(d.body)
		if err != nil {
			return message{}, err
		}
		m.body = body
	}
	return m, nil
}

func (d draft) checkSubject() error {
	if !d.hasSubject {
		return nil
	}
	wrong := ""
	switch length := utf8.RuneCountInString(d.subject); {
	case length == 0:
		wrong = "must not be empty"
	case length >= 100:
		wrong = fmt.Sprintf("must be less than 100 characters long, not %d", length)
	case !utf8.ValidString(d.subject) || strings.ContainsFunc(d.subject, unicode.IsControl):
		wrong = "must be UTF-8 text without line breaks and control characters"
	default:
		return nil
	}
	return wire.Errorf("InvalidParameter", "Invalid parameter: Subject Reason: %s", wrong)
}

// sqsBody picks the text for SQS from a message of structure json: its sqs
// entry, else its default entry. Entries that are no strings are ignored.
func sqsBody(body string) (string, error) {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &entries); err != nil || entries == nil {
		return "", wire.Errorf("InvalidParameter", "Invalid parameter: Message Structure - JSON message body failed to parse")
	}
	text := func(key string) (string, bool) {
		var value *string
		if json.Unmarshal(entries[key], &value) != nil || value == nil {
			return "", false
		}
		return *value, true
	}
	fallback, ok := text("default")
	if !ok {
		return "", wire.Errorf("InvalidParameter", "Invalid parameter: Message Structure - No default entry in JSON message body")
	}
	if own, ok := text("sqs"); ok {
		return own, nil
	}
	return fallback, nil
}
