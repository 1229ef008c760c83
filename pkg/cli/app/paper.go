package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/base/child"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// paper is a document in somebody else's hands: a program that shows it, or a printer.
type paper struct {
	open, print bool
	printer     delivery.Program
}

func (p *paper) bind(a *App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&p.open, "open", false, "open the document in the system's viewer")
	f.BoolVar(&p.print, "print", false, "print the document")
	f.Var(flag.Of(&p.printer, readPrinter).Or("lp"), "print-with", "the `program` that prints, with its arguments; the document comes behind them, or is {document}")
	flag.From(f, "print-with", profile.PrintWithVariable)
	a.CompleteNothing(cmd, "print-with")
}

// wanted reports whether the document is handed over.
func (p *paper) wanted() bool { return p.open || p.print }

// check fails when the document cannot be handed over, before it is fetched. stays is the
// command that makes a copy which stays.
func (p *paper) check(a *App, cmd *cobra.Command, stays problem.Invocation) error {
	instead := problem.Say("a document that stays: %s", stays)
	switch {
	case !p.print && cmd.Flags().Changed("print-with"):
		return Misuse("--print-with is for --print")
	case p.wanted() && cmd.Flags().Changed("page"):
		return problem.With(Misuse("--page: a document is opened and printed whole"), problem.Say("a printing program can have arguments of its own, as in %s", problem.Field("print-with", "lp -P 2")))
	case p.print:
		return named("--print", p.printer.Find())
	case !p.open:
		return nil
	case !a.Term.CanAsk():
		return problem.With(Misuse("--open: nobody is there to say when the document was read, and its copy may go"), instead)
	}
	return named("--open", problem.With(delivery.Program(opener()).Find(), instead))
}

func named(flag string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

// opener is what opens a file with the program that the person's system has for its kind.
func opener() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	return []string{"xdg-open"}
}

// hand hands over a whole document, as a file for its owner alone that is gone afterwards, also when
// the terminal goes away. A viewer may live on when the program that opens it has ended,
// and a viewer that was there already takes the file: so it is the person who says that it
// was read. What prints has read the file when it ends.
func (p *paper) hand(ctx context.Context, a *App, f fax.Fax, content []byte) (err error) {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	info, err := document.Inspect(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "faxctl-view-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path, err := filepath.Abs(filepath.Join(dir, safe(f.ID)+info.Ext)) // no program takes it for a flag
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	if p.print {
		if err := run(ctx, a, p.printer.OnDocument(f, path)); err != nil {
			return err
		}
		a.Say("Printed fax %s.", f.ID)
		return nil
	}
	if err := run(ctx, a, append(opener(), path)); err != nil {
		return err
	}
	_, err = a.Term.Ask(ctx, "It is open in its viewer. Press Enter when it was read; the copy is deleted then.")
	if errors.Is(err, io.EOF) { // the terminal went away
		return nil
	}
	return err
}

// run runs a program that gets nothing of ours in its environment; what it says is talk.
func run(ctx context.Context, a *App, argv []string) error {
	cmd := child.Command(ctx, argv...)
	cmd.Env = child.Environ(os.Environ(), desktop()...)
	if said, is := a.Err.(*os.File); is { // which what it leaves running may keep
		cmd.Stdout, cmd.Stderr = said, said
	}
	err := child.Run(ctx, cmd)
	var ended *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &ended):
		return fmt.Errorf("%s: %w", filepath.Base(argv[0]), err)
	}
	return err
}

// desktop are the variables by which programs find a screen and a printer.
func desktop() []string {
	return []string{
		"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "DESKTOP_SESSION", "BROWSER",
		"XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "XDG_SESSION_DESKTOP", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS",
		"XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CACHE_HOME", "KDE_FULL_SESSION", "KDE_SESSION_VERSION", "GNOME_DESKTOP_SESSION_ID",
		"WSL_DISTRO_NAME", "WSL_INTEROP", "APPDATA", "LOCALAPPDATA", "PROGRAMFILES", "PROGRAMDATA",
		"PRINTER", "LPDEST", "CUPS_SERVER", "CUPS_USER", "IPP_PORT",
	}
}
