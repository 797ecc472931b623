package sns

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tributary-dev/tributary/pkg/localaws/sns/filter"
)

// notification is the JSON document a subscription without raw delivery gets
// ("HTTP/HTTPS notification JSON format").
type notification struct {
	Type              string
	MessageID         string `json:"MessageId"`
	SequenceNumber    string `json:",omitempty"`
	TopicArn          string
	Subject           string `json:",omitempty"`
	Message           string
	Timestamp         string
	SignatureVersion  string                           `json:",omitempty"`
	Signature         string                           `json:",omitempty"`
	SigningCertURL    string                           `json:",omitempty"`
	UnsubscribeURL    string                           `json:",omitempty"`
	MessageAttributes map[string]notificationAttribute `json:",omitempty"`
}

type notificationAttribute struct {
	Type  string
	Value string
}

// timestampLayout has milliseconds in UTC.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// wrap makes the notification of a message for one subscription. Attributes
// travel only with messages whose structure is a plain string ("Amazon SNS
// message attributes"); FIFO topics do not sign.
func (s *Service) wrap(m message, t *topic, subscriptionARN, signatureVersion string) (string, error) {
	n := notification{
		Type: "Notification", MessageID: m.id, SequenceNumber: m.sequence, TopicArn: t.arn,
		Subject: m.subject, Message: m.body, Timestamp: m.published.UTC().Format(timestampLayout),
		UnsubscribeURL: fmt.Sprintf("https://sns.%s.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=%s",
			s.cfg.Region, subscriptionARN),
	}
	if !t.fifo {
		n.SignatureVersion = signatureVersion
		n.Signature = n.sign()
		n.SigningCertURL = fmt.Sprintf("https://sns.%s.amazonaws.com/SimpleNotificationService-localaws.pem", s.cfg.Region)
	}
	if !m.structured && len(m.attributes) > 0 {
		n.MessageAttributes = map[string]notificationAttribute{}
		for name, attribute := range m.attributes {
			value := attribute.StringValue
			if strings.HasPrefix(attribute.DataType, "Binary") {
				value = base64.StdEncoding.EncodeToString(attribute.BinaryValue)
			}
			n.MessageAttributes[name] = notificationAttribute{attribute.DataType, value}
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(n); err != nil {
		return "", fmt.Errorf("wrap message %s: %w", m.id, err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// sign digests the fields AWS signs, in its order. There is no certificate to
// verify it against.
func (n notification) sign() string {
	digest := sha256.New()
	for _, field := range [][2]string{
		{"Message", n.Message}, {"MessageId", n.MessageID}, {"Subject", n.Subject},
		{"Timestamp", n.Timestamp}, {"TopicArn", n.TopicArn}, {"Type", n.Type},
	} {
		if field[1] != "" {
			fmt.Fprintf(digest, "%s\n%s\n", field[0], field[1])
		}
	}
	return base64.StdEncoding.EncodeToString(digest.Sum(nil))
}

// matchable is the message as filter policies see it.
func (m message) matchable() *filter.Message {
	attributes := make(map[string]filter.Attribute, len(m.attributes))
	for name, attribute := range m.attributes {
		attributes[name] = filter.Attribute{DataType: attribute.DataType, StringValue: attribute.StringValue}
	}
	return filter.NewMessage(m.body, attributes)
}
