package mail

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"time"

	"golang.org/x/image/draw"

	"github.com/faxctl/faxctl/pkg/inbox/pages"
)

// What a thumbnail may be: it is to be looked at beside the text, not read.
const (
	thumbnailWide  = 480 // pixels
	thumbnailHigh  = 640
	thumbnailLimit = 20 * time.Second // with the wait for others
)

// thumbnail is a small picture of page one; none when it cannot be drawn whole, or not
// soon since others are drawn, which is no reason to keep a mail back.
func (n News) thumbnail(ctx context.Context, content []byte) []Part {
	ctx, cancel := context.WithTimeout(ctx, thumbnailLimit)
	defer cancel()
	if n.Drawing != nil {
		select {
		case n.Drawing <- struct{}{}:
			defer func() { <-n.Drawing }()
		case <-ctx.Done():
			return nil
		}
	}
	doc, err := pages.Open(ctx, bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil
	}
	page, err := doc.Page(ctx, 0)
	if err != nil {
		return nil
	}
	var b bytes.Buffer
	if err := png.Encode(&b, shrink(page)); err != nil {
		return nil
	}
	return []Part{{Name: n.fileName() + "-page-1.png", ContentType: "image/png", Size: b.Len(), content: b.Bytes()}}
}

// shrink makes a picture that fits, in gray.
func shrink(page image.Image) image.Image {
	size := page.Bounds().Size()
	by := min(1, float64(thumbnailWide)/float64(size.X), float64(thumbnailHigh)/float64(size.Y))
	small := image.NewGray(image.Rect(0, 0, max(1, int(float64(size.X)*by)), max(1, int(float64(size.Y)*by))))
	draw.BiLinear.Scale(small, small.Bounds(), page, page.Bounds(), draw.Src, nil)
	return small
}
