package mail_test

import (
	"context"
	"errors"
	"maps"
	"mime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
)

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
		n.Document.ContentType = draw("type")
		l := letter()
		l.Attach, l.Full = rapid.Bool().Draw(t, "attach"), rapid.Bool().Draw(t, "full")
		if rapid.Bool().Draw(t, "own words") {
			if err := errors.Join(l.SetSubject("{{."+strings.Join(mail.SubjectFields(), "}} {{.")+"}}"), l.SetBody("{{."+strings.Join(mail.BodyFields(), "}}\n{{.")+"}}")); err != nil {
				t.Fatalf("%v", err)
			}
		}
		harmless(t, n, l)
	})
}

// FuzzWrite is [TestInjection] with bytes that something else thinks of.
func FuzzWrite(f *testing.F) {
	f.Add("FX1", "+12125550187", "+14155550123", "received", "ACME Labs", "front desk", "forward: no answer", "application/pdf", "/srv/faxes/a.pdf", uint8(0))
	f.Add("FX\r\nBcc: x@evil.example", "x@evil.example", "\x00", "=?utf-8?q?=0D=0A?=", "\r\n\r\n--faxctl-", "\u202e", "\r\n.\r\n", "text/html\r\n", "{{.ID}}\n", uint8(1))
	f.Add("../../etc/passwd", "+1\n", "\xff\xfe", "", "\x1b[2J", "a\u0301", strings.Repeat("long ", 300), "application/pdf; x", "\u2028", uint8(14))
	small := document([]byte("%PDF-1.4"), "application/pdf")
	f.Fuzz(func(t *testing.T, id, from, to, status, station, name, problem, contentType, place string, choice uint8) {
		whens := append(mail.Whens(), "")
		n := mail.News{
			Fax:     fax.Fax{ID: id, From: from, To: to, Status: fax.Status(status), ErrorCode: place, ErrorMessage: problem},
			Station: station, Name: name, Problem: problem, When: whens[int(choice)%len(whens)], Document: small,
		}
		n.Document.ContentType = contentType
		l := letter()
		l.Attach, l.Full = choice&4 == 0, choice&8 == 0
		harmless(t, n, l)
	})
}

// harmless fails for a mail that says more, or to somebody else, than it should.
func harmless(t fataler, n mail.News, l mail.Letter) {
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
