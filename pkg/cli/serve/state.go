package serve

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
)

// openDesk opens the state of a receiver, running or not, until the command ends: the
// account's in a database, if one is named.
func openDesk(cmd *cobra.Command, a *app.App, state string) (*receiver.Desk, error) {
	if cmd.Flags().Changed("state") && cmd.Flags().Changed("database") {
		return nil, problem.With(app.Misuse("--state and --database contradict each other"), problem.Say("the state is in a folder, or in a database: leave one of them out"))
	}
	if cmd.Flags().Changed("state") {
		a.Flags.Database = "" // of a variable, which a flag beats
	}
	ctx := cmd.Context()
	db, err := a.Database(ctx)
	if err != nil {
		return nil, err
	}
	open := func() (*receiver.Desk, error) {
		dir, err := receiverState(a, state)
		if err != nil {
			return nil, err
		}
		desk, err := receiver.OpenDesk(ctx, dir)
		var elsewhere problem.Advice
		if !cmd.Flags().Changed("state") {
			elsewhere = problem.Say("; name the folder of one that has its state elsewhere: %s", problem.Field("state", "DIR"))
		}
		return desk, noneYet(err, problem.Say("%s%s", elsewhere, problem.Say("; receivers that share a database have their state there: %s", problem.Field("database", "postgres://..."))))
	}
	if db != nil {
		open = func() (*receiver.Desk, error) {
			resolved, err := a.Resolve()
			if err != nil {
				return nil, err
			}
			desk, err := receiver.OpenSharedDesk(ctx, db, resolved.AccountID)
			return desk, noneYet(err, problem.Advice{})
		}
	}
	desk, err := open()
	if err == nil {
		a.OnClose(desk.Close)
	}
	return desk, err
}

// noneYet says of a state that is not there which receiver has it there.
func noneYet(err error, besides problem.Advice) error {
	if errors.Is(err, problem.ErrNotFound) {
		return problem.With(err, problem.Say("start one: %s%s", problem.Command("serve"), besides))
	}
	return err
}

// seeDesk opens the state, and says which it is, and when its receiver is not the one that
// has the archive any more.
func seeDesk(cmd *cobra.Command, a *app.App, state string) (*receiver.Desk, error) {
	ctx := cmd.Context()
	desk, err := openDesk(cmd, a, state)
	if err != nil {
		return nil, err
	}
	if a.Flags.Database != "" {
		a.Say("state in %s", postgres.Mask(a.Flags.Database))
	} else if dir, err := receiverState(a, state); err == nil {
		if whole, err := filepath.Abs(dir); err == nil {
			dir = whole
		}
		a.Say("state of %s", text.Line(dir))
	}
	p, id, err := desk.Place(ctx)
	if err != nil || p.Archive == "" {
		return desk, err
	}
	ctx, cancel := context.WithTimeout(ctx, mostLook)
	defer cancel()
	now, err := a.Archives().Receiver(ctx, p.Archive, p.Account)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		a.Say("its archive %s did not answer in %s: whether it is this receiver's still is not known", text.Line(p.Archive), mostLook)
	case err != nil:
		a.Say("whether its archive %s is this receiver's still is not known: %s", text.Line(p.Archive), text.Line(err.Error()))
	case now.ID != id:
		a.Warn("its archive %s is another receiver's now (%s): what is here was left behind", text.Line(p.Archive), now)
	}
	return desk, nil
}

// mostLook bounds the look at an archive, which may be elsewhere, from a command that reads
// the state.
const mostLook = 3 * time.Second

func bindState(a *app.App, cmd *cobra.Command, state *string) {
	cmd.Flags().StringVar(state, "state", "", "`folder` of the receiver's state, as given to faxctl serve")
	flag.From(cmd.Flags(), "state", profile.StateVariable)
	a.CompleteFolders(cmd, "state")
	a.BindDatabase(cmd)
}
