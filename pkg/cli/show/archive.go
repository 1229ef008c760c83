package show

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/go-faster/jx"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// What there is to see of kept copies.

// EntryType describes a kept copy.
func EntryType() output.Type[archive.Entry] {
	document := func(name string, value func(archive.Document) string) output.Column[archive.Entry] {
		return output.Column[archive.Entry]{Name: name, Value: func(e archive.Entry) string {
			if e.Document == nil {
				return ""
			}
			return value(*e.Document)
		}}
	}
	size := document("size", func(d archive.Document) string { return strconv.FormatInt(d.Size, 10) })
	size.Right = true
	size.Show = func(e archive.Entry, _ output.Human) string {
		switch {
		case e.Document == nil && e.Whole():
			return "no document"
		case e.Document == nil:
			return "missing"
		}
		return term.Bytes(e.Document.Size)
	}
	hold := output.Column[archive.Entry]{Name: "hold", Wrap: true, Least: 10, Style: func(archive.Entry) output.Style { return output.Warn }, Value: func(e archive.Entry) string {
		if e.Hold == nil {
			return ""
		}
		return e.Hold.Reason
	}}
	get := func(e archive.Entry) fax.Fax { return e.Fax }
	d := drawnOf(get, AsItIs)    // nobody is asked for names
	d.status.Spare = spareDetail // what is kept has ended
	t := output.Type[archive.Entry]{
		ID:      func(e archive.Entry) string { return e.Fax.ID },
		Raw:     func(e archive.Entry) json.RawMessage { return e.Record },
		Columns: faxColumns(get),
		Drawn:   []output.Column[archive.Entry]{d.created, d.other, d.number, d.pages, d.status, size, hold, d.id},
		JSON:    encodeEntry,
	}
	t.Columns = slices.Insert(t.Columns, 6, size)
	t.Columns = slices.Insert(t.Columns, 4, hold)
	t.Columns = append(t.Columns,
		Wide(document("file", func(d archive.Document) string { return d.File })),
		Wide(document("sha256", func(d archive.Document) string { return d.SHA256 })),
		Wide(document("uncounted", func(d archive.Document) string { return d.Uncounted })),
		Wide(document("content_type", func(d archive.Document) string { return d.ContentType })),
		Wide(TimeColumn("archived_at", func(e archive.Entry) time.Time { return e.ArchivedAt })),
		Wide(output.Column[archive.Entry]{Name: "document_missing", Value: func(e archive.Entry) string { return yesIf(e.DocumentMissing) }}),
		Wide(TimeColumn("document_denied", func(e archive.Entry) time.Time { return e.DocumentDenied })),
		Wide(TimeColumn("media_gone", func(e archive.Entry) time.Time { return e.MediaGone })),
		Wide(TimeColumn("gone", func(e archive.Entry) time.Time { return e.Gone })),
		Wide(TimeColumn("deleting", func(e archive.Entry) time.Time {
			if len(e.Deleting) == 0 {
				return time.Time{}
			}
			return e.Deleting[0]
		})),
	)
	return t
}

// encodeEntry writes the fields as their tags in [archive.Entry] say.
func encodeEntry(e *jx.Encoder, kept archive.Entry) {
	instant := func(name string, t time.Time) {
		if !t.IsZero() {
			encodeTime(e, name, t)
		}
	}
	yes := func(name string, b bool) {
		if b {
			e.FieldStart(name)
			e.Bool(true)
		}
	}
	e.ObjStart()
	e.FieldStart("fax")
	encodeFax(e, kept.Fax)
	if len(kept.Record) > 0 {
		encodeRare(e, "record", kept.Record)
	}
	if e.FieldStart("document"); kept.Document == nil {
		e.Null()
	} else {
		encodeDocument(e, *kept.Document)
	}
	encodeTime(e, "archived_at", kept.ArchivedAt)
	instant("media_gone", kept.MediaGone)
	yes("document_missing", kept.DocumentMissing)
	instant("document_denied", kept.DocumentDenied)
	instant("gone", kept.Gone)
	yes("proven", kept.Proven)
	if kept.Hold != nil {
		encodeRare(e, "hold", kept.Hold)
	}
	if len(kept.Holds) > 0 {
		encodeRare(e, "holds", kept.Holds)
	}
	if kept.Release != nil {
		encodeRare(e, "release", kept.Release)
	}
	if len(kept.Deleting) > 0 {
		encodeRare(e, "deleting", kept.Deleting)
	}
	instant("removing", kept.Removing)
	e.ObjEnd()
}

func encodeDocument(e *jx.Encoder, d archive.Document) {
	text := func(name, value string) { e.FieldStart(name); e.Str(value) }
	e.ObjStart()
	text("file", d.File)
	text("sha256", d.SHA256)
	e.FieldStart("size")
	e.Int64(d.Size)
	e.FieldStart("pages")
	e.Int(d.Pages)
	text("content_type", d.ContentType)
	if d.MediaID != "" {
		text("media_id", d.MediaID)
	}
	if d.Uncounted != "" {
		text("uncounted", d.Uncounted)
	}
	e.ObjEnd()
}

// encodeRare writes what hardly any kept copy has. Null is what cannot be written.
func encodeRare(e *jx.Encoder, name string, v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	e.FieldStart(name)
	if enc.Encode(v) != nil {
		e.Null()
		return
	}
	e.Raw(bytes.TrimSpace(b.Bytes()))
}

// Kept is a kept copy with the place of its document.
type Kept struct {
	archive.Entry
	Path string `json:"path,omitempty"` // of the document; empty: there is none, or it is in no file
}

// KeptType describes one kept copy.
func KeptType() output.Type[Kept] {
	entry := EntryType()
	t := output.Type[Kept]{
		ID:  func(k Kept) string { return entry.ID(k.Entry) },
		Raw: func(k Kept) json.RawMessage { return entry.Raw(k.Entry) },
	}
	for _, c := range entry.Columns {
		t.Columns = append(t.Columns, ofEntry(c))
	}
	t.Columns = append(t.Columns, Wide(output.Column[Kept]{Name: "path", Value: func(k Kept) string { return k.Path }}))
	return t
}

// ofEntry is a column of an entry as one of a kept copy.
func ofEntry(c output.Column[archive.Entry]) output.Column[Kept] {
	k := output.Column[Kept]{
		Name: c.Name, Title: c.Title, Wide: c.Wide, Right: c.Right, Whole: c.Whole, Wrap: c.Wrap, Least: c.Least,
		Value: func(k Kept) string { return c.Value(k.Entry) },
	}
	if c.Show != nil {
		k.Show = func(v Kept, h output.Human) string { return c.Show(v.Entry, h) }
	}
	if c.Style != nil {
		k.Style = func(v Kept) output.Style { return c.Style(v.Entry) }
	}
	return k
}

// WhyNoDocument says why no document of a fax is kept.
func WhyNoDocument(e archive.Entry) string {
	switch {
	case !e.DocumentDenied.IsZero():
		return "the provider's storage says that it has none, though the record tells of one"
	case e.DocumentMissing:
		return "it has not come yet, or could not be taken"
	case !e.MediaGone.IsZero():
		return "the provider had it no more"
	}
	return "there was none at the provider"
}

func yesIf(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// HeldType is EntryType for those who look for holds: the reason is what they
// want to read. What is drawn has it in front; scripts rely on the order of columns, which
// is the same whatever is listed.
func HeldType() output.Type[archive.Entry] {
	t := EntryType()
	isHold := func(c output.Column[archive.Entry]) bool { return c.Name == "hold" }
	at, drawn := slices.IndexFunc(t.Columns, isHold), slices.IndexFunc(t.Drawn, isHold)
	t.Columns[at].Least = 24
	hold := t.Columns[at]
	t.Drawn = slices.Insert(slices.Delete(t.Drawn, drawn, drawn+1), 2, hold)
	return t
}

// DamageType describes what is wrong in an archive.
func DamageType() output.Type[archive.Finding] {
	return output.Type[archive.Finding]{
		ID: func(f archive.Finding) string { return f.ID },
		Columns: []output.Column[archive.Finding]{
			{Name: "id", Value: func(f archive.Finding) string { return f.ID }, Whole: true, Style: Accent[archive.Finding]},
			{Name: "problem", Value: func(f archive.Finding) string { return string(f.Problem) }, Style: func(archive.Finding) output.Style { return output.Bad }},
			{Name: "detail", Value: func(f archive.Finding) string { return f.Detail.String() }, Wrap: true, Least: 30},
			{Name: "file", Value: func(f archive.Finding) string { return f.File }, Whole: true},
		},
	}
}
