package cli_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faxctl/faxctl/pkg/base/postgres/postgrestest"
	"github.com/faxctl/faxctl/pkg/cli"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// goRace is for the processes that the tests start: with the race detector each
// would sleep a second at its end, in case another goroutine still reports.
const goRace = "atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"faxctl": func() { os.Exit(cli.PromptMain()) },
		"bare":   bare,
	})
}

// TestScripts runs the manual: each file under testdata/script shows one
// behavior as a person or a cron job meets it, with a home and a sandbox of
// its own. Beside the commands of testscript there are
//
//	exits STATUS COMMAND...    the command ends with this exit status
//	provider DIALECT [FAULT...] serve a sandbox over HTTP, and point the
//	                           environment at it; it shares its state with the
//	                           built-in profiles. Beside faults there are
//	                           end-of-life (Twilio's), media-auth=basic and
//	                           media-auth=bearer (SignalWire's), and quirks as
//	                           quirk:NAME=VALUE. hold=METHOD
//	                           PATH lets the first request whose path contains
//	                           this wait until the file go is there; with after
//	                           METHOD at its end the first one since one of that. The
//	                           requests are written to the file $REQUESTS
//	arrives NAME [KEY=VALUE...] a fax comes in, and $NAME is its id. Keys: from,
//	                           to, direction, status, age (in hours), pages,
//	                           price, type, document (a file), media (none),
//	                           link (where the provider says the document is,
//	                           or below /cdn/ one of its own that leads astray)
//	until COMMAND...           repeat it until it succeeds
//	attack STATUS METHOD PATH [CHANGE...] a request to the receiver at $PORT,
//	                           dishonest by the changes, is answered so
//	application DIALECT        serve an application that takes faxes at $APP,
//	                           with a good and many bad answers, and writes
//	                           what it hears to the file $HEARD
//	terminal STATUS PERSON COMMAND... the command runs on a terminal, with a
//	                           person who does what the file PERSON says
//	closed STATUS COMMAND...   the command ends with this exit status although nobody
//	                           reads its standard output
//	jsonlog FILE               each line of the file is a line of a log in JSON
//	port NAME                  find a free port, and put it into $NAME
//	authority PORT             serve an ACME authority at $AUTHORITY that finds
//	                           every host at this port; its root is root.pem,
//	                           and its requests are written to the file $ASKED
//	certificate HOST DAYS      make cert.pem and key.pem, and root.pem, which
//	                           vouches for it
//	mailbox [ADDRESS=CODE...] [login=PASSWORD] serve a mail server and point the
//	                           environment at it. It refuses an address with this code,
//	                           and wants a password; each mail that it takes is in the
//	                           file mail/N-ADDRESS
//	bucket NAME                serve S3 with a bucket, and point the environment at
//	                           it. bucket answers STATUS has it answer everything so
//	                           (0: as it should), bucket names FILE writes the names
//	                           of what it has, bucket spoil EXTENSION and bucket
//	                           remove EXTENSION damage those that end so
//	handshake HOST PORT        connect to the host with TLS, trusting root.pem,
//	                           and print the certificate's serial number
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition: func(cond string) (bool, error) {
			if cond == "postgresql" {
				return postgrestest.Absent() == nil, nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"database": database,

			"exits":    exits,
			"provider": provider,
			"arrives":  arrives,

			"until":  until,
			"attack": attack,

			"application": application,
			"terminal":    terminal,
			"port":        port,
			"jsonlog":     jsonLog,
			"closed":      closed,
			"authority":   authority,
			"certificate": certificate,
			"handshake":   handshake,
			"mailbox":     mailbox,
			"bucket":      bucket,
		},
		Setup: func(env *testscript.Env) error {
			env.Values[bucketKey{}] = new(pail)
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(home, ".local", "state"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(home, ".cache"))
			env.Setenv("TZ", "UTC")
			env.Setenv("GORACE", goRace)
			env.Setenv("FAXCTL_CONFIRM_FOR", "300ms") // the sandbox is prompt, unless told
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
	var holds []func(*http.Request)
	for _, text := range args[1:] {
		if what, found := strings.CutPrefix(text, "hold="); found {
			holds = append(holds, hold(what, ts.MkAbs("go")))
			continue
		}
		if auth, found := strings.CutPrefix(text, "media-auth="); found {
			o.MediaAuth = sandbox.MediaAuth(auth)
			continue
		}
		if quirk, found := strings.CutPrefix(text, "quirk:"); found {
			ts.Check(o.Quirks.Set(quirk))
			continue
		}
		if text == "end-of-life" {
			o.EndOfLife = true
			continue
		}
		f, err := sandbox.ParseFault(text)
		ts.Check(err)
		o.Faults = append(o.Faults, f)
	}
	box, err := sandbox.Open(context.Background(), o)
	ts.Check(err)
	requests, err := os.OpenFile(ts.MkAbs("requests"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	ts.Check(err)
	ts.Setenv("REQUESTS", requests.Name())
	links := ts.MkAbs("links") // a script may go elsewhere while a request is answered
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(requests, r.Method, r.URL.Path)
		for _, wait := range holds {
			wait(r)
		}
		if !astray(w, r) {
			relink(links, box.Handler()).ServeHTTP(w, r)
		}
	}))
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
		ts.Check(errors.Join(box.Close(), requests.Close()))
	})
	ts.Setenv("FAXCTL_API_URL", server.URL)
	for _, of := range []string{"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "SIGNALWIRE_SPACE_URL", "SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN"} {
		ts.Setenv(of, "") // of an earlier provider
	}
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

// hold lets the first request of that method and path, since one of another method, if it
// names one, wait for a file.
func hold(what, path string) func(*http.Request) {
	what, before, waits := strings.Cut(what, " after ")
	var reached atomic.Bool
	var once sync.Once
	return func(r *http.Request) {
		if r.Method == before {
			reached.Store(true)
		}
		if waits && !reached.Load() {
			return
		}
		if method, part, _ := strings.Cut(what, " "); r.Method != method || !strings.Contains(r.URL.Path, part) {
			return
		}
		first := false
		once.Do(func() { first = true })
		for end := time.Now().Add(time.Minute); first && time.Now().Before(end) && r.Context().Err() == nil; time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(path); err == nil {
				return
			}
		}
	}
}

func arrives(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: arrives NAME [KEY=VALUE...]")
	}
	f := sandbox.Fax{From: "+14155550199", To: "+14155550100", Pages: 1}
	link := ""
	for _, arg := range args[1:] {
		key, value, _ := strings.Cut(arg, "=")
		if key == "link" {
			link = value
		} else if err := setFax(ts, &f, key, value); err != nil {
			ts.Fatalf("%s: %v", arg, err)
		}
	}
	dialect := sandbox.Twilio
	if ts.Getenv("SIGNALWIRE_PROJECT_ID") != "" || ts.Getenv("FAXCTL_PROFILE") == "sandbox-signalwire" {
		dialect = sandbox.SignalWire
	}
	box, err := sandbox.Open(context.Background(), sandbox.Options{
		Path:    filepath.Join(ts.Getenv("XDG_STATE_HOME"), "faxctl", "sandbox.db"),
		Dialect: dialect,
	})
	ts.Check(err)
	f, err = box.AddFax(context.Background(), f)
	ts.Check(errors.Join(err, box.Close()))
	if link != "" {
		ts.Check(keepLink(ts.MkAbs("links"), f.ID, link))
	}
	ts.Setenv(args[0], f.ID)
}

func setFax(ts *testscript.TestScript, f *sandbox.Fax, key, value string) (err error) {
	switch key {
	case "from":
		f.From, err = strconv.Unquote(`"` + value + `"`)
	case "to":
		f.To = value
	case "direction":
		f.Direction = value
	case "status":
		f.Status = value
	case "age":
		var hours float64
		hours, err = strconv.ParseFloat(value, 64)
		f.Created = time.Now().Add(-time.Duration(hours * float64(time.Hour)))
	case "pages":
		f.Pages, err = strconv.Atoi(value)
	case "price":
		f.Price = value
	case "type":
		f.ContentType = value
	case "document":
		f.Document = []byte(ts.ReadFile(value))
	case "media":
		f.NoMedia = value == "none"
	default:
		err = errors.New("unknown key")
	}
	return err
}
