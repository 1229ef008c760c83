package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/inbox/pages"
	"github.com/faxctl/faxctl/pkg/screen/picture"
)

// Pictures are where the pages of a fax go: the terminal, files, another program.
type Pictures struct {
	dir   string // of files
	page  int    // 0: all
	force bool
	paper paper
	way   picture.Way // "": what the terminal is known to have

	damaged map[int]error // pages that were
}

// PicturesHelp is what is said of pictures, on every page of help about them.
const PicturesHelp = `On a terminal the pages are shown there. kitty, Ghostty, iTerm2, WezTerm,
mintty, foot, mlterm and Contour show pictures, up to 10 pages of them, or one
with --page. Any other terminal gets a viewer that draws in half blocks: n and
p (or Page Down and Page Up) turn the page, the arrow keys or h j k l move, +
and - zoom, w fits the width, 0 the whole page, ? shows the keys, and q or ^C
leaves. --draw chooses for a terminal that can do more than it is known for;
what is seen through tmux or screen is drawn in blocks.

--png draws the pages into a folder, a PNG file each, for you alone (0600) and
named by the fax and the page; a file that is there stays without --force. The
pixels are square, whatever the resolution of the fax. Of a page with a
damaged part there is a picture with what could be read; it is told, and the
exit status is then 8.

--open hands the document to the program that the system opens such files
with, and --print to lp, or the program of --print-with, behind its arguments,
of which {id}, {from}, {to}, {pages} and {document} stand for that of the fax.
They get a private copy, without our environment, which is deleted when the
command ends: with --open, when you press Enter; a printing program must have
read it when it ends.

TIFF documents, and pages of a PDF document that are one image, as fax
machines make them, are drawn without another program; any other page of a PDF
document, and documents that are stranger, by pdftoppm, where it is installed
(Debian: poppler-utils). What nothing here draws, --open shows.`

// Bind declares the flags that say where pages go.
func (p *Pictures) Bind(a *App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.dir, "png", "", "draw the pages into PNG files in this `folder`, made if it is not there")
	f.Var(flag.Number(&p.page, 1), "page", "only this page, or the first one to see; the first is 1")
	f.BoolVar(&p.force, "force", false, "write over the files in the folder of --png that are there")
	f.Var(flag.OneOf(&p.way, picture.Ways()...), "draw", "`way` in which the terminal shows a page: "+text.List(picture.Ways(), "or"))
	flag.From(f, "draw", "FAXCTL_DRAW")
	a.CompleteFolders(cmd, "png")
	a.CompleteNothing(cmd, "page")
	a.CompleteValues(cmd, "draw", text.Words(picture.Ways())...)
	p.paper.bind(a, cmd)
}

// Files reports whether pages are drawn into files, which are listed then.
func (p *Pictures) Files() bool { return p.dir != "" }

// Check fails when it is not said where pages go, or twice, when they would go into an
// archive, and when what is to show them is not there. stays is the command that makes a
// copy of the document which stays.
func (p *Pictures) Check(a *App, cmd *cobra.Command, stays problem.Invocation) error {
	other, ways := "", 0
	for _, way := range []string{"print", "open", "png"} {
		if given := Given(cmd, []string{way}); given != "" {
			other, ways = given, ways+1
		}
	}
	if ways > 1 {
		return Misuse("a fax goes one way: --png, --open or --print")
	}
	if err := p.paper.check(a, cmd, stays); err != nil {
		return err
	}
	switch {
	case p.force && !p.Files():
		return Misuse("--force is for --png")
	case ways > 0 && cmd.Flags().Changed("draw"):
		return Misuse("--draw is for the terminal, which shows nothing with %s", other)
	case ways == 0 && !a.Term.Out.Terminal:
		return problem.With(Misuse("it is not said where the pictures go"), problem.Say("name a folder for them, as in %s", problem.Field("png", "pages")))
	case p.Files():
		if err := archive.Outside(p.dir); err != nil {
			return fmt.Errorf("--png: %w", err)
		}
	}
	return nil
}

// Deliver brings the document of a fax to where it goes. Files are listed by out.
func (p *Pictures) Deliver(ctx context.Context, a *App, f fax.Fax, content []byte, out *Printing[pages.File]) error {
	id := f.ID
	if p.paper.wanted() {
		return NamedFax(id, p.paper.hand(ctx, a, f, content))
	}
	doc, err := pages.Open(ctx, bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return NamedFax(id, otherwise(err))
	}
	p.damaged = map[int]error{}
	if p.Files() {
		return cmp.Or(out.All(ctx, p.draw(ctx, a, doc, id)), p.end(a, id))
	}
	return cmp.Or(p.show(ctx, a, doc, id), p.end(a, id))
}

// draw draws the pages of a document into files, and yields each.
func (p *Pictures) draw(ctx context.Context, a *App, doc *pages.Pages, id string) iter.Seq2[pages.File, error] {
	return func(yield func(pages.File, error) bool) {
		first, after := p.wanted(doc)
		for n := first; n < after; n++ { // before anything is written
			if err := p.file(id, n).Check(a); err != nil {
				yield(pages.File{}, err)
				return
			}
		}
		for n := first; n < after; n++ {
			f, err := p.write(ctx, doc, id, n)
			if !yield(f, err) || err != nil {
				return
			}
		}
	}
}

// wanted are the pages from a first one, of which the first is 0, up to another one.
func (p *Pictures) wanted(doc *pages.Pages) (first, after int) {
	if p.page > 0 {
		return p.page - 1, p.page
	}
	return 0, doc.Len()
}

// file is where page n of a fax goes.
func (p *Pictures) file(id string, n int) *OutputFile {
	return &OutputFile{Path: filepath.Join(p.dir, fmt.Sprintf("%s-%03d.png", safe(id), n+1)), Force: p.force, flag: "--png"}
}

// safe is an id as a part of the name of a file: a provider's names no other folder.
func safe(id string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '_'
	}, id)
}

// drawn draws a page. What is damaged is noted, and no error.
func (p *Pictures) drawn(ctx context.Context, doc *pages.Pages, n int) (image.Image, error) {
	img, err := doc.Page(ctx, n)
	if errors.Is(err, pages.ErrDamaged) {
		p.damaged[n], err = err, nil
	}
	if n >= doc.Len() {
		err = problem.With(err, problem.Say("the document has %s", problem.Text(text.Plural(doc.Len(), "page", "pages"))))
	}
	if err != nil {
		return nil, otherwise(fmt.Errorf("page %d: %w", n+1, err))
	}
	return img, nil
}

// otherwise tells of another way to see what cannot be drawn here.
func otherwise(err error) error {
	if !errors.Is(err, pages.ErrUnreadable) {
		return err
	}
	return problem.With(err, problem.Say("have another program show the document: %s, or the one of %s", problem.Field("open"), problem.Field("print-with")))
}

func (p *Pictures) write(ctx context.Context, doc *pages.Pages, id string, n int) (pages.File, error) {
	img, err := p.drawn(ctx, doc, n)
	if err != nil {
		return pages.File{}, NamedFax(id, err)
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
	return pages.File{Page: n + 1, Path: to.Path, Wide: size.X, High: size.Y, Damaged: p.damaged[n] != nil}, nil
}

// end tells of the pages that were damaged, and is the failure to end with then.
func (p *Pictures) end(a *App, id string) error {
	if len(p.damaged) == 0 {
		return nil
	}
	for _, n := range slices.Sorted(maps.Keys(p.damaged)) {
		a.Warn("fax %s: page %d: %v", id, n+1, p.damaged[n])
	}
	return problem.Of(ErrFindings, problem.ErrTold)
}
