package text

import (
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Plain is a text of people as UTF-8, without the mark that editors and shells of
// Windows begin it with: what has the mark of UTF-16 is read as that.
func Plain(r io.Reader) io.Reader {
	return transform.NewReader(r, unicode.BOMOverride(transform.Nop))
}

// PlainBytes is [Plain] of a text that is there already.
func PlainBytes(b []byte) string {
	plain, _, err := transform.Bytes(unicode.BOMOverride(transform.Nop), b)
	if err != nil {
		return string(b) // which says what is wrong with it
	}
	return string(plain)
}
