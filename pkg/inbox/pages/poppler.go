package pages

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/text"
)

// What pdftoppm is given for a page.
const (
	popplerSide = 2400        // pixels of the longer side: 218 to the inch of a letter
	popplerTime = time.Minute // then it is ended

	// popplerMemory is the most it gets, in bytes, where that can be said: a letter in color
	// takes 0.1 GB, and a file of a few kilobytes may ask for more than there is.
	popplerMemory = 1 << 30
)

// byPoppler has pdftoppm, of poppler, draw a page of a document. The document goes in and the
// picture comes out through pipes, so that neither is in a file; nothing of our own
// environment, where secrets may be, is handed to it.
func byPoppler(ctx context.Context, program string, pdf io.Reader, n int) (picture, error) {
	if program == "" {
		return picture{}, unreadable("it is more than one plain image, and pdftoppm, which draws others, is not installed (Debian: poppler-utils)")
	}
	page := strconv.Itoa(n + 1)
	out := &bounded{left: 3*popplerSide*popplerSide + 1024}
	if err := poppler(ctx, pdf, out, program, "-f", page, "-l", page, "-scale-to", strconv.Itoa(popplerSide), "-"); err != nil {
		return picture{}, err
	}
	img, err := readPPM(&out.kept)
	return picture{image: img}, err
}

// poppler runs one of poppler's programs, which reads the document.
func poppler(ctx context.Context, pdf io.Reader, out *bounded, program string, args ...string) error {
	limited, cancel := context.WithTimeout(ctx, popplerTime)
	defer cancel()
	cmd := exec.CommandContext(limited, program, args...)
	cmd.Env = []string{"LC_ALL=C"}
	limits := make(chan struct{})
	cmd.Stdin = &late{limits, pdf}
	cmd.WaitDelay = time.Second
	said := &bounded{left: 64 << 10}
	cmd.Stdout, cmd.Stderr = out, said
	err := cmd.Start()
	if err == nil {
		err = limitMemory(cmd.Process.Pid, popplerMemory)
		if err != nil {
			cancel()
		}
		close(limits)
		err = errors.Join(err, cmd.Wait())
	}
	name := filepath.Base(program)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return unreadable("%s takes longer than %v", name, popplerTime)
	case err != nil:
		first, _, _ := strings.Cut(strings.TrimSpace(said.kept.String()), "\n")
		return unreadable("%s: %s", name, text.Line(strings.TrimSpace(first+" ("+err.Error()+")")))
	}
	return nil
}

// strangePages draws the pages of a PDF file that is not understood here, encrypted ones
// for instance: poppler may understand it.
type strangePages struct {
	pdf     *io.SectionReader
	program string // pdftoppm
	pages   int
}

// openStrange asks poppler how many pages a PDF file has of which it is known here only
// why they could not be counted.
func openStrange(ctx context.Context, r io.ReaderAt, size int64, uncounted string) (strangePages, error) {
	s := strangePages{pdf: io.NewSectionReader(r, 0, size)}
	program, err := exec.LookPath("pdftoppm")
	counts, bad := exec.LookPath("pdfinfo")
	if err != nil || bad != nil {
		return s, unreadable("%s, and pdftoppm, which may know better, is not installed (Debian: poppler-utils)", uncounted)
	}
	s.program = program
	out := &bounded{left: 64 << 10}
	if err := poppler(ctx, s.pdf, out, counts, "-"); err != nil {
		return s, err
	}
	for line := range strings.Lines(out.kept.String()) {
		if count, is := strings.CutPrefix(line, "Pages:"); is {
			s.pages, err = strconv.Atoi(strings.TrimSpace(count))
		}
	}
	if err != nil || s.pages < 1 {
		return s, unreadable("%s, and pdfinfo counts no pages either", uncounted)
	}
	return s, nil
}

// Len implements drawer.
func (s strangePages) Len() int { return s.pages }

func (s strangePages) draw(ctx context.Context, n int) (picture, error) {
	return byPoppler(ctx, s.program, io.NewSectionReader(s.pdf, 0, s.pdf.Size()), n)
}

// late is a document that is read after a program that needs it has its limits.
type late struct {
	limits <-chan struct{}
	io.Reader
}

// Read implements [io.Reader].
func (l *late) Read(p []byte) (int, error) {
	<-l.limits
	return l.Reader.Read(p)
}

// bounded keeps what a program writes, up to so many bytes; then the program is not listened
// to any more, and fails.
type bounded struct {
	kept bytes.Buffer
	left int
}

var errTooMuch = errors.New("it writes too much")

// Write implements [io.Writer].
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errTooMuch
	}
	return b.kept.Write(p)
}

// readPPM reads a picture as pdftoppm writes it: P6, the size, 255, then three bytes a pixel.
func readPPM(r io.Reader) (image.Image, error) {
	b := bufio.NewReader(r)
	var wide, high int
	if _, err := fmt.Fscanf(b, "P6\n%d %d\n255\n", &wide, &high); err != nil {
		return nil, unreadable("pdftoppm wrote no picture")
	}
	if err := affordable(int64(wide), int64(high), 3); err != nil {
		return nil, err
	}
	img := image.NewRGBA(image.Rect(0, 0, wide, high))
	for i := 0; i < len(img.Pix); i += 4 {
		if _, err := io.ReadFull(b, img.Pix[i:i+3]); err != nil {
			return nil, unreadable("pdftoppm wrote half a picture")
		}
		img.Pix[i+3] = 0xff
	}
	return img, nil
}
