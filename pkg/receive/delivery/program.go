package delivery

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Program is a program of the operator's and its arguments, as they were given. One
// that is {document}, {id}, {from}, {to} or {pages}, and nothing else, stands for that
// of the fax. No shell is involved: what an argument holds is one argument, whatever a
// caller wrote into it.
type Program []string

// documentMark is the argument that stands for the path of the document.
const documentMark = "{document}"

// marks are what an argument may be to stand for something of a fax.
func marks() []string { return []string{documentMark, "{id}", "{from}", "{to}", "{pages}"} }

// NewProgram is the program of a command line. Errors: problem.ErrInvalid for one that
// names no program, and for marks that would not be replaced: unknown ones, and those
// in the middle of an argument, where what a caller sends would be read as part of
// what the operator wrote.
func NewProgram(argv ...string) (Program, error) {
	return newProgram(argv, func(mark string) problem.Advice {
		return problem.Say("make it an argument of its own, or read $FAX_%s in the program", problem.Text(strings.ToUpper(strings.Trim(mark, "{}"))))
	})
}

// NewPrinter is [NewProgram] for a program that finds nothing of the fax in its
// environment: its document and arguments are all it gets.
func NewPrinter(argv ...string) (Program, error) {
	return newProgram(argv, func(string) problem.Advice { return problem.Say("make it an argument of its own") })
}

// newProgram is the program of a command line; instead is what to do about a mark in the
// middle of an argument.
func newProgram(argv []string, instead func(mark string) problem.Advice) (Program, error) {
	if len(argv) == 0 || argv[0] == "" {
		return nil, problem.Invalid(problem.Say("as in 'lp -d front-desk %s'", problem.Text(documentMark)), "command: it names no program")
	}
	known := problem.Say("an argument may be " + text.List(marks(), "or"))
	for i, arg := range argv {
		name, braced := strings.CutPrefix(arg, "{")
		name, closed := strings.CutSuffix(name, "}")
		switch is := slices.Contains(marks(), arg); {
		case is && i == 0:
			return nil, problem.Invalid(problem.Say("name the program; the arguments after it may be the fax's"), "program %s: it would be the fax that says what is run", arg)
		case is:
		case braced && closed && isName(name):
			return nil, problem.Invalid(known, "argument %s: no fax has that", arg)
		default:
			if mark := within(arg); mark != "" {
				return nil, problem.Invalid(instead(mark), "argument %q: %s is replaced where it is the whole argument", arg, mark)
			}
		}
	}
	return argv, nil
}

func isName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' && r != '_' })
}

// within is the first mark in a longer argument; what a $ stands before is a shell's.
func within(arg string) string {
	for _, mark := range marks() {
		for rest := arg; ; {
			before, after, found := strings.Cut(rest, mark)
			if !found {
				break
			}
			if !strings.HasSuffix(before, "$") {
				return mark
			}
			rest = after
		}
	}
	return ""
}

// Find looks for the program, by its path or in $PATH, as it is looked for when it is
// run. Errors: problem.ErrInvalid when it is not there or may not be run.
func (p Program) Find() error {
	_, err := exec.LookPath(p[0])
	if err == nil {
		return nil
	}
	var not *exec.Error
	if errors.As(err, &not) {
		err = not.Err
	}
	return problem.With(problem.Of(problem.ErrInvalid, fmt.Errorf("%s: %w", p[0], err)), problem.Say("install it, or name one that is there, by its path if it is not in PATH"))
}

// TakesDocument reports whether an argument stands for the document.
func (p Program) TakesDocument() bool { return slices.Contains(p, documentMark) }

// OnDocument is the command line for a fax and the absolute path of its document, which is
// behind the arguments where none of them stands for it.
func (p Program) OnDocument(f fax.Fax, path string) []string {
	argv := p.of(f, path)
	if !p.TakesDocument() {
		argv = append(argv, path)
	}
	return argv
}

// For is the command line for a fax of the provider's list, whose document is nowhere
// on this machine.
func (p Program) For(f fax.Fax) []string { return p.of(f, "") }

// of is the command line for a fax and the absolute path of its document.
func (p Program) of(f fax.Fax, document string) []string {
	filled := slices.Clone(p)
	for i, arg := range p {
		switch arg {
		case documentMark:
			filled[i] = document
		case "{id}":
			filled[i] = argument(f.ID)
		case "{from}":
			filled[i] = argument(f.From)
		case "{to}":
			filled[i] = argument(f.To)
		case "{pages}":
			filled[i] = argument(count(f.Pages))
		}
	}
	return filled
}

// argument is foreign text as an argument that no program takes for an option, nor for
// none at all: it has no control characters, an underscore stands for a hyphen at its
// beginning, and what is not known is called so.
func argument(s string) string {
	s = text.Line(s)
	switch {
	case strings.TrimSpace(s) == "":
		return "unknown"
	case s[0] == '-':
		return "_" + s[1:]
	}
	return s
}

// path is the document as an argument: absolute, so that it begins with no hyphen
// wherever the archive is.
func (p Program) path(d Document) (string, error) {
	if !p.TakesDocument() {
		return "", nil
	}
	if d.Path == "" {
		return "", fmt.Errorf("%s takes %s, and there is none on this machine: %w", p[0], documentMark, problem.ErrUnsupported)
	}
	return filepath.Abs(d.Path)
}
