package app

import (
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// ProgramHelp is what --exec does, on every page of help that has it.
const ProgramHelp = `--exec runs a program for each fax, without a shell. An argument that is {id},
{from}, {to}, {pages} or {document} stands for that of the fax. None that a
caller sends begins with -: an underscore stands for it; what is not known is
"unknown". The fax is also in the program's environment, as JSON on its standard
input and in

  FAX_ID FAX_FROM FAX_TO FAX_DIRECTION FAX_STATUS FAX_PAGES FAX_DURATION
  FAX_QUALITY FAX_MEDIA_ID FAX_CREATED FAX_REMOTE_STATION FAX_ERROR_CODE
  FAX_ERROR_MESSAGE FAX_RECEIVED FAX_CONTENT_TYPE FAX_SHA256 FAX_DOCUMENT

which are all there, and empty when they are not known.`

// ReadProgram reads the command line that --exec takes.
func ReadProgram(line string) (delivery.Program, error) {
	return readProgram(line, delivery.NewProgram)
}

// readPrinter reads the command line that --print-with takes.
func readPrinter(line string) (delivery.Program, error) {
	return readProgram(line, delivery.NewPrinter)
}

func readProgram(line string, of func(argv ...string) (delivery.Program, error)) (delivery.Program, error) {
	argv, err := profile.SplitArgv(line)
	if err != nil {
		return nil, problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("%q: %w", line, err)), problem.Say("quotes keep blanks, and come in pairs"))
	}
	return of(argv...)
}

// FindProgram refuses a program of --exec that cannot be run, before anything is
// received that it would be run for.
func FindProgram(p delivery.Program) error {
	if err := p.Find(); err != nil {
		return fmt.Errorf("--exec %w", err)
	}
	return nil
}
