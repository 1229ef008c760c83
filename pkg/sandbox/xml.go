package sandbox

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// toXML rewrites a JSON answer in the XML that the 2010 API gives to a path
// without .json: the same values, in elements named in CamelCase.
func toXML(body []byte, isError bool) ([]byte, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("write as XML: %w", err)
	}
	if isError {
		v = map[string]any{"rest_exception": v}
	}
	b := bytes.NewBufferString(xml.Header)
	xmlElement(b, "TwilioResponse", v)
	return b.Bytes(), nil
}

func xmlElement(b *bytes.Buffer, name string, v any) {
	fmt.Fprintf(b, "<%s>", name)
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			xmlElement(b, camel(key), v[key])
		}
	case []any:
		for _, item := range v {
			xmlElement(b, strings.TrimSuffix(name, "s"), item)
		}
	case nil:
	default:
		_ = xml.EscapeText(b, fmt.Append(nil, v)) // a buffer takes everything
	}
	fmt.Fprintf(b, "</%s>", name)
}

// camel turns phone_number into PhoneNumber.
func camel(key string) string {
	var b strings.Builder
	for word := range strings.SplitSeq(key, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
