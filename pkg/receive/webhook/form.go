package webhook

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
)

// Limits of a body that is read to be explained.
const (
	maxParts = 1000
	maxValue = 1 << 20 // bytes of all values together
)

// ParseBody reads the parameters of a request out of its body as it was
// captured, for explaining it; a receiver has net/http for that. The kind of
// the body is told from its content, since a capture seldom has the header:
// multipart begins with its boundary, JSON with a brace. JSON has no
// parameters, and neither have file parts: both give nil values for [Sign]. In a
// form a semicolon and a percent sign that begins no escape stand for themselves,
// see [Doubts].
func ParseBody(body []byte) (url.Values, error) {
	text := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(text) == 0:
		return nil, nil
	case text[0] == '{' || text[0] == '[':
		return nil, nil
	case bytes.HasPrefix(text, []byte("--")):
		return parseMultipart(text)
	case bytes.IndexByte(text, 0) >= 0:
		return nil, errors.New("body is no form: it has binary content")
	case len(text) > maxValue:
		return nil, errors.New("body is no form: it is too long for one")
	}
	form := url.Values{}
	for pair := range strings.SplitSeq(strings.TrimRight(string(text), "\r\n"), "&") {
		if pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			form.Add(unescape(name), unescape(value))
		}
	}
	return form, nil
}

// unescape decodes a name or a value of a form. What is no escape stands for itself.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			b.WriteByte(' ')
		case '%':
			if plain, err := url.PathUnescape(s[i:min(i+3, len(s))]); err == nil {
				b.WriteString(plain)
				i += 2
				continue
			}
			fallthrough
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// Doubts are what applications are not of one mind about in a request, though its
// signature is right: the body as it was captured, or nil, and its parameters.
func Doubts(body []byte, form url.Values) []string {
	var all []string
	for _, name := range repeated(form) {
		all = append(all, "each value of "+name+" is signed: what keeps only the first or the last one refuses the request")
	}
	if text := strings.TrimSpace(string(body)); form != nil && !strings.HasPrefix(text, "--") {
		if _, err := url.ParseQuery(text); err != nil {
			all = append(all, "a ; or a lone % of the body stands for itself: Go's net/http and others refuse the body, or lose the value")
		}
	}
	return all
}

func parseMultipart(body []byte) (url.Values, error) {
	line, _, _ := bytes.Cut(body, []byte("\n"))
	boundary := strings.TrimRight(string(line[2:]), "\r \t")
	if boundary == "" || len(boundary) > 70 { // RFC 2046, 5.1.1
		return nil, errors.New("multipart body without a boundary in its first line")
	}
	form := url.Values{}
	left := maxValue
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return nil, fmt.Errorf("multipart body: %w", err)
		}
		if n == maxParts {
			return nil, fmt.Errorf("multipart body of more than %d parts", maxParts)
		}
		_, disposition, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil || disposition["name"] == "" {
			continue // a part without a name is no parameter
		}
		if _, file := disposition["filename"]; file {
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, int64(left)+1))
		if err != nil {
			return nil, fmt.Errorf("multipart body: %w", err)
		}
		if left -= len(value); left < 0 {
			return nil, errors.New("multipart body with too long values")
		}
		form.Add(disposition["name"], string(value))
	}
}
