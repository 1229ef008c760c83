// Package serve holds the commands about receiving: faxctl serve and all below it.
package serve

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/archive"
	"github.com/faxctl/faxctl/pkg/archive/prune"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/server"
)

// serving is what the flags of serve say.
type serving struct {
	receiver.Config
	public                 []string // the public URL, once or twice
	listen, archive, state string
	program                delivery.Program // of --exec
	forward                string
	mail                   string // a file of rules
	mailer                 *mailer
	checkMail              checkMail
	pruneAfter             *flag.Value[time.Duration]
	maxDelete              *flag.Value[prune.Limit]
	prune                  prune.Run
	receipts               string
	byHand                 problem.Invocation // does the same with a person at hand
	storeMedia             bool
	cert, key              string
	acme                   server.ACME
	logFormat              string
	printUnit, takeOver    bool
	database               string // where the state is, without a secret; "": in StateDir
	givesUp                string // the database of the receivers from which it takes over, as a person agreed
}

// Command is faxctl serve, and all below it.
func Command(a *app.App) *cobra.Command {
	var s serving
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Receive faxes: answer the provider and archive what comes",
		Long: `Receive faxes: answer the provider and archive what comes. The provider asks the
fax URL what to do with a fax, and tells how it went; the document is then
fetched, checked and kept in the archive. The fax URL is the public URL and
/fax; put it into a number with faxctl numbers configure.

Only signed requests are believed; the signature is checked over --public-url,
so it must be what the provider was given. What was acknowledged survives a
crash. --backfill finds the faxes whose callback was lost, at the start too.

` + app.ProgramHelp + ` One that takes
{document} is run for the faxes that have one.

--forward posts the same JSON to a URL, signed with the key in
FAXCTL_FORWARD_KEY. Both are tried again until they succeed, and parked in the
end: faxctl serve jobs list.

--mail sends mails by the rules in a file: each rule that matches a fax, to each
of its addresses, by the server of FAXCTL_SMTP_URL. What the server puts off is
tried for two days, what it refuses is parked. --check-mail reads such a file,
shows whom it tells, and with --for what of one fax; the exit status is 8 when
nobody is. It sends nothing.

An archive knows its receiver, by an id in the state folder: no other one serves
the account from it, so that no program runs twice for a fax. --take-over makes
it this one's, for good; it is also for a state that is to go on without the
archive that it had, which may know of holds.

--database lets any number of replicas, on as many machines, receive for an
account: each with the same flags, behind any balancer. Their archive is on S3,
and what one has taken in another does when it is gone.

--prune-after deletes at the provider what is kept and old, once a day: nothing
on a day when the clock of this machine is not the provider's, or when more
faxes are due than --max-delete. faxctl serve status says so; faxctl faxes prune
releases a backlog.

Without TLS it belongs behind a proxy. --acme gets a certificate from Let's
Encrypt, or another authority, keeps it in the state folder and renews it; the
authority must find this server at port 443 of the host, and its terms of
service are accepted. --tls-cert and --tls-key are files, read again when they
change. SIGHUP has the profile, its secret, its signing key and the rules of
mail read again, all or nothing, and ends nothing.

/healthz, /readyz and /metrics are for the operator: let the proxy in front pass
only /fax and what is below it.`,
		Example: `  faxctl serve --public-url https://fax.example.com --archive faxes
  faxctl serve --public-url https://fax.example.com --archive faxes \
    --allow to=+14155550123 --exec 'lp -d front-desk {document}'
  faxctl serve --public-url https://fax.example.com --archive faxes \
    --listen :443 --acme fax.example.com
  faxctl serve --public-url https://fax.example.com --archive faxes \
    --mail rules.yaml
  faxctl serve --public-url https://fax.example.com --archive s3://faxes/kept \
    --database postgres://faxctl@db.example.com/faxctl
  faxctl serve --check-mail rules.yaml --for FX0123456789abcdef0123456789abcdef
  faxctl serve --public-url https://fax.example.com --archive faxes --print-unit`,
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.checkMail.rules != "" || cmd.Flags().Changed("for") {
				return s.checkMail.run(cmd, a, s.archive, s.MaxDocument)
			}
			if err := s.read(cmd, a.Getenv); err != nil {
				return err
			}
			if s.printUnit {
				unit, err := serviceUnit(a, cmd, s)
				if err == nil {
					_, err = fmt.Fprint(&a.Page, unit)
				}
				return err
			}
			err := receiveUntil(cmd.Context(), a, s)
			if err != nil && a.Interrupts.ToldToStop() {
				a.Logger(s.logFormat).Info("told to stop before it was ready")
				return nil
			}
			return err
		},
	}
	a.Later(cmd, func() {
		s.Bind(a, cmd)
		cmd.AddCommand(app.Reads(jobsCommand(a), statusCommand(a))...)
	})
	cmd.GroupID = "receive"
	return cmd
}

func (s *serving) Bind(a *app.App, cmd *cobra.Command) {
	s.Backfill, s.Jobs, s.Attempts, s.Drain, s.logFormat = 15*time.Minute, 16, 16, 20*time.Second, app.LogText
	s.prune.Policy.MaxDelete = prune.DailyLimit()
	s.pruneAfter = flag.Of(&s.prune.Policy.OlderThan, app.DeletionAge)
	s.maxDelete = flag.Of(&s.prune.Policy.MaxDelete, prune.ParseLimit)
	f := cmd.Flags()
	f.StringArrayVar(&s.public, "public-url", nil, "`URL` under which the provider reaches us, without the /fax of the fax URL; one that ends in /fax is to be given twice")
	f.StringVar(&s.listen, "listen", ":8080", "`address` to listen on")
	f.StringVar(&s.archive, "archive", "", "`archive` to keep faxes in; made when it is not there")
	f.StringVar(&s.state, "state", "", "`folder` for what is not done yet (default: one for the account, in the state folder)")
	f.Var(flag.Each(&s.Allow, fax.ParsePattern), "allow", "take only faxes that match `PATTERN`: +1415*, from=+1415*, to=+14155550123; may be repeated")
	f.Var(flag.Each(&s.Reject, fax.ParsePattern), "reject", "reject faxes that match `PATTERN`; may be repeated")
	f.StringVar(&s.Answer.MediaType, "media-type", "", "`type` of the documents: application/pdf or image/tiff")
	f.StringVar(&s.Answer.PageSize, "page-size", "", "`size` of the pages: letter, legal or a4")
	f.BoolVar(&s.storeMedia, "store-media", true, "let the provider keep the document; without, it comes with the callback (Twilio)")
	f.Var(flag.Of(&s.program, app.ReadProgram), "exec", "`program` with arguments to run for each fax; quotes keep blanks, nothing is expanded")
	f.StringVar(&s.forward, "forward", "", "`URL` to tell of each fax")
	f.StringVar(&s.mail, "mail", "", "send mails by the rules in this `file`")
	s.checkMail.bind(a, cmd)
	f.Var(flag.Duration(&s.Backfill).Hint(problem.Say("%s never looks", problem.Field("backfill", "0"))), "backfill", "`duration` between two looks for faxes whose callback was lost; 0 for none")
	f.Var(s.pruneAfter, "prune-after", "once a day delete at the provider what is archived and older than `AGE`")
	f.Var(s.maxDelete, "max-delete", "with --prune-after: delete nothing on a day that selects more: a `number`, or a share of all received faxes, as in 5% (default: 200, or three average days' worth)")
	f.StringVar(&s.receipts, "receipts", "", "with --prune-after: append a line for each fax to this `file`, as JSON; - is standard output")
	f.VarP(flag.Number(&s.Jobs, 1).Hint(problem.Say("leave it out for 16")), "jobs", "j", "at most `N` documents and programs at a time")
	f.Var(flag.Number(&s.Attempts, 1).Hint(problem.Say("%s tries once", problem.Field("attempts", "1"))), "attempts", "try --exec and --forward `N` times before a job is parked")
	f.Var(flag.Number(&s.MaxConns, 1).Hint(problem.Say("leave it out for 1024, or as many as the system allows")), "max-connections", "at most `N` connections at once, for which 2N+256 open files must be allowed (default: 1024, or as many as are)")
	a.BindMaxDocument(cmd, &s.MaxDocument)
	f.Var(flag.SomeTime(&s.Drain).Hint(problem.Say("as in %s", problem.Field("drain", "1s"))), "drain", "`duration` that running work may take at the end")
	s.bindTLS(a, cmd)
	flag.From(f, "public-url", profile.PublicURLVariable)
	flag.From(f, "listen", profile.ListenVariable)
	flag.From(f, "archive", profile.ArchiveVariable)
	flag.From(f, "state", profile.StateVariable)
	flag.From(f, "mail", profile.MailVariable)
	f.Var(flag.OneOf(&s.logFormat, app.LogText, app.LogJSON), app.LogFormatFlag, "`format` of the log on standard error: text or json")
	flag.From(f, app.LogFormatFlag, profile.LogFormatVariable)
	f.BoolVar(&s.takeOver, "take-over", false, "make the archive this receiver's although it is another's, which stops, or not the one that it had")
	f.BoolVar(&s.printUnit, "print-unit", false, "print a systemd unit that runs this command, and end")
	a.BindDatabase(cmd)
	a.CompletePlaces(cmd, "archive")
	a.CompleteFolders(cmd, "state")
	a.CompleteValues(cmd, "media-type", "application/pdf", "image/tiff")
	a.CompleteValues(cmd, "page-size", "letter", "legal", "a4")
	a.CompleteValues(cmd, app.LogFormatFlag, app.LogText, app.LogJSON)
	app.Must(cmd.RegisterFlagCompletionFunc("receipts", anyFile))
	app.Must(cmd.RegisterFlagCompletionFunc("mail", rulesFiles))
	a.CompleteNothing(cmd, "public-url", "listen", "allow", "reject", "exec", "forward", "backfill", "prune-after", "max-delete", "jobs", "attempts", "max-connections", "drain")
}

// read turns the flags into the receiver's configuration, as far as that needs
// no account.
func (s *serving) read(cmd *cobra.Command, getenv func(string) string) error {
	var err error
	if err := s.readPublicURL(); err != nil {
		return err
	}
	var lacks []string
	if s.PublicURL == "" {
		lacks = append(lacks, "--public-url")
	}
	if s.archive == "" {
		lacks = append(lacks, "--archive")
	}
	if len(lacks) > 0 {
		return problem.With(app.Misuse("serve needs %s", text.List(lacks, "and")), problem.Say("as in: %s", problem.Command("serve").Set("public-url", "https://fax.example.com").Set("archive", "faxes")))
	}
	if err := app.WebAddress(flag.Name(cmd.Flags().Lookup("public-url")), s.PublicURL); err != nil {
		return problem.With(err, problem.Say("as in %s", problem.Field("public-url", "https://fax.example.com")))
	}
	for _, path := range []*string{&s.archive, &s.cert, &s.key, &s.receipts, &s.mail} { // programs run for a fax get the one, a unit the others
		if *path == "" || *path == "-" || path == &s.archive && archive.IsRemote(s.archive) {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if err := s.checkTLS(); err != nil {
		return err
	}
	if err := s.checkDatabase(cmd); err != nil {
		return err
	}
	if err := s.checkRules(cmd); err != nil {
		return err
	}
	if err := s.readDeliveries(cmd.Context(), getenv); err != nil {
		return err
	}
	if !s.storeMedia {
		s.Answer.StoreMedia = &s.storeMedia
	}
	return s.readPrune()
}

// receiveUntil serves until it is interrupted.
func receiveUntil(ctx context.Context, a *app.App, s serving) (err error) {
	again := app.Hangups()
	s.Log = a.Logger(s.logFormat)
	running := false
	s.begin(a, &running)
	config, err := s.prepare(ctx, a)
	if err != nil {
		return err
	}
	// What can be refused is, before a folder or a file is made.
	l, err := listenOn(ctx, s.listen)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = l.Close()
		}
	}()

	kept := newArchived(a.Archives(), s.archive, s.Log)
	a.OnClose(func() error { return kept.shared.Close(context.WithoutCancel(ctx)) })
	a.OnClose(kept.leaveClaim)
	s.Archive, s.Serves = kept, func() error { return kept.serves(ctx) }
	if archive.IsRemote(s.archive) {
		for i, d := range s.Deliveries {
			s.Deliveries[i] = kept.lend(d)
		}
	}
	var current atomic.Pointer[app.Account]
	current.Store(&a.Account)
	if s.prune.Policy.OlderThan > 0 {
		s.Prune = func(ctx context.Context) (receiver.Pruned, error) {
			return pruneDaily(ctx, a, kept, &s, current.Load().Provider)
		}
	}
	r, err := receiver.Open(ctx, s.Config)
	if err != nil {
		return err
	}
	a.OnClose(r.Close)
	if err := s.mayMove(ctx, a, r); err != nil {
		return err
	}
	if err := s.mayReceive(ctx, a, r); err != nil {
		return err
	}
	if !s.takeOver {
		if err := a.Archives().Claimable(ctx, s.archive, s.Account, r.ID()); err != nil {
			return err
		}
	}
	switch err := kept.use(ctx, func(*archive.Archive) error { return nil }); {
	case errors.Is(err, archive.ErrLocked):
		a.Warn("another process is writing to %s: documents wait until it has finished", s.archive)
	case err != nil:
		return err
	}
	if err := kept.claim(ctx, r, s); err != nil {
		return err
	}
	if s.prune.Receipt, err = a.ReceiptWriter(s.receipts); err != nil {
		return err
	}
	announce(a, l, r, s)
	running = true
	if s.mailer != nil {
		go s.look(ctx, a)
	}
	go s.readAgain(ctx, a, r, again, &current)
	return r.Serve(a.Interrupts.Gently(), l, config)
}

// receiverState is the folder of a receiver's state; each account has its own.
func receiverState(a *app.App, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	resolved, err := a.Resolve()
	if err != nil {
		return "", err
	}
	dir, err := a.StateDir()
	if err != nil {
		return "", problem.With(err, problem.AdviceOf(err).Then(problem.Say("or name a folder with %s", problem.Field("state"))))
	}
	return filepath.Join(dir, "receiver", resolved.AccountID), nil
}
