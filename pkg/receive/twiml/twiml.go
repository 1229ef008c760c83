// Package twiml reads and writes the answer a web application gives when a
// provider asks what to do with an incoming fax: Receive or Reject.
//
// Use [Parse] to see what the provider will make of an answer, with the error
// codes it would report, and [Receive.Marshal] or [Reject] to answer.
//
// The document is XML: the root Response holds exactly one verb, names are
// case-sensitive, 64 kB at most.
// Source: Twilio, "Fax TwiML"; SignalWire, "Compatibility XML: Receive, Reject".
package twiml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"regexp"
	"strings"
)

// MaxSize is how many bytes an answer may have.
const MaxSize = 64 << 10

// ContentType is what an answer should be sent as.
const ContentType = "text/xml; charset=utf-8"

// The providers' error codes for what is wrong with an answer.
// Source: Twilio's error and warning dictionary.
const (
	CodeTooBig      = "11750" // TwiML response body too large
	CodeParse       = "12100" // document parse failure
	CodeRoot        = "12102" // the root element is not Response
	CodeSchema      = "12200" // an attribute that is not known, or not of its values
	CodeContentType = "12300" // neither text/xml nor application/xml
	CodeNoVerb      = "34106" // no Receive (or Reject) verb
)

// Error is what is wrong with an answer, with the code under which the
// provider would report it.
type Error struct {
	Code    string
	Message string
}

// Error reads "message (code 34106)".
func (e *Error) Error() string { return e.Message + " (code " + e.Code + ")" }

func wrong(code, format string, args ...any) error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Answer is what the application wants: Receive, or, when that is nil, Reject.
type Answer struct {
	Receive *Receive
}

// Receive asks the provider to take the fax. Empty fields are the provider's
// defaults.
type Receive struct {
	Action     string // URL that is told when the fax has arrived, or has not; default: the fax URL
	Method     string // of Action: POST (default) or GET
	MediaType  string // application/pdf (default) or image/tiff
	PageSize   string // letter (default), legal or a4
	StoreMedia *bool  // default true; false: the document comes with the callback, and is not kept (Twilio only)
}

// Reject is the document that refuses a fax.
func Reject() []byte { return []byte(xml.Header + "<Response><Reject/></Response>\n") }

// Marshal is the document that takes a fax. It fails when a field has a value
// the providers do not know.
func (r Receive) Marshal() ([]byte, error) {
	store := ""
	if r.StoreMedia != nil {
		store = fmt.Sprint(*r.StoreMedia)
	}
	var b bytes.Buffer
	b.WriteString(xml.Header + "<Response><Receive")
	for _, a := range []struct{ name, value string }{
		{"action", r.Action}, {"method", r.Method}, {"mediaType", r.MediaType}, {"pageSize", r.PageSize}, {"storeMedia", store},
	} {
		if a.value == "" {
			continue
		}
		if err := new(Receive).set(a.name, a.value); err != nil {
			return nil, err
		}
		b.WriteString(" " + a.name + `="`)
		if err := xml.EscapeText(&b, []byte(a.value)); err != nil {
			return nil, err
		}
		b.WriteString(`"`)
	}
	b.WriteString("/></Response>\n")
	return b.Bytes(), nil
}

// CheckContentType tells whether a provider would read an answer sent as this.
func CheckContentType(header string) error {
	kind, _, err := mime.ParseMediaType(header)
	if err != nil || kind != "text/xml" && kind != "application/xml" {
		return wrong(CodeContentType, "content type %q: an answer is text/xml or application/xml", header)
	}
	return nil
}

// Parse reads an answer strictly. What is wrong with it comes as an [Error];
// any other error is the reader's.
func Parse(r io.Reader) (Answer, error) {
	body, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return Answer{}, err
	}
	if len(body) > MaxSize {
		return Answer{}, wrong(CodeTooBig, "the answer has more than %d kB", MaxSize>>10)
	}
	if body, err = plain(body); err != nil {
		return Answer{}, err
	}
	p := parser{dec: xml.NewDecoder(bytes.NewReader(body))}
	return p.document()
}

// plain is a document without the byte order mark that UTF-8 may have. White space before
// the XML declaration, and any other encoding, are refused: a provider reads neither.
func plain(body []byte) ([]byte, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	declared := regexp.MustCompile(`^\s*<\?xml\s[^>]*\bencoding\s*=\s*["']([^"']*)["']`).FindSubmatch(body)
	switch {
	case bytes.HasPrefix(body, []byte("\xfe\xff")) || bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.IndexByte(body, 0) >= 0:
		return nil, wrong(CodeParse, "the answer is in UTF-16 or the like: write it in UTF-8")
	case len(body) > 0 && body[0] != '<' && bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("<?xml")):
		return nil, wrong(CodeParse, "white space before the XML declaration: <?xml must be the first thing in the answer")
	case declared != nil && !strings.EqualFold(string(declared[1]), "utf-8"):
		return nil, wrong(CodeParse, "the answer declares the encoding %.20q: write it in UTF-8, and say so or nothing", declared[1])
	}
	return body, nil
}

type parser struct{ dec *xml.Decoder }

// next is the next start or end of an element, or nil at the end of the
// document. Comments, processing instructions and white space say nothing.
func (p parser) next() (xml.Token, error) {
	for {
		tok, err := p.dec.Token()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, wrong(CodeParse, "not XML: %v", strings.TrimPrefix(err.Error(), "XML syntax error "))
		}
		switch tok := tok.(type) {
		case xml.StartElement, xml.EndElement:
			return tok, nil
		case xml.Directive:
			return nil, wrong(CodeParse, "a document type declaration is not allowed")
		case xml.CharData:
			if text := strings.TrimSpace(string(tok)); text != "" {
				return nil, wrong(CodeParse, "text %.40q outside any verb", text)
			}
		}
	}
}

func (p parser) document() (Answer, error) {
	root, err := p.start()
	switch {
	case err != nil:
		return Answer{}, err
	case root == nil:
		return Answer{}, wrong(CodeParse, "the answer is empty")
	case root.Name != xml.Name{Local: "Response"}:
		return Answer{}, wrong(CodeRoot, "the root element is %s, not Response", root.Name.Local)
	}
	verb, err := p.start()
	if err != nil {
		return Answer{}, err
	}
	if verb == nil {
		return Answer{}, wrong(CodeNoVerb, "Response holds neither Receive nor Reject")
	}
	var answer Answer
	switch verb.Name {
	case xml.Name{Local: "Receive"}:
		answer.Receive = &Receive{}
	case xml.Name{Local: "Reject"}:
	default:
		return Answer{}, wrong(CodeNoVerb, "%s is no verb for a fax: Receive and Reject are", verb.Name.Local)
	}
	seen := map[xml.Name]bool{}
	for _, a := range verb.Attr {
		if seen[a.Name] { // not well-formed, which encoding/xml lets pass
			return Answer{}, wrong(CodeParse, "not XML: attribute %s is given twice", a.Name.Local)
		}
		seen[a.Name] = true
		if answer.Receive == nil {
			return Answer{}, wrong(CodeSchema, "Reject has no attribute %s", a.Name.Local)
		}
		if a.Name.Space != "" {
			return Answer{}, wrong(CodeSchema, "Receive has no attribute %s:%s", a.Name.Space, a.Name.Local)
		}
		if err := answer.Receive.set(a.Name.Local, a.Value); err != nil {
			return Answer{}, err
		}
	}
	if inner, err := p.start(); err != nil || inner != nil {
		return Answer{}, orElse(err, wrong(CodeSchema, "%s holds nothing", verb.Name.Local))
	}
	if second, err := p.start(); err != nil || second != nil {
		return Answer{}, orElse(err, wrong(CodeNoVerb, "Response holds more than one verb"))
	}
	if after, err := p.next(); err != nil || after != nil {
		return Answer{}, orElse(err, wrong(CodeParse, "something follows Response"))
	}
	return answer, nil
}

// start is the next element that begins, or nil when the present one, or the
// document, ends first.
func (p parser) start() (*xml.StartElement, error) {
	tok, err := p.next()
	if begin, ok := tok.(xml.StartElement); ok {
		return &begin, err
	}
	return nil, err
}

func orElse(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// set sets an attribute, if it is one of the values the providers know.
func (r *Receive) set(name, value string) error {
	oneOf := func(field *string, known ...string) error {
		for _, k := range known {
			if value == k {
				*field = value
				return nil
			}
		}
		return wrong(CodeSchema, "Receive %s %q: it is one of %s", name, value, strings.Join(known, ", "))
	}
	switch name {
	case "action":
		r.Action = value
		return nil
	case "method":
		return oneOf(&r.Method, "POST", "GET")
	case "mediaType":
		return oneOf(&r.MediaType, "application/pdf", "image/tiff")
	case "pageSize":
		return oneOf(&r.PageSize, "letter", "legal", "a4")
	case "storeMedia":
		var word string
		if err := oneOf(&word, "true", "false"); err != nil {
			return err
		}
		store := word == "true"
		r.StoreMedia = &store
		return nil
	}
	return wrong(CodeSchema, "Receive has no attribute %s", name)
}
