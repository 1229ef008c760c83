package serve

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/seq"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
)

// reachTime is how long the mail server may take to show that it is there.
const reachTime = 20 * time.Second

// mostRules is more than anybody writes by hand, in bytes.
const mostRules = 1 << 20

// rulesFiles offers the files that may hold rules.
func rulesFiles(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []cobra.Completion{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

func rulesHint() problem.Advice {
	return problem.Say("name a file of rules; docs/receiving.md shows one")
}

// readRules reads a file of rules of mail; where is what the person calls the flag.
func readRules(where, path string) (*mail.Rules, error) {
	content, err := profile.ReadRegular(path, mostRules)
	if err != nil {
		err = problem.Of(problem.ErrInvalid, fmt.Errorf("%s: %w", where, err))
		if problem.AdviceOf(err).Empty() {
			err = problem.With(err, rulesHint())
		}
		return nil, err
	}
	if len(bytes.TrimSpace(content)) == 0 {
		return nil, problem.With(app.Misuse("%s %s: there is nothing in it", where, path), rulesHint())
	}
	return mail.ReadRules(content, path)
}

// checkRules reads the rules of mail before anything is opened.
func (s *serving) checkRules(cmd *cobra.Command) error {
	if s.mail == "" {
		return nil
	}
	_, err := readRules(flag.Name(cmd.Flags().Lookup("mail")), s.mail)
	return err
}

// readMailing is what mail is sent by: the rules, the names of the account's numbers,
// and the server.
func readMailing(ctx context.Context, a *app.App, p fax.Provider, path string) (delivery.Mailing, error) {
	rules, err := readRules("--mail", path)
	if err != nil {
		return delivery.Mailing{}, err
	}
	m := delivery.Mailing{Rules: rules}
	if m.Server, err = a.MailServer(ctx); err != nil {
		return m, err
	}
	m.Names, err = namesFor(ctx, a, p, rules)
	return m, err
}

const noNames = "the names of the account's numbers cannot be had, and mails are without: %v"

// namesFor are the names of the account's numbers. Rules that select by one need them;
// others only tell them.
func namesFor(ctx context.Context, a *app.App, p fax.Provider, rules *mail.Rules) (map[string]string, error) {
	names := map[string]string{}
	err := problem.ErrUnsupported
	if p.Numbers != nil {
		err = seq.Each(p.Numbers.List(ctx, fax.NumberFilter{}), func(n fax.Number) { names[n.Phone] = n.Name })
	}
	if err == nil || len(names) > 0 && !rules.ByName() {
		return names, rules.CheckNames(names)
	}
	if !rules.ByName() {
		a.Warn(noNames, err)
		return names, nil
	}
	return nil, fmt.Errorf("the numbers that the rules of mail name: %w", err)
}

// mailer sends mail by what it is now: it is read again while serve runs.
type mailer struct {
	atomic.Pointer[delivery.Mailing]
}

// deliver is the delivery that sends it.
func (m *mailer) deliver(log *slog.Logger) delivery.Delivery {
	return delivery.Mail(log, func() delivery.Mailing { return *m.Load() })
}

// look says in the log whether the mail server can be used. Faxes are received without
// it, and mail waits.
func (s serving) look(ctx context.Context, a *app.App) {
	m := s.mailer.Load()
	s.Log.Info("mail by rules", "rules", len(m.Rules.Rules), "server", m.Server.Host)
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	if err := m.Server.Reach(ctx); err != nil {
		a.WithHint(s.Log, err).Warn("the mail server cannot be used now; faxes are received, and mail waits for two days", "error", text.Line(err.Error()))
	}
}
