package serve

import (
	"crypto/tls"
	"errors"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/receive/server"
)

// bindTLS declares where certificates come from.
func (s *serving) bindTLS(a *app.App, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.cert, "tls-cert", "", "`file` of the certificate and its chain, in PEM; read again when it changes")
	f.StringVar(&s.key, "tls-key", "", "`file` of the certificate's key")
	f.StringSliceVar(&s.acme.Hosts, "acme", nil, "get a certificate for this `host` from an authority, and accept its terms of service; may be repeated")
	f.StringVar(&s.acme.Email, "acme-email", "", "`email` address that the authority may write to")
	f.StringVar(&s.acme.Directory, "acme-directory", "", "`URL` of the authority (default: Let's Encrypt)")
	app.Must(cmd.MarkFlagFilename("tls-cert", "pem", "crt"))
	app.Must(cmd.MarkFlagFilename("tls-key", "pem", "key"))
	app.Must(cmd.RegisterFlagCompletionFunc("tls-cert", anyFile))
	app.Must(cmd.RegisterFlagCompletionFunc("tls-key", anyFile))
	a.CompleteNothing(cmd, "acme", "acme-email", "acme-directory")
}

func anyFile(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// checkTLS looks at the flags about certificates, which come from files or from
// an authority.
func (s *serving) checkTLS() error {
	asks := len(s.acme.Hosts) > 0
	public, err := url.Parse(s.PublicURL)
	switch {
	case (s.cert == "") != (s.key == ""):
		return app.Misuse("--tls-cert and --tls-key belong together")
	case asks && s.cert != "":
		return app.Misuse("--acme and --tls-cert exclude each other: a certificate comes from an authority or from a file")
	case !asks && (s.acme.Email != "" || s.acme.Directory != ""):
		return problem.With(app.Misuse("--acme-email and --acme-directory are for --acme"), problem.Say("as in %s", problem.Field("acme", "fax.example.com")))
	case asks && (err != nil || public.Scheme != "https"):
		return app.Misuse("--acme is for a public URL that begins with https://")
	case asks && !slices.ContainsFunc(s.acme.Hosts, func(host string) bool { return strings.EqualFold(host, public.Hostname()) }):
		return problem.With(app.Misuse("--acme does not name %s, the host of the public URL", public.Hostname()), problem.Say("as in %s", problem.Field("acme", public.Hostname())))
	}
	if !asks {
		return nil
	}
	_, err = s.acme.Config()
	return err
}

// tls is what the flags say about certificates: nil for plain HTTP.
func (s serving) tls() (*tls.Config, error) {
	switch {
	case s.cert != "":
		config, err := server.CertificateFiles(s.cert, s.key, s.Log)
		return config, s.certificateError(err)
	case len(s.acme.Hosts) > 0:
		s.acme.StateDir, s.acme.Log = s.StateDir, s.Log
		return s.acme.Config()
	}
	return nil, nil
}

// certificateError names the flag of the file that cannot be used.
func (s serving) certificateError(err error) error {
	var file *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &file) && file.Path == s.key:
		err = app.Misuse("--tls-key %s: %w", s.key, file.Err)
	case errors.As(err, &file):
		err = app.Misuse("--tls-cert %s: %w", s.cert, file.Err)
	default:
		err = app.Misuse("--tls-cert %s and --tls-key %s: %w", s.cert, s.key, err)
	}
	return problem.With(err, problem.Say("they are files in PEM, a certificate with its chain and the key it was made with"))
}
