package mail

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

// Sizes of a whole message, in bytes. base64 makes a document 37 % longer.
const (
	DefaultMaxSize = 20 << 20
	leastSize      = 64 << 10
	mostSize       = 100 << 20
)

// ErrChanged is the error of a document that is not the one that was kept.
var ErrChanged = problem.Of(problem.ErrConflict, fmt.Errorf("the document is not the one that was kept"))

// Message is a mail as it is sent, to one address.
type Message struct {
	ID       string `json:"message_id"` // between the angle brackets of Message-ID
	From     string `json:"from"`       // may have a name before the address
	To       string `json:"to"`
	Subject  string `json:"subject"`
	Body     string `json:"body"`
	Parts    []Part `json:"parts"`    // besides the body
	Attached bool   `json:"attached"` // the document is one of them
	Size     int    `json:"size"`     // bytes of the whole message

	content []byte
}

// Part is a file in a message.
type Part struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Size        int    `json:"size"` // bytes, before they are encoded

	content []byte
}

// Message writes the mail of n to a target. Errors: [ErrGone], [ErrChanged], and those of
// reading the document.
func (r *Rules) Message(ctx context.Context, n News, t Target) (*Message, error) {
	rule, found := r.find(t)
	if !found {
		return nil, fmt.Errorf("rule %s, address %s: %w", t.Rule, t.Address, ErrGone)
	}
	l := rule.Letter
	l.From, l.To, l.MaxSize, l.rule = r.From, t.Address, r.MaxSize, rule.ID
	return l.Write(ctx, n)
}

// Write writes the letter about n. What would make it longer than it may be is left out,
// and the body says so of the document. Errors: [ErrChanged], those of reading the
// document, and problem.ErrInvalid for a letter without addresses, or with words alone
// longer than it may be.
func (l Letter) Write(ctx context.Context, n News) (*Message, error) {
	most := cmp.Or(l.MaxSize, DefaultMaxSize)
	if err := l.addressed(); err != nil {
		return nil, err
	}
	var document, picture []Part
	if (l.Attach || l.Thumbnail) && !n.Document.IsZero() && n.Document.Size <= most*3/4 {
		content, err := n.Document.read()
		if err != nil {
			return nil, err
		}
		if l.Attach {
			document = []Part{n.part(content)}
		}
		if l.Thumbnail {
			picture = n.thumbnail(ctx, content)
		}
	}
	for _, with := range []struct{ document, picture []Part }{{document, picture}, {document, nil}, {nil, picture}, {nil, nil}} {
		m, err := l.compose(n, slices.Concat(with.document, with.picture), len(with.document) > 0)
		if err != nil || int64(m.Size) <= most {
			return m, err
		}
	}
	return nil, fmt.Errorf("%w mail: its words alone are longer than %d bytes", problem.ErrInvalid, most)
}

// addressed reports what is wrong with the addresses of a letter.
func (l Letter) addressed() error {
	if _, err := ParseFrom(l.From); err != nil {
		return err
	}
	_, err := ParseAddress(l.To)
	return err
}

// compose writes a message with these parts.
func (l Letter) compose(n News, parts []Part, attached bool) (*Message, error) {
	v := l.values(n)
	v["Document"] = n.fate(attached, l.Attach)
	subject, body := l.templates(n)
	m := &Message{ID: l.messageID(n), From: l.From, To: l.To, Parts: parts, Attached: attached}
	var err error
	if m.Subject, err = v.fill(subject); err != nil {
		return nil, err
	}
	if m.Body, err = v.fill(body); err != nil {
		return nil, err
	}
	if l.Attach && !attached && !n.Document.IsZero() && !strings.Contains(m.Body, v["Document"]) {
		m.Body = strings.TrimRight(m.Body, "\n") + "\n\n" + v["Document"] + "\n" // whoever reads it waits for a document
	}
	m.Subject = cmp.Or(header(m.Subject), "Fax")
	m.content, err = m.bytes()
	m.Size = len(m.content)
	return m, err
}

// messageID is the same for the same news to the same address by the same rule. What is
// sent by hand is the same when it says the same.
func (l Letter) messageID(n News) string {
	all := fmt.Sprintf("%q", []string{n.Fax.ID, string(n.Fax.Status), string(n.When), n.Problem, l.rule, l.To})
	if l.rule == "" {
		subject, body := l.templates(n)
		all += fmt.Sprintf("%q %q %t %t %t", subject.Root, body.Root, l.Attach, l.Thumbnail, l.Full)
	}
	sum := sha256.Sum256([]byte(all))
	return hex.EncodeToString(sum[:16]) + "@" + domain(l.From)
}

// bytes are the message as RFC 5322 has it. go-mail would make up a Message-ID, a
// boundary and the name of a program.
func (m *Message) bytes() ([]byte, error) {
	id, _, _ := strings.Cut(m.ID, "@")
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary("faxctl-"+id))
	if err := cmp.Or(msg.From(m.From), msg.To(m.To)); err != nil {
		return nil, problem.Of(problem.ErrInvalid, err)
	}
	msg.Subject(m.Subject)
	msg.SetMessageIDWithValue(m.ID)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody answers "I am away"
	msg.SetDate()
	msg.SetBodyString(gomail.TypeTextPlain, m.Body)
	for _, p := range m.Parts {
		msg.AttachReadSeeker(p.Name, bytes.NewReader(p.content), gomail.WithFileContentType(gomail.ContentType(p.ContentType)))
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// WriteTo writes the message as it is sent.
func (m *Message) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(m.content)
	return int64(n), err
}

// String is the message as people read it: what is in its headers, its words, and the
// names and sizes of the files in it.
func (m *Message) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "From: %s\nTo: %s\nSubject: %s\nMessage-ID: <%s>\n\n%s\n", m.From, m.To, m.Subject, m.ID, strings.TrimRight(m.Body, "\n"))
	for _, p := range m.Parts {
		fmt.Fprintf(&b, "\nAttached: %s (%s, %s)\n", p.Name, p.ContentType, text.Plural(p.Size, "byte", "bytes"))
	}
	return b.String()
}

// read reads a document whole, and compares it.
func (d Document) read() ([]byte, error) {
	from, err := d.Open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.Close() }()
	content, err := io.ReadAll(io.LimitReader(from, d.Size+1))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	if int64(len(content)) != d.Size || d.SHA256 != "" && !strings.EqualFold(hex.EncodeToString(sum[:]), d.SHA256) {
		return nil, ErrChanged
	}
	return content, nil
}

// part is the document as a file of the message. Its type goes into a header, and is one
// that we know.
func (n News) part(content []byte) Part {
	p := Part{Name: n.fileName(), ContentType: "application/octet-stream", Size: len(content), content: content}
	switch n.Document.ContentType {
	case "application/pdf":
		p.Name, p.ContentType = p.Name+".pdf", n.Document.ContentType
	case "image/tiff":
		p.Name, p.ContentType = p.Name+".tiff", n.Document.ContentType
	}
	return p
}
