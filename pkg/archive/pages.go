package archive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/archive/fetch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Note is something about a kept file that is no problem.
type Note struct {
	ID     string         `json:"id"`
	File   string         `json:"file"` // slash-separated, in the archive
	Detail problem.Advice `json:"detail"`
}

// countPages is what is known of the pages of a kept document. A sidecar that tells
// of none and does not say why may be older than the reason: they are counted
// again.
func (a *Archive) countPages(ctx context.Context, id, name string, d *Document) (document.Info, *Finding, error) {
	info := document.Info{Pages: d.Pages, Uncounted: d.Uncounted}
	if d.Pages > 0 || d.Uncounted != "" {
		return info, nil, nil
	}
	var content bytes.Buffer
	if finding, err := a.checkDocument(ctx, id, name, d, &content); err != nil || finding != nil {
		return info, finding, err
	}
	again, err := document.Inspect(bytes.NewReader(content.Bytes()), int64(content.Len()))
	if err != nil {
		again.Uncounted = err.Error() // it is what was kept, and was taken for whole then
	}
	return again, nil, nil
}

// EnoughFor fails with [ErrDamagedCopy] and a [fetch.PagesError] when a document is
// known to have fewer pages than the record of its fax tells.
func (d Document) EnoughFor(f fax.Fax) error {
	if err := fetch.EnoughPages(document.Info{Pages: d.Pages, Uncounted: d.Uncounted}, f); err != nil {
		return fmt.Errorf("fax %s: %w: %w", f.ID, ErrDamagedCopy, err)
	}
	return nil
}

// enoughPages checks that a kept document has the pages that the record tells of:
// [ErrDamagedCopy] and a [fetch.PagesError] when it is known to have fewer;
// [ErrUnproven] when they cannot be counted, unless that is allowed: whatever keeps
// the pages from being found may have been in the place of some.
func (a *Archive) enoughPages(ctx context.Context, key string, e Entry, uncounted bool) error {
	info, finding, err := a.countPages(ctx, e.Fax.ID, documentName(key, e.Document), e.Document)
	if err != nil {
		return err
	}
	if finding != nil {
		return finding.err()
	}
	told := Document{Pages: info.Pages, Uncounted: info.Uncounted}
	if err := told.EnoughFor(e.Fax); err != nil {
		return err
	}
	if info.Uncounted != "" && !uncounted {
		return problem.With(fmt.Errorf("fax %s: %w: the pages of its copy could not be counted (%s); nothing was deleted", e.Fax.ID, ErrUnproven, info.Uncounted),
			problem.Say("look at the copy: it is in the archive, as %s; the same with %s deletes such faxes too", problem.Text(documentName(key, e.Document)), problem.On("allow-uncounted")))
	}
	return nil
}

// pages looks at the pages of a document that is what was kept.
func (v *verification) pages(ctx context.Context, name string, e Entry) (*Finding, error) {
	info, finding, err := v.a.countPages(ctx, e.Fax.ID, name, e.Document)
	if err != nil || finding != nil {
		return finding, err
	}
	if short := new(fetch.PagesError); errors.As(fetch.EnoughPages(info, e.Fax), &short) {
		return &Finding{e.Fax.ID, name, Short, problem.Say(fmt.Sprintf("%d pages, and its record tells of %d", short.Got, short.Want))}, nil
	}
	if info.Uncounted != "" {
		v.addNote(Note{e.Fax.ID, name, problem.Say("its pages could not be counted: " + info.Uncounted)})
	}
	return nil, nil
}

func byFile(a, b Note) int { return cmp.Compare(a.File, b.File) }
