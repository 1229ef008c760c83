package mail_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image/png"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// letter is one from the clinic to its desk.
func letter() mail.Letter {
	return mail.Letter{From: "faxes@clinic.example", To: "desk@clinic.example"}
}

// sheet is a document of one page, as the archive has it.
func sheet(t *testing.T, kind paper.Kind) mail.Document {
	t.Helper()
	var b bytes.Buffer
	if err := paper.Write(&b, kind, paper.Sheet{}); err != nil {
		t.Fatal(err)
	}
	return document(b.Bytes(), string(kind))
}

func document(content []byte, contentType string) mail.Document {
	sum := sha256.Sum256(content)
	return mail.Document{
		Open:        func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		ContentType: contentType, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Place: "/srv/faxes/a.pdf",
	}
}

// parsed is a message as its reader has it: headers, the body, and files by their names.
type parsed struct {
	header netmail.Header
	body   string
	files  map[string][]byte
}

func parseMessage(t fataler, m *mail.Message) parsed {
	msg, err := netmail.ReadMessage(bytes.NewReader(written(m)))
	if err != nil {
		t.Fatalf("%v in %s", err, written(m))
	}
	p := parsed{header: msg.Header, files: map[string][]byte{}}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatalf("%v", err)
	}
	if kind == "text/plain" {
		p.body = decoded(t, msg.Body, msg.Header.Get("Content-Transfer-Encoding"))
		return p
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		content := decoded(t, part, part.Header.Get("Content-Transfer-Encoding"))
		if part.FileName() == "" {
			p.body = content
			continue
		}
		p.files[part.FileName()+" "+strings.Split(part.Header.Get("Content-Type"), ";")[0]] = []byte(content)
	}
}

func decoded(t fataler, r io.Reader, encoding string) string {
	switch encoding {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	default:
		t.Fatalf("encoding %q", encoding)
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return string(content)
}

type fataler interface{ Fatalf(string, ...any) }

func TestMessage(t *testing.T) {
	n := mail.News{Fax: received(), When: mail.Received, Station: "ACME Labs", Name: "front desk", Document: sheet(t, paper.PDF)}
	l := letter()
	l.Attach, l.Thumbnail = true, true
	m, err := l.Write(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	p := parseMessage(t, m)
	for key, want := range map[string]string{
		"From": "<faxes@clinic.example>", "To": "<desk@clinic.example>", "Auto-Submitted": "auto-generated", "Mime-Version": "1.0",
		"Message-Id": "<" + m.ID + ">", "X-Mailer": "", "User-Agent": "",
	} {
		if got := p.header.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if !strings.HasSuffix(m.ID, "@clinic.example") {
		t.Errorf("id %s", m.ID)
	}
	if subject, err := new(mime.WordDecoder).DecodeHeader(p.header.Get("Subject")); err != nil || subject != "Fax from •••0187 to •••0123, 3 pages" {
		t.Errorf("subject %q, %v", subject, err)
	}
	if date, err := p.header.Date(); err != nil || time.Since(date) > time.Minute {
		t.Errorf("date %v, %v", date, err)
	}
	const body = `A fax came in.

From:      •••0187
To:        •••0123, front desk
Date:      2026-11-30 08:05 UTC
Length:    3 pages
Status:    received
Station:   ACME Labs (what the far end calls itself)
Fax:       FX0123456789abcdef0123456789abcdef

The document is attached.
`
	if got := strings.ReplaceAll(p.body, "\r\n", "\n"); got != body {
		t.Errorf("body:\n%s", got)
	}
	from, err := n.Document.Open()
	if err != nil {
		t.Fatal(err)
	}
	want, err := io.ReadAll(from)
	const name = "fax-2026-11-30-from-0187-FX0123456789abcdef0123456789abcdef"
	if err != nil || len(p.files) != 2 || !bytes.Equal(p.files[name+".pdf application/pdf"], want) {
		t.Errorf("files %v, %v", slices.Collect(maps.Keys(p.files)), err)
	}
	img, err := png.Decode(bytes.NewReader(p.files[name+"-page-1.png image/png"]))
	if err != nil || img.Bounds().Dx() != 480 || img.Bounds().Dy() > 640 {
		t.Fatalf("picture: %v", err)
	}
	var dark int
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if r, _, _, _ := img.At(x, y).RGBA(); r < 0xc000 {
				dark++
			}
		}
	}
	if dark < 500 || dark > 480*640/3 {
		t.Errorf("%d dark pixels: is that a letter?", dark)
	}
}

// The same news to the same address is the same mail, byte by byte, but for its date.
func TestSame(t *testing.T) {
	l := letter()
	l.Attach = true
	n := mail.News{Fax: received(), When: mail.Received, Document: sheet(t, paper.TIFF)}
	plain := func(n mail.News, l mail.Letter) (id, content string) {
		m, err := l.Write(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		before, after, _ := strings.Cut(string(written(m)), "Date: ")
		_, after, _ = strings.Cut(after, "\r\n")
		return m.ID, before + after
	}
	id, content := plain(n, l)
	if again, same := plain(n, l); again != id || same != content {
		t.Errorf("%s\n%s\nis not\n%s\n%s", id, content, again, same)
	}
	for what, change := range map[string]func(n *mail.News, l *mail.Letter){
		"fax":        func(n *mail.News, _ *mail.Letter) { n.Fax.ID = "FX1" },
		"status":     func(n *mail.News, _ *mail.Letter) { n.Fax.Status = fax.Failed },
		"kind":       func(n *mail.News, _ *mail.Letter) { n.When = mail.Parked },
		"problem":    func(n *mail.News, _ *mail.Letter) { n.Problem = "forward" },
		"address":    func(_ *mail.News, l *mail.Letter) { l.To = "it@clinic.example" },
		"attachment": func(_ *mail.News, l *mail.Letter) { l.Attach = false },
	} {
		n, l := n, l
		change(&n, &l)
		if other, _ := plain(n, l); other == id {
			t.Errorf("another %s, and the same Message-ID", what)
		}
	}
	rules := "from: faxes@clinic.example\nrules:\n- {to: \"+14155550123\", mail: [desk@clinic.example]%s}\n"
	ids := map[string]bool{}
	for _, rest := range []string{"", ", subject: Fax", ", attach: true, numbers: full"} {
		r := read(t, fmt.Sprintf(rules, rest))
		m, err := r.Message(t.Context(), n, r.Targets(n, nil)[0])
		if err != nil {
			t.Fatal(err)
		}
		ids[m.ID] = true
	}
	if len(ids) != 1 {
		t.Errorf("an edited rule sends again under other names: %v", ids)
	}
}

func TestGone(t *testing.T) {
	rules := read(t, "from: f@x.example\nrules: [{name: desk, mail: [desk@x.example]}]")
	n := mail.News{Fax: received(), When: mail.Received}
	for _, target := range []mail.Target{{Rule: "desk", Address: "it@x.example"}, {Rule: "it", Address: "desk@x.example"}} {
		if _, err := rules.Message(t.Context(), n, target); !errors.Is(err, mail.ErrGone) {
			t.Errorf("%v: %v", target, err)
		}
	}
}

// What is too long for a mail stays where it is, and the mail says so.
func TestTooLarge(t *testing.T) {
	const most = 128 << 10
	l := letter()
	l.Attach, l.MaxSize = true, most
	for size, attached := range map[int]bool{10: true, 90_000: true, 98_000: false, 200_000: false, 50 << 20: false} {
		for _, own := range []string{"", "Look."} {
			n := mail.News{Fax: received(), When: mail.Received, Document: document(bytes.Repeat([]byte("x"), size), "application/pdf")}
			if size > most {
				n.Document.Open = func() (io.ReadCloser, error) { return nil, os.ErrClosed } // it is not even looked at
			}
			l := l
			if own != "" {
				if err := l.SetBody(own); err != nil {
					t.Fatal(err)
				}
			}
			m, err := l.Write(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			if told := strings.Contains(m.Body, "too large for a mail") && strings.Contains(m.Body, "/srv/faxes/a.pdf"); (len(m.Parts) == 1) != attached || told == attached || m.Size > most {
				t.Errorf("%d bytes: a mail of %d bytes with %d files: %s", size, m.Size, len(m.Parts), m.Body)
			}
		}
	}
	l = letter()
	l.MaxSize = 1000
	if err := l.SetBody(strings.Repeat("word ", 300)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Write(t.Context(), mail.News{Fax: received()}); !errors.Is(err, problem.ErrInvalid) {
		t.Errorf("words alone: %v", err)
	}
}

// A document that is not what was kept goes nowhere.
func TestChanged(t *testing.T) {
	l := letter()
	l.Attach = true
	for what, change := range map[string]func(d *mail.Document){
		"another sum": func(d *mail.Document) { d.SHA256 = strings.Repeat("0", 64) },
		"longer":      func(d *mail.Document) { d.Size-- },
		"shorter":     func(d *mail.Document) { d.Size++ },
	} {
		n := mail.News{Fax: received(), When: mail.Received, Document: sheet(t, paper.PDF)}
		change(&n.Document)
		if _, err := l.Write(t.Context(), n); !errors.Is(err, mail.ErrChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	n := mail.News{Fax: received(), Document: mail.Document{Open: func() (io.ReadCloser, error) { return nil, os.ErrNotExist }}}
	if _, err := l.Write(t.Context(), n); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("gone: %v", err)
	}
}

// A picture that cannot be drawn keeps no mail back.
func TestNoPicture(t *testing.T) {
	l := letter()
	l.Thumbnail = true
	for _, d := range []mail.Document{{}, document([]byte("%PDF-1.7 not really"), "application/pdf")} {
		m, err := l.Write(t.Context(), mail.News{Fax: received(), When: mail.Received, Document: d})
		if err != nil || len(m.Parts) != 0 || strings.Contains(m.Body, "page one") {
			t.Errorf("%v, %v", m, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if m, err := l.Write(ctx, mail.News{Fax: received(), Document: sheet(t, paper.PDF)}); err != nil {
		t.Errorf("%v, %v", m, err)
	}
}

// Numbers are masked, unless they are asked for, and what is none is never shown.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		from string
		full bool
		want string
	}{
		{"+12125550187", false, "•••0187"}, {"+12125550187", true, "+12125550187"}, {"+4969123", false, "•••9123"},
		{"", true, "unknown caller"}, {"anonymous", true, "unknown caller"}, {"desk@evil.example", true, "unknown caller"},
		{"611", true, "unknown caller"}, {"+1 212 555 0187", true, "unknown caller"}, {"12125550187", false, "unknown caller"},
	} {
		l := letter()
		l.Full = c.full
		n := mail.News{Fax: received(), When: mail.Failed}
		n.Fax.From = c.from
		m, err := l.Write(t.Context(), n)
		if err != nil || !strings.HasPrefix(m.Subject, "Fax from "+c.want+" to ") || !strings.Contains(m.Body, "From:      "+c.want+"\n") {
			t.Errorf("%s: %q, %v", c.from, m.Subject, err)
		}
		if all := string(written(m)); !c.full && strings.Contains(all, "555") {
			t.Errorf("%s: too much of a number in %s", c.from, all)
		}
	}
}

// evil is text that wants to be a header, an address or a screen.
func evil() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{
				"\r\nBcc: x@evil.example", "\nX-Evil: 1", "\r\n\r\nbody", "\x00", "\u202e", "@", "<x@evil.example>", "=?utf-8?q?=0D=0ABcc:_x@evil.example?=", "\r\n.\r\n",
				"--faxctl-", "{{.ID}}", "\"; filename=\"x.exe", "../../etc/passwd", strings.Repeat("long", 5000), "\x1b[2J", "é", "\xff", "a\u0301", " ", "+14155550123", "\u2028", "=0D=0A",
			}), rapid.String()), 0, 5).Draw(t, "parts")
		return strings.Join(parts, "")
	})
}

// TestInjection: whatever a fax holds, the headers of its mail are those there are, once
// each; nobody else is written to; and nothing acts on the screen of who reads it.
func TestInjection(t *testing.T) {
	small := document([]byte("%PDF-1.4"), "application/pdf")
	rapid.Check(t, func(t *rapid.T) {
		draw := func(what string) string { return evil().Draw(t, what) }
		pages := rapid.Int().Draw(t, "pages")
		n := mail.News{
			Fax: fax.Fax{
				ID: draw("id"), From: draw("from"), To: draw("to"), Status: fax.Status(draw("status")), Pages: &pages,
				Quality: draw("quality"), MediaID: draw("media"), ErrorCode: draw("code"), ErrorMessage: draw("message"), Created: time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "created"), 0),
			},
			Station: draw("station"), Name: draw("name"), Problem: draw("problem"),
			When: rapid.SampledFrom(append(mail.Whens(), "")).Draw(t, "when"), Document: small,
		}
		n.Document.ContentType, n.Document.Place = draw("type"), draw("place")
		l := letter()
		l.Attach, l.Full = rapid.Bool().Draw(t, "attach"), rapid.Bool().Draw(t, "full")
		if rapid.Bool().Draw(t, "own words") {
			if err := errors.Join(l.SetSubject("{{."+strings.Join(mail.SubjectFields(), "}} {{.")+"}}"), l.SetBody("{{."+strings.Join(mail.BodyFields(), "}}\n{{.")+"}}")); err != nil {
				t.Fatalf("%v", err)
			}
		}
		m, err := l.Write(context.Background(), n)
		if err != nil {
			t.Fatalf("%v", err)
		}
		p := parseMessage(t, m)
		keys := slices.Sorted(maps.Keys(p.header))
		want := []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"}
		if !l.Attach {
			want = slices.Insert(want, 1, "Content-Transfer-Encoding")
		}
		if !slices.Equal(keys, want) {
			t.Fatalf("headers %q in %s", keys, written(m))
		}
		for _, key := range keys {
			if len(p.header[key]) != 1 {
				t.Fatalf("%s: %q", key, p.header[key])
			}
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(p.header.Get("Subject"))
		if err != nil || subject != m.Subject || len(subject) > 320 {
			t.Fatalf("subject %q, %v", subject, err)
		}
		for _, said := range []string{p.header.Get("From"), p.header.Get("To"), subject, strings.NewReplacer("\r\n", "", "\n", "").Replace(p.body)} {
			if strings.ContainsFunc(said, text.Unsafe) {
				t.Fatalf("%q acts on a screen", said)
			}
		}
		if p.header.Get("From") != "<faxes@clinic.example>" || p.header.Get("To") != "<desk@clinic.example>" {
			t.Fatalf("%v", p.header)
		}
		if lines := strings.Count(p.body, "\n"); lines > 20 {
			t.Fatalf("%d lines: %s", lines, p.body)
		}
		for file := range p.files {
			name, kind, _ := strings.Cut(file, " ")
			if !text.MadeOf(name, text.Digits+text.Lower+text.Upper+"-_.") || strings.Contains(name, "..") || len(name) > 120 || kind != "application/octet-stream" && kind != "application/pdf" && kind != "image/tiff" {
				t.Fatalf("file %q", file)
			}
		}
		for _, line := range strings.Split(string(written(m)), "\r\n") {
			if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
				t.Fatalf("line %q", line)
			}
		}
	})
}

// FuzzReadRules: whatever a file holds, it is read or refused; and what is read says the
// same when it is used.
func FuzzReadRules(f *testing.F) {
	f.Add([]byte("from: a@b.example\nrules:\n- {to: '+1415*', from: none, station: 'A*', when: all, mail: [c@d.example], subject: '{{.From}}', body: '{{if eq .Name `x`}}{{.ID}}{{end}}'}\n"))
	f.Add([]byte("from: &a a@b.example\nmax-size: 1MiB\nrules: [{mail: *a}, {mail: [*a], to: desk}]"))
	f.Add([]byte("rules: {{}}"))
	f.Fuzz(func(t *testing.T, content []byte) {
		rules, err := mail.ReadRules(content, "rules.yaml")
		if err != nil {
			if !errors.Is(err, problem.ErrInvalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		ids := map[string]bool{}
		for _, r := range rules.Rules {
			if r.ID == "" || ids[r.ID] || len(r.Mail) == 0 || len(r.When) == 0 {
				t.Fatalf("%+v", r)
			}
			ids[r.ID] = true
		}
		for _, when := range mail.Whens() {
			n := mail.News{Fax: received(), When: when}
			for _, target := range rules.Targets(n, func(string) string { return "desk" }) {
				m, err := rules.Message(t.Context(), n, target)
				if errors.Is(err, problem.ErrInvalid) { // too many words
					continue
				}
				if err != nil {
					t.Fatalf("%v", err)
				}
				parseMessage(t, m)
			}
		}
	})
}
