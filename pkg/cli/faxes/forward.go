package faxes

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/faxctl/faxctl/pkg/base/batch"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/callback"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// maxForwarded is the largest document that is handed on in a callback.
const maxForwarded = 64 << 20

// forwarded hands each fax on to an application before it is told of. One that
// the application does not take is reported, counted in t, and stops nothing.
func forwarded(ctx context.Context, a *app.App, target string, faxes fax.Faxes, arrivals iter.Seq2[fax.Fax, error], t *batch.Trouble) (iter.Seq2[fax.Fax, error], error) {
	sender, err := a.Sender(ctx)
	if err != nil {
		return nil, err
	}
	return func(yield func(fax.Fax, error) bool) {
		for f, err := range arrivals {
			if err == nil {
				err = t.Add(handOn(ctx, a, sender, target, faxes, f))
			}
			if !yield(f, err) || err != nil {
				return
			}
		}
	}, nil
}

func handOn(ctx context.Context, a *app.App, sender callback.Sender, target string, faxes fax.Faxes, f fax.Fax) error {
	d, err := sender.Deliver(ctx, target, f, func(ctx context.Context) (webhook.Document, error) { return documentOf(ctx, faxes, f) })
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return app.Judged(err)
	case d.Told != nil:
		a.Say("Fax %s was handed on.", f.ID)
	default:
		a.Say("Fax %s was asked about: %s.", f.ID, d.Asked.Verb)
	}
	return nil
}

// documentOf is the document of a fax, in memory.
func documentOf(ctx context.Context, faxes fax.Faxes, f fax.Fax) (webhook.Document, error) {
	open, err := faxes.Open(ctx, f, 0)
	if err != nil {
		return webhook.Document{}, err
	}
	defer func() { _ = open.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(open.Body, maxForwarded+1))
	if err == nil && len(content) > maxForwarded {
		err = fmt.Errorf("%w: it is larger than %d MB", problem.ErrUnsupported, maxForwarded>>20)
	}
	name := f.ID + ".pdf"
	if open.ContentType == "image/tiff" {
		name = f.ID + ".tiff"
	}
	return webhook.Document{Name: name, ContentType: open.ContentType, Content: content}, err
}
