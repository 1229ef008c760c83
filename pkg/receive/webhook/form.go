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
// parameters, and neither have file parts: both give nil values for [Sign].
func ParseBody(body []byte) (url.Values, error) {
	text := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(text) == 0:
		return nil, nil
	case text[0] == '{' || text[0] == '[':
		return nil, nil
	case bytes.HasPrefix(text, []byte("--")):
		return parseMultipart(text)
	}
	form, err := url.ParseQuery(strings.TrimRight(string(text), "\r\n"))
	if err != nil {
		return nil, fmt.Errorf("body is no form: %w", err)
	}
	return form, nil
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
