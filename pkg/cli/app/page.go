package app

import (
	"io"

	"github.com/faxctl/faxctl/pkg/screen/output"
)

// HelpWidth is how many columns a page of help takes, whatever the window: a
// line longer than that is hard to read, and man pages are as wide.
const HelpWidth = 80

// page is what pages of help, scripts and other text that is no data are written to.
// Its first error ends the command, and is told there once: not every function that
// writes text returns it, and one that does may print it.
type page struct {
	w   io.Writer
	err error
}

func (p *page) Write(b []byte) (int, error) {
	if p.err == nil {
		_, err := p.w.Write(b)
		p.err = output.Unwritten(err)
	}
	return len(b), nil
}
