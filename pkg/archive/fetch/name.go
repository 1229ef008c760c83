package fetch

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

const (
	longestName  = 200 // bytes of a file name without extension; file systems take 255
	longestField = 60  // bytes of one field's value
)

// Fields lists what a template may name between braces.
func Fields() []string {
	return []string{"date", "time", "from", "to", "id", "direction", "status", "pages", "ext"}
}

// Name is a parsed template for file names. Its zero value names a file by the
// fax's id.
type Name struct {
	pieces []piece
}

// piece is a field or, when that is empty, literal text.
type piece struct{ field, text string }

// ParseName reads a template: fields in braces, {date} {time} {from} {to} {id}
// {direction} {status} {pages}, and text between them. Dates and times are
// those of creation in UTC. A template that has no {id} gets "_{id}" at its
// end: two faxes never share a name. The extension follows the kind of
// document and need not be given; ".{ext}" at the very end is understood.
// Errors are fax.ErrInvalid: an unknown field, a brace without its partner, a
// path separator.
func ParseName(template string) (Name, error) {
	if strings.ContainsAny(template, `/\`) {
		return Name{}, badName(template, "a path separator", "name the folder with -d")
	}
	rest := strings.TrimSuffix(template, ".{ext}")
	var n Name
	for rest != "" {
		text, after, found := strings.Cut(rest, "{")
		if strings.Contains(text, "}") {
			return Name{}, badName(template, "a } without its {", "")
		}
		if text != "" {
			n.pieces = append(n.pieces, piece{text: text})
		}
		if !found {
			break
		}
		field, after, closed := strings.Cut(after, "}")
		switch {
		case !closed:
			return Name{}, badName(template, "a { without its }", "")
		case field == "ext":
			return Name{}, badName(template, "{ext} before the end", "end the template with .{ext}, or leave it out: the extension is added by itself")
		case !slices.Contains(Fields(), field):
			return Name{}, badName(template, "unknown field {"+field+"}", "the fields are {"+strings.Join(Fields(), "} {")+"}")
		}
		n.pieces = append(n.pieces, piece{field: field})
		rest = after
	}
	if len(n.pieces) == 0 {
		return Name{}, badName(template, "no field", "for example {date}_{from}_{id}")
	}
	return n, nil
}

func badName(template, what, hint string) error {
	return problem.With(fmt.Errorf("%w name template %q: %s", problem.ErrInvalid, template, what), problem.Say(hint))
}

// Base is the file name for f, without extension. Whatever the fax's fields
// hold, it is one name in the folder: no separator, no control character, no
// leading dot, no two dots together, no name that Windows reserves, at most 200
// bytes. Names of different faxes differ, given ids of one length that [CheckID] lets pass.
func (n Name) Base(f fax.Fax) string {
	id := clean(f.ID, longestName/2)
	var b strings.Builder
	hasID := false
	for _, p := range n.pieces {
		switch p.field {
		case "":
			b.WriteString(clean(p.text, longestName))
		case "id":
			b.WriteString(id)
			hasID = true
		default:
			b.WriteString(clean(value(f, p.field), longestField))
		}
	}
	name := b.String()
	if !hasID || len(name) > longestName {
		name = strings.TrimSuffix(cut(name, longestName-len(id)-1), "_")
		if name != "" {
			name += "_"
		}
		name += id
	}
	return presentable(name)
}

// CheckID refuses an id that is no name of a file as it is, with fax.ErrInvalid: another
// name would have to be made of it, which may be that of another fax.
func CheckID(id string) error {
	if len(id) == 0 || len(id) > 64 || strings.Trim(id, "0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
		return fmt.Errorf("%w fax id %q", problem.ErrInvalid, id)
	}
	return nil
}

// value is a field of f as text.
func value(f fax.Fax, field string) string {
	switch field {
	case "date", "time":
		if f.Created.IsZero() {
			return "undated"
		}
		layout := map[string]string{"date": "2006-01-02", "time": "150405"}[field]
		return f.Created.UTC().Format(layout)
	case "from":
		return f.From
	case "to":
		return f.To
	case "direction":
		return string(f.Direction)
	case "status":
		return string(f.Status)
	case "pages":
		if f.Pages == nil {
			return "unknown"
		}
		return strconv.Itoa(*f.Pages)
	}
	return ""
}

// clean replaces what does not belong in a file name.
func clean(s string, longest int) string {
	return cut(strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError, !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("+-_.,=@()", r):
			return '_'
		}
		return r
	}, s), longest)
}

// cut shortens s to so many bytes, between characters.
func cut(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	for longest > 0 && !utf8.RuneStart(s[longest]) {
		longest--
	}
	return s[:longest]
}

// presentable removes what makes a name hidden, special or unreadable as a
// whole.
func presentable(name string) string {
	name = strings.ReplaceAll(name, "..", "__")
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
		name = "_" + name[1:]
	}
	name = strings.TrimRight(name, ".")
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch {
	case name == "":
		return "_"
	case slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}, stem),
		len(stem) >= 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) && utf8.RuneCountInString(stem) == 4:
		return "_" + name
	}
	return name
}
