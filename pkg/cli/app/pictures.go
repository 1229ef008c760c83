package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/inbox/pages"
)

// Pictures are the files that the pages of a fax are drawn into.
type Pictures struct {
	dir     string
	page    int // 0: all
	force   bool
	damaged bool // a page was
}

// PicturesHelp is what is said of pictures, on every page of help about them.
const PicturesHelp = `--png draws the pages into a folder, a PNG file each, for you alone (0600) and
named by the fax and the page; a file that is there stays without --force. The
pixels are square, whatever the resolution of the fax. Of a page with a damaged
part there is a picture with what could be read; it is told, and the exit status
is then 8.

TIFF documents, and pages of a PDF document that are one image, as fax machines
make them, are drawn without another program; any other page of a PDF document
by pdftoppm, where it is installed (Debian: poppler-utils).`

// Bind declares --png, --page and --force.
func (p *Pictures) Bind(a *App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.dir, "png", "", "draw the pages into PNG files in this `folder`, made if it is not there")
	f.Var(flag.Number(&p.page, 1), "page", "only this page; the first is 1")
	f.BoolVar(&p.force, "force", false, "write over the files in the folder of --png that are there")
	a.CompleteFolders(cmd, "png")
	a.CompleteNothing(cmd, "page")
}

// Check fails when it is not said where pictures go, or when they would go into an archive.
func (p *Pictures) Check() error {
	if p.dir == "" {
		return problem.With(Misuse("it is not said where the pictures go"), problem.Say("name a folder for them, as in %s", problem.Field("png", "pages")))
	}
	if err := archive.Outside(p.dir); err != nil {
		return fmt.Errorf("--png: %w", err)
	}
	return nil
}

// Draw draws pages of the document of a fax, and yields the file of each.
func (p *Pictures) Draw(ctx context.Context, a *App, id string, content []byte) iter.Seq2[pages.File, error] {
	return func(yield func(pages.File, error) bool) {
		doc, err := pages.Open(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			yield(pages.File{}, NamedFax(id, err))
			return
		}
		wanted := []int{p.page - 1}
		if p.page == 0 {
			wanted = wanted[:0]
			for n := range doc.Len() {
				wanted = append(wanted, n)
			}
		}
		for _, n := range wanted { // before anything is written
			if err := p.file(id, n).Check(a); err != nil {
				yield(pages.File{}, err)
				return
			}
		}
		for _, n := range wanted {
			f, err := p.draw(ctx, a, doc, id, n)
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// file is where page n of a fax goes.
func (p *Pictures) file(id string, n int) *OutputFile {
	safe := strings.Map(func(r rune) rune { // a provider's id names no other folder
		if r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, id)
	return &OutputFile{Path: filepath.Join(p.dir, fmt.Sprintf("%s-%03d.png", safe, n+1)), Force: p.force, flag: "--png"}
}

func (p *Pictures) draw(ctx context.Context, a *App, doc *pages.Pages, id string, n int) (pages.File, error) {
	img, err := doc.Page(ctx, n)
	damaged := errors.Is(err, pages.ErrDamaged)
	if err != nil && !damaged {
		return pages.File{}, NamedFax(id, fmt.Errorf("page %d: %w", n+1, err))
	}
	if damaged {
		p.damaged = true
		a.Warn("fax %s: page %d: %v", id, n+1, err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return pages.File{}, err
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return pages.File{}, err
	}
	to := p.file(id, n)
	if err := to.Write(b.Bytes()); err != nil {
		return pages.File{}, err
	}
	size := img.Bounds().Size()
	return pages.File{Page: n + 1, Path: to.Path, Wide: size.X, High: size.Y, Damaged: damaged}, nil
}

// End is the failure to end with when a page was damaged.
func (p *Pictures) End() error {
	if p.damaged {
		return problem.Of(ErrFindings, problem.ErrTold)
	}
	return nil
}
