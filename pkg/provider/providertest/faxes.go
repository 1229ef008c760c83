package providertest

import (
	"bytes"
	"context"
	"io"
	"iter"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// listed is all faxes that q selects, in pages of the given size.
func listed(ctx context.Context, f fax.Faxes, q fax.Filter, size int) iter.Seq2[fax.Fax, error] {
	return fax.Pages(ctx, idOf, func(ctx context.Context, cursor string) (fax.Page[fax.Fax], error) {
		return f.Page(ctx, q, size, cursor)
	})
}

func idOf(f fax.Fax) string { return f.ID }

func (s Subject) faxes(t *testing.T) {
	f := s.Open(t).Faxes
	small := max(1, s.Faxes/5)
	all := sequence(t, func(ctx context.Context) iter.Seq2[fax.Fax, error] { return listed(ctx, f, fax.Filter{}, small) }, idOf)
	if len(all) < s.Faxes {
		t.Fatalf("%d faxes, want at least %d", len(all), s.Faxes)
	}
	page, err := f.Page(t.Context(), fax.Filter{}, small, "")
	if err != nil || len(page.Items) > small || page.Next == "" {
		t.Errorf("a page of %d has %d faxes, next %q, %v", small, len(page.Items), page.Next, err)
	}
	byID := map[string]fax.Fax{}
	for _, x := range all {
		byID[x.ID] = x
		if x.ID == "" || x.Created.IsZero() || x.Status == "" || x.Direction != fax.Inbound && x.Direction != fax.Outbound {
			t.Errorf("an incomplete fax: %+v", x)
		}
	}
	if largest, err := fax.Collect(listed(t.Context(), f, fax.Filter{}, 0)); err != nil || len(largest) != len(all) {
		t.Errorf("in the largest pages: %d faxes, %v; want %d", len(largest), err, len(all))
	}

	middle := all[len(all)/2]
	for name, q := range map[string]fax.Filter{
		"after":      {After: middle.Created},
		"until":      {Until: middle.Created},
		"a window":   {After: middle.Created.Add(-time.Second), Until: middle.Created},
		"half-way":   {After: middle.Created.Add(-time.Second / 2), Until: middle.Created.Add(time.Second / 2)},
		"elsewhere":  {Until: middle.Created.In(time.FixedZone("", 7*3600))},
		"from":       {From: middle.From},
		"to":         {To: middle.To},
		"either end": {Number: middle.To},
		"direction":  {Direction: middle.Direction},
		"status":     {Statuses: []fax.Status{middle.Status, fax.Busy}},
		"pages":      {MinPages: 2},
		"nothing":    {After: time.Now().Add(24 * time.Hour)},
	} {
		got, err := fax.Collect(listed(t.Context(), f, q, small))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		expected := 0
		for _, x := range all {
			if q.Match(x) {
				expected++
			}
		}
		if len(got) != expected {
			t.Errorf("%s: %d faxes, want %d", name, len(got), expected)
		}
		for _, x := range got {
			if !q.Match(x) {
				t.Errorf("%s: %s was not asked for", name, x.ID)
			}
		}
	}

	one, err := f.Get(t.Context(), middle.ID)
	if err != nil {
		t.Fatal(err)
	}
	if one.ID != middle.ID || !one.Created.Equal(middle.Created) || one.From != middle.From || len(one.Raw) == 0 {
		t.Errorf("fetched %+v, listed %+v", one, middle)
	}
	if page, err := f.Page(t.Context(), fax.Filter{WithRaw: true}, 1, ""); err != nil || len(page.Items) != 1 || len(page.Items[0].Raw) == 0 {
		t.Errorf("raw records were asked for: %+v, %v", page, err)
	}
	for x, err := range listed(t.Context(), f, fax.Filter{WithoutLinks: true}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if x.MediaID != "" && x.MediaURL != "" {
			t.Errorf("links were not asked for: %s", x.ID)
		}
	}
	for name, call := range map[string]func(string) error{
		"get":          func(id string) error { _, err := f.Get(t.Context(), id); return err },
		"media":        func(id string) error { _, err := fax.Collect(f.Media(t.Context(), id)); return err },
		"open":         func(id string) error { _, err := f.Open(t.Context(), fax.Fax{ID: id}, 0); return err },
		"delete":       func(id string) error { return f.Delete(t.Context(), id) },
		"delete media": func(id string) error { return f.DeleteMedia(t.Context(), id, s.UnknownID) },
	} {
		want(t, name+" of an unknown id", call(s.UnknownID), problem.ErrNotFound)
		want(t, name+" of no id", call("../"+s.UnknownID), problem.ErrInvalid)
	}
}

// withDocument is the first faxes that are done and have a document.
func (s Subject) withDocument(t *testing.T, f fax.Faxes, count int) []fax.Fax {
	t.Helper()
	var found []fax.Fax
	for x, err := range listed(t.Context(), f, fax.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if x.MediaID != "" && x.Status.Terminal() {
			if found = append(found, x); len(found) == count {
				return found
			}
		}
	}
	t.Fatalf("%d faxes with a document, want %d", len(found), count)
	return nil
}

func (s Subject) documents(t *testing.T) {
	f := s.Open(t).Faxes
	x := s.withDocument(t, f, 1)[0]
	read := func(what string, x fax.Fax, offset int64) ([]byte, fax.Document) {
		t.Helper()
		doc, err := f.Open(t.Context(), x, offset)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		defer func() {
			if err := doc.Body.Close(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}()
		content, err := io.ReadAll(doc.Body)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return content, doc
	}
	whole, doc := read("a document", x, 0)
	if doc.Offset != 0 || doc.Size >= 0 && doc.Size != int64(len(whole)) {
		t.Errorf("offset %d, size %d of %d", doc.Offset, doc.Size, len(whole))
	}
	if !bytes.HasPrefix(whole, []byte("%PDF-")) && !bytes.HasPrefix(whole, []byte("II*\x00")) && !bytes.HasPrefix(whole, []byte("MM\x00*")) {
		t.Errorf("neither PDF nor TIFF: %q", whole[:min(len(whole), 20)])
	}
	half := int64(len(whole) / 2)
	if rest, doc := read("its second half", x, half); !bytes.Equal(rest, whole[doc.Offset:]) || doc.Offset != 0 && doc.Offset != half {
		t.Errorf("from %d: %d bytes at %d", half, len(rest), doc.Offset)
	}
	x.MediaURL = ""
	if again, _ := read("without a link", x, 0); !bytes.Equal(again, whole) {
		t.Error("without a link: another document")
	}
	media, err := fax.Collect(f.Media(t.Context(), x.ID))
	if err != nil || len(media) == 0 || media[0].ID == "" || media[0].FaxID != x.ID || media[0].ContentType == "" {
		t.Errorf("media %+v, %v", media, err)
	}
	x.MediaURL = "https://files.example.com/elsewhere.pdf"
	_, err = f.Open(t.Context(), x, 0)
	want(t, "a link to elsewhere", err, problem.ErrInvalid)
}

func (s Subject) deleting(t *testing.T) {
	ctx, f := t.Context(), s.Open(t).Faxes
	found := s.withDocument(t, f, 2)
	bare, whole := found[0], found[1]

	if err := f.DeleteMedia(ctx, bare.ID, bare.MediaID); err != nil {
		t.Fatal(err)
	}
	want(t, "deleting the media again", f.DeleteMedia(ctx, bare.ID, bare.MediaID), problem.ErrNotFound)
	got, err := f.Get(ctx, bare.ID)
	if err != nil {
		t.Fatalf("the record went with its media: %v", err)
	}
	if _, err := f.Open(ctx, got, 0); err == nil {
		t.Error("the document is still there")
	} else {
		want(t, "opening a deleted document", err, problem.ErrNotFound)
	}
	if media, err := fax.Collect(f.Media(ctx, bare.ID)); err != nil || len(media) != 0 {
		t.Errorf("media %+v, %v", media, err)
	}

	if err := f.Delete(ctx, whole.ID); err != nil {
		t.Fatal(err)
	}
	want(t, "deleting again", f.Delete(ctx, whole.ID), problem.ErrNotFound)
	for x, err := range listed(ctx, f, fax.Filter{}, 0) {
		if err == nil && !x.Status.Terminal() {
			want(t, "deleting a fax in progress", f.Delete(ctx, x.ID), problem.ErrConflict)
			break
		}
	}
	_, err = f.Get(ctx, whole.ID)
	want(t, "getting what was deleted", err, problem.ErrNotFound)
	for x, err := range listed(ctx, f, fax.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if x.ID == whole.ID {
			t.Error("a deleted fax is still listed")
		}
	}
}
