package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faxctl/faxctl/pkg/cli"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"faxctl": func() { os.Exit(cli.Main()) },
	})
}

// TestScripts runs the manual: each file under testdata/script shows one
// behaviour as a person or a cron job meets it, with a home and a sandbox of
// its own. Beside the commands of testscript there are
//
//	exits STATUS COMMAND...    the command ends with this exit status
//	provider DIALECT [FAULT...] serve a sandbox over HTTP, and point the
//	                           environment at it; it shares its state with the
//	                           built-in profiles
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"provider": provider,
		},
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(home, ".local", "state"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(home, ".cache"))
			env.Setenv("TZ", "UTC")
			return os.MkdirAll(home, 0o700)
		},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

func provider(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: provider DIALECT [FAULT...]")
	}
	o := sandbox.Options{
		Path:    filepath.Join(ts.Getenv("XDG_STATE_HOME"), "faxctl", "sandbox.db"),
		Dialect: sandbox.Dialect(args[0]),
	}
	for _, text := range args[1:] {
		f, err := sandbox.ParseFault(text)
		ts.Check(err)
		o.Faults = append(o.Faults, f)
	}
	box, err := sandbox.Open(context.Background(), o)
	ts.Check(err)
	server := httptest.NewServer(box.Handler())
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
		ts.Check(box.Close())
	})
	ts.Setenv("FAXCTL_API_URL", server.URL)
	account := box.Account()
	switch o.Dialect {
	case sandbox.Twilio:
		ts.Setenv("TWILIO_ACCOUNT_SID", account.Account)
		ts.Setenv("TWILIO_AUTH_TOKEN", account.Token)
	case sandbox.SignalWire:
		ts.Setenv("SIGNALWIRE_SPACE_URL", "sandbox")
		ts.Setenv("SIGNALWIRE_PROJECT_ID", account.Account)
		ts.Setenv("SIGNALWIRE_API_TOKEN", account.Token)
	default:
		ts.Fatalf("unknown dialect %s", fmt.Sprint(o.Dialect))
	}
}
