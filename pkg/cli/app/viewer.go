package app

import (
	"context"
	"errors"
	"fmt"
	"image"
	"sync"

	"github.com/faxctl/faxctl/pkg/inbox/pages"
	"github.com/faxctl/faxctl/pkg/screen/output"
	"github.com/faxctl/faxctl/pkg/screen/picture"
)

// mostShown is how many pages are put on the terminal one below the other.
const mostShown = 10

// show shows pages on the terminal: one below the other where it can show pictures, or
// where nobody can turn them, else in a viewer.
func (p *Pictures) show(ctx context.Context, a *App, doc *pages.Pages, id string) error {
	shades := picture.NoShades
	if a.Term.Out.Color {
		shades = picture.KnownShades(a.Getenv)
	}
	way := p.way
	if way == "" {
		way = picture.Known(a.Getenv)
	}
	if way == picture.Blocks && a.Term.CanPick() {
		return NamedFax(id, p.leaf(ctx, a, doc, shades))
	}
	first, after := p.wanted(doc)
	after = min(after, first+mostShown)
	screen := picture.Screen{Columns: a.Term.Out.Width, Pixels: a.Term.Pixels(), Shades: shades}
	for n := first; n < after; n++ {
		img, err := p.drawn(ctx, doc, n)
		if err != nil {
			return NamedFax(id, err)
		}
		if err := picture.Write(a.Term.Out, img, way, screen); err != nil {
			return output.Unwritten(err)
		}
	}
	if p.page == 0 && after < doc.Len() {
		a.Say("%d of %d pages; --page %d shows the next one.", after, doc.Len(), after+1)
	}
	return nil
}

// leaf gives the terminal to a person who leafs through the pages. The first one is drawn
// before: what cannot be seen is told where it stays to be read.
func (p *Pictures) leaf(ctx context.Context, a *App, doc *pages.Pages, shades picture.Shades) error {
	first, _ := p.wanted(doc)
	begin, err := p.drawn(ctx, doc, first)
	if err != nil {
		return err
	}
	var noting sync.Mutex // a page may still be drawn when the person leaves
	failed := map[int]error{}
	err = picture.Leaf(ctx, a.Term, picture.Pages{Len: doc.Len(), Draw: func(ctx context.Context, n int) (image.Image, error) {
		if n == first {
			return begin, p.damaged[n]
		}
		img, err := doc.Page(ctx, n)
		noting.Lock()
		defer noting.Unlock()
		if err != nil && ctx.Err() == nil {
			failed[n] = err
		}
		return img, err
	}}, first, shades)
	noting.Lock()
	defer noting.Unlock()
	for n, why := range failed {
		if errors.Is(why, pages.ErrDamaged) {
			p.damaged[n] = why
		} else if err == nil {
			err = fmt.Errorf("page %d: %w", n+1, why)
		}
	}
	return err
}
