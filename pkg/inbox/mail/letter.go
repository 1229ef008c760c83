package mail

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Letter is a mail that is to be written. The zero Letter is a notice without the
// document, with masked numbers and words of our own.
type Letter struct {
	From, To  string // addresses, as of [ParseFrom] and [ParseAddress]
	Attach    bool   // the document; false: a notice
	Thumbnail bool   // a small picture of page one
	Full      bool   // whole numbers; false: the last four digits of each
	MaxSize   int64  // bytes of the whole message; 0: [DefaultMaxSize]

	// ByHand refuses fields that only a receiver knows: the name of our number, what the
	// far end calls itself, and what was given up.
	ByHand bool

	rule          string             // its ID; "": by hand
	subject, body *template.Template // nil: our own
}

// SetSubject takes a template for the subject, of those of [SubjectFields] that are known.
// ErrInvalid: it is none.
func (l *Letter) SetSubject(s string) (err error) {
	fields := l.known(SubjectFields())
	l.subject, err = readTemplate(s, fields)
	if err == nil && strings.ContainsFunc(s, text.Unsafe) {
		return refusedTemplate(fields, "a subject is one line, without control characters")
	}
	return err
}

// SetBody takes a template for the body, of those of [BodyFields] that are known.
// ErrInvalid: it is none.
func (l *Letter) SetBody(s string) (err error) {
	l.body, err = readTemplate(s, l.known(BodyFields()))
	return err
}

// known are those of the fields that are known of a fax in this letter.
func (l *Letter) known(fields []string) []string {
	return slices.DeleteFunc(fields, func(f string) bool {
		return l.ByHand && (f == "Name" || f == "Station" || f == "Problem")
	})
}

// ours are the words for a mail that has none of its own.
func (n News) ours() (subject, body string) {
	const about = `
From:      {{.From}}
To:        {{.To}}{{if .Name}}, {{.Name}}{{end}}
Date:      {{.Received}}
Length:    {{.Length}}
Status:    {{.Status}}
{{if .Error}}Error:     {{.Error}}
{{end}}{{if .Station}}Station:   {{.Station}} (what the far end calls itself)
{{end}}Fax:       {{.ID}}

{{.Document}}
`
	switch n.When {
	case Received:
		return "Fax from {{.From}} to {{.To}}, {{.Length}}", "A fax came in.\n" + about
	case Failed:
		return "Fax from {{.From}} to {{.To}} failed", "A fax did not come through.\n" + about
	case Parked:
		return "Something is left to do about a fax from {{.From}} to {{.To}}",
			"Something was to be done about a fax, and was given up:\n{{.Problem}}\n" + about
	}
	if n.Fax.Status.Unsuccessful() {
		return "Fax from {{.From}} to {{.To}} failed", "A fax that did not come through is passed on to you.\n" + about
	}
	return "Fax from {{.From}} to {{.To}}, {{.Length}}", "A fax is passed on to you.\n" + about
}

// templates are those of a letter, or our own.
func (l Letter) templates(n News) (subject, body *template.Template) {
	ourSubject, ourBody := n.ours()
	subject, body = l.subject, l.body
	if subject == nil {
		subject = template.Must(template.New("").Parse(ourSubject))
	}
	if body == nil {
		body = template.Must(template.New("").Parse(ourBody))
	}
	return subject, body
}

// values are what templates show of n. Whatever n holds, no value has more than a line,
// and none of [SubjectFields] has words of a caller.
func (l Letter) values(n News) values {
	f := n.Fax
	v := values{
		"From":     l.number(f.From, "unknown caller"),
		"To":       l.number(f.To, "unknown number"),
		"Name":     n.name(),
		"Pages":    "?",
		"Length":   "of unknown length",
		"Status":   word(string(f.Status)),
		"Received": "unknown",
		"ID":       word(f.ID),
		"Station":  line(l.station(strings.TrimSpace(n.Station))),
		"Error":    line(strings.TrimSpace(f.ErrorCode + " " + f.ErrorMessage)),
		"Problem":  line(n.Problem),
	}
	if f.Pages != nil {
		v["Pages"], v["Length"] = strconv.Itoa(*f.Pages), text.Plural(*f.Pages, "page", "pages")
	}
	if t := n.at(); !t.IsZero() {
		v["Received"] = t.Local().Format("2006-01-02 15:04 MST")
	}
	return v
}

// name is that of our number. Where nobody gave it one, providers call it by its digits,
// which say nothing more.
func (n News) name() string {
	if digits := fax.WithoutMarks(n.Name); digits != "" && strings.HasSuffix(n.Fax.To, strings.TrimPrefix(digits, "+")) {
		return ""
	}
	return line(n.Name)
}

// at is the time of a fax.
func (n News) at() time.Time {
	if n.Received.IsZero() {
		return n.Fax.Created
	}
	return n.Received
}

// number is a phone number as the letter shows it. What is none is whoever the far end
// claims to be, and is not shown.
func (l Letter) number(s, none string) string {
	phone, err := fax.ParsePhone(s)
	switch {
	case err != nil || phone != s:
		return none
	case l.Full:
		return s
	}
	return "•••" + lastFour(s)
}

// station is what the far end calls itself, which is its number more often than not: as
// fax machines write it, with spaces, or in digits of another script.
func (l Letter) station(s string) string {
	if l.Full {
		return s
	}
	all := []rune(s)
	shown := 4
	for i, r := range slices.Backward(all) {
		if !unicode.IsNumber(r) {
			continue
		}
		if shown--; shown < 0 {
			all[i] = '•'
		}
	}
	return string(all)
}

func lastFour(phone string) string { return phone[len(phone)-4:] }

// word is an id or a status: letters, digits and marks that mean nothing anywhere.
func word(s string) string {
	const most = 64
	s = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), most)]
}

// fileName is that of the document: what it is, when it came, the end of the number that
// it is from, and its id.
func (n News) fileName() string {
	parts := []string{"fax"}
	if t := n.at(); !t.IsZero() {
		parts = append(parts, t.UTC().Format(time.DateOnly))
	}
	from := "unknown"
	if phone, err := fax.ParsePhone(n.Fax.From); err == nil && phone == n.Fax.From {
		from = lastFour(phone)
	}
	return strings.Join(append(parts, "from", from, word(n.Fax.ID)), "-")
}

// fate is what became of the document in this mail, in words for its reader.
func (n News) fate(attached, wanted bool) string {
	d := n.Document
	switch {
	case d.IsZero():
		return "There is no document."
	case attached:
		return "The document is attached."
	}
	said := "The document is not attached."
	if wanted {
		said = fmt.Sprintf("The document is too large for a mail (%.1f MB) and not attached.", float64(d.Size)/1e6)
	}
	if d.Kept {
		said += " It is kept in the archive, as fax " + word(n.Fax.ID) + "."
	}
	return said
}
