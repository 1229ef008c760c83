package sandbox

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
)

// The provider's codes for what goes wrong with an application.
// Source: Twilio's error and warning dictionary.
const (
	codeHTTP        = 11200 // no answer in time, or a status that is no 2xx
	codeConnect     = 11205 // no connection, or a lost one
	codeProtocol    = 11206 // an answer that is no HTTP
	codeDNS         = 11210
	codeRedirects   = 11215
	codeTLS         = 11220 // the handshake
	codeCertificate = 11237
	codeTooBig      = 11750
	codeParse       = 12100
	codeRoot        = 12102
	codeSchema      = 12200
	codeContentType = 12300
	codeNoVerb      = 34106
)

// maxTwiML is how long an answer may be.
const maxTwiML = 64 << 10

// trouble is what the provider notes when an application does not answer as it
// should.
type trouble struct {
	code    int
	message string
}

func (t *trouble) Error() string { return fmt.Sprintf("%d: %s", t.code, t.message) }

func troubled(code int, format string, a ...any) *trouble {
	return &trouble{code, fmt.Sprintf(format, a...)}
}

// instruction is what an application wants done with a fax.
type instruction struct {
	reject    bool
	action    string
	method    string
	mediaType string
	pageSize  string
	store     bool
}

// element is any XML.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

// readTwiML reads an answer by the letter: what the provider would let pass
// with a warning is refused here, where it can still be mended.
func (d dialect) readTwiML(contentType string, body []byte) (instruction, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "text/xml" && kind != "application/xml" {
		return instruction{}, troubled(codeContentType, "Invalid Content-Type %q: want text/xml", contentType)
	}
	if len(body) > maxTwiML {
		return instruction{}, troubled(codeTooBig, "Response body is larger than %d kB", maxTwiML>>10)
	}
	root, err := readXML(body)
	if err != nil {
		return instruction{}, troubled(codeParse, "Document parse failure: %v", err)
	}
	if root.XMLName != (xml.Name{Local: "Response"}) {
		return instruction{}, troubled(codeRoot, "Root element is %s, not Response", root.XMLName.Local)
	}
	if strings.TrimSpace(root.Text) != "" {
		return instruction{}, troubled(codeParse, "Document parse failure: text outside of a verb")
	}
	if len(root.Children) != 1 {
		return instruction{}, troubled(codeNoVerb, "Response has %d verbs: want one Receive or Reject", len(root.Children))
	}
	return d.readVerb(root.Children[0])
}

func (d dialect) readVerb(verb element) (instruction, error) {
	do := instruction{method: "POST", mediaType: "application/pdf", pageSize: "letter", store: true}
	switch verb.XMLName {
	case xml.Name{Local: "Receive"}:
	case xml.Name{Local: "Reject"}:
		do.reject = true
	default:
		return do, troubled(codeNoVerb, "%s is no verb for a fax", verb.XMLName.Local)
	}
	if len(verb.Children) > 0 {
		return do, troubled(codeSchema, "%s has nothing inside", verb.XMLName.Local)
	}
	if strings.TrimSpace(verb.Text) != "" {
		return do, troubled(codeParse, "Document parse failure: text inside of %s", verb.XMLName.Local)
	}
	known := map[string]struct {
		field *string
		want  string
	}{
		"action":    {&do.action, ""},
		"method":    {&do.method, "POST GET"},
		"mediaType": {&do.mediaType, "application/pdf image/tiff"},
		"pageSize":  {&do.pageSize, "letter legal a4"},
	}
	store := "true"
	if d.name == Twilio {
		known["storeMedia"] = struct {
			field *string
			want  string
		}{&store, "true false"}
	}
	for _, a := range verb.Attrs {
		to, takes := known[a.Name.Local]
		if do.reject || !takes || a.Name.Space != "" {
			return do, troubled(codeSchema, "%s has no attribute %s", verb.XMLName.Local, a.Name.Local)
		}
		if to.want != "" && !slices.Contains(strings.Fields(to.want), a.Value) {
			return do, troubled(codeSchema, "%s %q: want one of %s", a.Name.Local, a.Value, to.want)
		}
		*to.field = a.Value
	}
	do.store = store == "true"
	return do, nil
}

// readXML reads a whole document, in which encoding/xml overlooks a few things.
func readXML(body []byte) (root element, err error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	switch trimmed := bytes.TrimLeft(body, " \t\r\n"); {
	case bytes.HasPrefix(body, []byte("\xfe\xff")) || bytes.HasPrefix(body, []byte("\xff\xfe")) || bytes.IndexByte(body, 0) >= 0:
		return root, errors.New("the encoding is UTF-16 or the like, not UTF-8")
	case len(trimmed) < len(body) && bytes.HasPrefix(trimmed, []byte("<?xml")):
		return root, errors.New("white space before the XML declaration")
	}
	dec := xml.NewDecoder(bytes.NewReader(body))
	dec.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, errors.New("not UTF-8") }
	for found := false; ; {
		token, err := dec.Token()
		switch {
		case errors.Is(err, io.EOF) && found:
			return root, root.duplicates()
		case errors.Is(err, io.EOF):
			return root, errors.New("the answer is empty")
		case err != nil:
			return root, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if found {
				return root, errors.New("more than one root element")
			}
			found = true
			if err := dec.DecodeElement(&root, &token); err != nil {
				return root, err
			}
		case xml.Directive:
			return root, errors.New("a document type declaration")
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				return root, errors.New("text outside of the root element")
			}
		}
	}
}

// duplicates refuses an attribute given twice.
func (e element) duplicates() error {
	seen := map[xml.Name]bool{}
	for _, a := range e.Attrs {
		if seen[a.Name] {
			return fmt.Errorf("attribute %s is given twice", a.Name.Local)
		}
		seen[a.Name] = true
	}
	for _, child := range e.Children {
		if err := child.duplicates(); err != nil {
			return err
		}
	}
	return nil
}
