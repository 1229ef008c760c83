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
	"testing/iotest"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
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
		ContentType: contentType, Size: int64(len(content)), SHA256: hex.EncodeToString(sum[:]), Kept: true,
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
	body := `A fax came in.

From:      •••0187
To:        •••0123, front desk
Date:      ` + n.Fax.Created.Local().Format("2006-01-02 15:04 MST") + `
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
	r := read(t, "from: faxes@clinic.example\nrules: [{mail: [desk@clinic.example]}, {mail: [desk@clinic.example]}]")
	for _, target := range r.Targets(n, nil) {
		m, err := r.Message(t.Context(), n, target)
		if err != nil {
			t.Fatal(err)
		}
		ids[m.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("three rules send mails of %d names: a reader misses one", len(ids))
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
			if told := strings.Contains(m.Body, "too large for a mail") && strings.Contains(m.Body, "It is kept in the archive, as fax "+n.Fax.ID+".\n"); (len(m.Parts) == 1) != attached || told == attached || m.Size > most {
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
	n.Document = sheet(t, paper.PDF)
	open := n.Document.Open
	n.Document.Open = func() (io.ReadCloser, error) {
		from, err := open()
		return io.NopCloser(io.MultiReader(io.LimitReader(from, 100), iotest.ErrReader(io.ErrClosedPipe))), err
	}
	if m, err := l.Write(t.Context(), n); !errors.Is(err, io.ErrClosedPipe) || m != nil {
		t.Errorf("a disk that gives half of it: %v, %v", m, err)
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

// A picture waits until another is drawn, and is left out when that is not soon.
func TestPicturesInTurn(t *testing.T) {
	l := letter()
	l.Thumbnail = true
	drawing := make(chan struct{}, 1)
	n := mail.News{Fax: received(), When: mail.Received, Document: sheet(t, paper.TIFF), Drawing: drawing}
	for range 2 { // the turn is given back
		if m, err := l.Write(t.Context(), n); err != nil || len(m.Parts) != 1 {
			t.Fatalf("%v, %v", m, err)
		}
	}
	drawing <- struct{}{}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if m, err := l.Write(ctx, n); err != nil || len(m.Parts) != 0 || ctx.Err() == nil {
		t.Errorf("while another is drawn: %v, %v", m, err)
	}
	done := make(chan *mail.Message)
	go func() {
		m, _ := l.Write(t.Context(), n)
		done <- m
	}()
	<-drawing
	if m := <-done; m == nil || len(m.Parts) != 1 {
		t.Errorf("when the other is drawn: %v", m)
	}
}

// What a machine calls itself is its number more often than not.
func TestStation(t *testing.T) {
	for station, want := range map[string]string{
		"+1 212 555 0187":                             "+• ••• ••• 0187",
		"ACME 2125550187 Lab1":                        "ACME •••••••187 Lab1",
		"１２１２５５５０１８７":                                 "•••••••０１８７",
		"٢١٢٥٥٥٠١٨٧":                                  "••••••٠١٨٧",
		"②①②⑤⑤":                                       "•①②⑤⑤",
		"ACME Labs 24":                                "ACME Labs 24",
		"2125550187" + strings.Repeat("x", 400) + "9": "•••••••187xxx",
	} {
		n := mail.News{Fax: received(), When: mail.Received, Station: station}
		for _, full := range []bool{false, true} {
			l := letter()
			l.Full = full
			m, err := l.Write(t.Context(), n)
			if full {
				want = station[:min(len(station), 200)]
			}
			if err != nil || !strings.Contains(m.Body, "Station:   "+want) {
				t.Errorf("%s: %s, %v", station, m.Body, err)
			}
		}
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
