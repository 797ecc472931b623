package sqssub

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/tributary-dev/tributary/pkg/replica"
)

// Attributes of a dead letter beside those named in package replica.
const (
	// DeadLetterEncoding says how the body is encoded; it is there only where
	// the body is not itself: because it was too large, or is not text that SQS
	// takes.
	DeadLetterEncoding = "tributary-encoding"
	// DeadLetterRest is a JSON object of those attributes of the original for
	// which there was no room beside the dead letter's own.
	DeadLetterRest = "tributary-attributes"

	encodingGzip = "gzip+base64"
)

const (
	// maxDetailBytes bounds the detail; an error text longer than that quotes
	// the message.
	maxDetailBytes = 8 << 10
	// maxBodyBytes bounds what ReadDeadLetter unpacks.
	maxBodyBytes = 64 << 20
)

// letter is a message on its way to a dead-letter queue.
type letter struct {
	body                   string
	attributes             map[string]types.MessageAttributeValue
	reason, detail, source string
	count                  int // 0: never received
	group, deduplication   string
}

// pack makes the letter a message that the queue takes.
func (l letter) pack(to queue, limitBytes int) (*parcel, error) {
	own := map[string]types.MessageAttributeValue{}
	set := func(name, value string) {
		if value = clip(printable(value), maxDetailBytes); value != "" {
			own[name] = stringAttribute(value)
		}
	}
	set(replica.DeadLetterReason, l.reason)
	set(replica.DeadLetterDetail, l.detail)
	set(replica.DeadLetterSource, l.source)
	if l.count > 0 {
		set(replica.DeadLetterCount, strconv.Itoa(l.count))
	}
	body := l.body
	attributes, err := fit(l.attributes, own)
	if err != nil {
		return nil, err
	}
	if body == "" || printable(body) != body || len(body)+attributeBytes(attributes) > limitBytes {
		if body, err = compress(l.body); err != nil {
			return nil, err
		}
		set(DeadLetterEncoding, encodingGzip)
		if attributes, err = fit(l.attributes, own); err != nil {
			return nil, err
		}
	}
	size := len(body) + attributeBytes(attributes)
	if size > limitBytes && l.detail != "" { // the body matters more
		over := size - limitBytes
		kept := clip(l.detail, max(0, len(aws.ToString(own[replica.DeadLetterDetail].StringValue))-over))
		delete(own, replica.DeadLetterDetail)
		set(replica.DeadLetterDetail, kept)
		if attributes, err = fit(l.attributes, own); err != nil {
			return nil, err
		}
		size = len(body) + attributeBytes(attributes)
	}
	if size > limitBytes {
		return nil, fmt.Errorf("%w: %d bytes although compressed, the limit is %d; raise the queue's MaximumMessageSize", replica.ErrLetterTooLarge, size, limitBytes)
	}
	p := &parcel{bytes: size, entry: types.SendMessageBatchRequestEntry{
		MessageBody: aws.String(body), MessageAttributes: attributes}}
	if to.fifo {
		p.entry.MessageGroupId, p.entry.MessageDeduplicationId = aws.String(l.group), aws.String(l.deduplication)
	}
	return p, nil
}

// fit joins the original attributes with the dead letter's own. What is more
// than SQS takes goes into DeadLetterRest, last names first.
func fit(original, own map[string]types.MessageAttributeValue) (map[string]types.MessageAttributeValue, error) {
	all := maps.Clone(own)
	var names []string
	for name := range original {
		if _, taken := own[name]; !taken {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	room := MaxAttributes - len(own)
	if len(names) > room {
		rest := map[string]restAttribute{}
		for _, name := range names[room-1:] {
			a := original[name]
			rest[name] = restAttribute{Type: aws.ToString(a.DataType), Text: a.StringValue, Bytes: a.BinaryValue}
		}
		text, err := json.Marshal(rest)
		if err != nil {
			return nil, fmt.Errorf("keep the attributes: %w", err)
		}
		all[DeadLetterRest] = stringAttribute(string(text))
		names = names[:room-1]
	}
	for _, name := range names {
		all[name] = original[name]
	}
	return all, nil
}

// restAttribute is one attribute in DeadLetterRest.
type restAttribute struct {
	Type  string  `json:"type"`
	Text  *string `json:"text,omitempty"`
	Bytes []byte  `json:"bytes,omitempty"`
}

// Letter is a message found in a dead-letter queue, as it was before it got
// there.
type Letter struct {
	Body       []byte
	Attributes map[string]types.MessageAttributeValue
	// Reason, Detail and Source are empty, and ReceiveCount is 0, for what SQS
	// itself moved there.
	Reason, Detail, Source string
	ReceiveCount           int
}

// ReadDeadLetter undoes what storing a dead letter did to the message: body
// and attributes are the original's. It must have been received with all its
// message attributes.
func ReadDeadLetter(msg types.Message) (Letter, error) {
	l := Letter{Body: []byte(aws.ToString(msg.Body)), Attributes: map[string]types.MessageAttributeValue{}}
	for name, a := range msg.MessageAttributes {
		text := aws.ToString(a.StringValue)
		switch name {
		case replica.DeadLetterReason:
			l.Reason = text
		case replica.DeadLetterDetail:
			l.Detail = text
		case replica.DeadLetterSource:
			l.Source = text
		case replica.DeadLetterCount:
			count, err := strconv.Atoi(text)
			if err != nil {
				return Letter{}, fmt.Errorf("read dead letter %s: %s is %q", aws.ToString(msg.MessageId), name, text)
			}
			l.ReceiveCount = count
		case DeadLetterEncoding:
			if text != encodingGzip {
				return Letter{}, fmt.Errorf("read dead letter %s: the encoding %q is unknown", aws.ToString(msg.MessageId), text)
			}
			body, err := decompress(aws.ToString(msg.Body))
			if err != nil {
				return Letter{}, fmt.Errorf("read dead letter %s: %w", aws.ToString(msg.MessageId), err)
			}
			l.Body = body
		case DeadLetterRest:
			var rest map[string]restAttribute
			if err := json.Unmarshal([]byte(text), &rest); err != nil {
				return Letter{}, fmt.Errorf("read dead letter %s: %s: %w", aws.ToString(msg.MessageId), name, err)
			}
			for name, a := range rest {
				l.Attributes[name] = types.MessageAttributeValue{DataType: aws.String(a.Type), StringValue: a.Text, BinaryValue: a.Bytes}
			}
		default:
			l.Attributes[name] = a
		}
	}
	return l, nil
}

func compress(body string) (string, error) {
	var packed bytes.Buffer
	text := base64.NewEncoder(base64.StdEncoding, &packed)
	zip := gzip.NewWriter(text)
	if _, err := io.WriteString(zip, body); err != nil {
		return "", fmt.Errorf("compress the body: %w", err)
	}
	if err := zip.Close(); err != nil {
		return "", fmt.Errorf("compress the body: %w", err)
	}
	if err := text.Close(); err != nil {
		return "", fmt.Errorf("compress the body: %w", err)
	}
	return packed.String(), nil
}

func decompress(body string) ([]byte, error) {
	zip, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(body)))
	if err != nil {
		return nil, fmt.Errorf("unpack the body: %w", err)
	}
	unpacked, err := io.ReadAll(io.LimitReader(zip, maxBodyBytes+1))
	if err != nil {
		return nil, fmt.Errorf("unpack the body: %w", err)
	}
	if len(unpacked) > maxBodyBytes {
		return nil, fmt.Errorf("unpack the body: it has more than %d bytes", maxBodyBytes)
	}
	return unpacked, nil
}

// printable replaces the characters that SQS does not take ("SendMessage",
// Request Parameters: MessageBody).
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD, r >= 0x10000 && r <= 0x10FFFF:
			return r
		}
		return utf8.RuneError
	}, text)
}

// clip shortens a text to a number of bytes, between characters.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
