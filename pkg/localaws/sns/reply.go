package sns

import (
	"bytes"
	"encoding/xml"
	"slices"
)

// namespace is the XML namespace of SNS's API version 2010-03-31.
const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// reply marshals an operation's response document. An operation without
// output has no Result element.
func reply(action string, result any, requestID string) ([]byte, error) {
	var out bytes.Buffer
	enc := xml.NewEncoder(&out)
	element := func(name string) xml.StartElement {
		return xml.StartElement{Name: xml.Name{Local: name}}
	}
	root := element(action + "Response")
	root.Attr = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: namespace}}
	meta := element("ResponseMetadata")
	steps := []func() error{
		func() error { return enc.EncodeToken(root) },
		func() error {
			if result == nil {
				return nil
			}
			return enc.EncodeElement(result, element(action+"Result"))
		},
		func() error { return enc.EncodeToken(meta) },
		func() error { return enc.EncodeElement(requestID, element("RequestId")) },
		func() error { return enc.EncodeToken(meta.End()) },
		func() error { return enc.EncodeToken(root.End()) },
		enc.Close,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// xmlEntry is one entry of a map in a response.
type xmlEntry struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// xmlEntries lists a map's entries by key.
func xmlEntries(m map[string]string) []xmlEntry {
	entries := make([]xmlEntry, 0, len(m))
	for key, value := range m {
		entries = append(entries, xmlEntry{key, value})
	}
	slices.SortFunc(entries, func(a, b xmlEntry) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) })
	return entries
}
