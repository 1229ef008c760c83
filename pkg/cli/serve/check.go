package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/receive/delivery"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// readPublicURL finds the public URL. People give the fax URL instead, and then no
// number would find us: what looks like one is believed when it is said twice.
func (s *serving) readPublicURL() error {
	if len(s.public) == 0 {
		return nil
	}
	s.PublicURL = s.public[0]
	for _, again := range s.public {
		if again != s.PublicURL {
			return app.Misuse("--public-url is both %s and %s", s.PublicURL, again)
		}
	}
	without, ends := strings.CutSuffix(strings.TrimSuffix(s.PublicURL, "/"), "/fax")
	if ends && len(s.public) == 1 {
		return problem.With(app.Misuse("--public-url %s ends in /fax, and the fax URL would be %s/fax/fax", s.PublicURL, without),
			problem.Say("give it without /fax: %s; if it is meant, give the flag twice", problem.Field("public-url", without)))
	}
	return nil
}

// listenOn listens on the address of --listen.
func listenOn(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	var system *os.SyscallError // the rest is the address again
	if errors.As(err, &system) {
		err = system.Err
	}
	hint := problem.Say("choose an address of this machine, as in %s", problem.Field("listen", ":8080"))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hint = problem.Say("end the program that listens there, or choose another port, as in %s", problem.Field("listen", ":8081"))
	case errors.Is(err, fs.ErrPermission):
		hint = problem.Say("choose a port from 1024 up, or let it have those below, as the unit of %s does", problem.On("print-unit"))
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, new(*net.DNSError)):
		err = problem.Of(problem.ErrInvalid, err)
	}
	return nil, problem.With(fmt.Errorf("--listen %s: %w", address, err), hint)
}

// readDeliveries is whom to tell of a fax.
func (s *serving) readDeliveries(ctx context.Context, getenv func(string) string) error {
	if len(s.program) > 0 {
		if err := app.FindProgram(s.program); err != nil && !s.printUnit { // it will be there
			return err
		}
		s.Deliveries = append(s.Deliveries, delivery.Exec(s.program))
	}
	if s.forward == "" {
		return nil
	}
	key, err := profile.Secrets{Getenv: getenv}.Named(ctx, profile.ForwardKeyVariable)
	switch {
	case s.printUnit: // it will be there
		return nil
	case err != nil:
		return fmt.Errorf("--forward: %w", err)
	case key.IsZero():
		return problem.With(app.Misuse("--forward needs a key to sign with"), problem.Say("put one into "+profile.ForwardKeyVariable+", or into a file that "+profile.ForwardKeyVariable+"_FILE names, as made by: openssl rand -hex 32"))
	}
	d, err := delivery.Forward(s.forward, webhook.Key(key.Reveal()))
	if err == nil {
		s.Deliveries = append(s.Deliveries, d)
	}
	return err
}
