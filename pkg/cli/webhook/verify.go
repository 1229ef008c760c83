package webhook

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/cli/show"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

// maxBody is how much of a captured body is read.
const maxBody = 64 << 20

func verifyCommand(a *app.App) *cobra.Command {
	var (
		address, signature, body string
		params, hosts            []string
		out                      app.Printing[verdict]
	)
	cmd := &cobra.Command{
		Use:   "verify --url URL --signature S [--param P=V... | --body F]",
		Short: "Explain why a signature is refused",
		Long: `Explain why a signature is refused: what the provider signed, and in what it
differs from the request as the application saw it.

Give the URL as the application believes it was called, the signature from the
header X-Twilio-Signature or X-SignalWire-Signature, and the parameters of a
form post, or the body as it came (a form, multipart or JSON; - is standard
input). It tries the keys of the profile in force, scheme, port, a slash at the
end, the hosts named with --host, orders and spellings of the query, and what
frameworks do to parameters: trim them, drop empty ones, keep one of several,
read + as a space. It names what fits. No key is ever shown.

Exit status: 0 when the signature is right, 8 when it is not.`,
		Example: `  faxctl webhook verify --url https://fax.example.com/in \
    --signature RSOYDt4T1cUTdK1PDd93/VVr8B8= --body request.txt
  faxctl webhook verify --url http://10.0.0.5:8080/in --host fax.example.com \
    --signature RSOYDt4T1cUTdK1PDd93/VVr8B8= --param From=+12125550123`,
		Args:                  app.NoArgs,
		ValidArgsFunction:     cobra.NoFileCompletions,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if address == "" || signature == "" {
				return problem.With(app.Misuse("--url and --signature are needed"), problem.Say("the signature is in the header X-Twilio-Signature or X-SignalWire-Signature"))
			}
			if u, err := url.Parse(address); err != nil || u.Hostname() == "" {
				return problem.With(app.Misuse("--url: %q is no absolute URL", address), problem.Say("as in %s", problem.Field("url", "https://fax.example.com/in")))
			}
			if _, value, header := strings.Cut(signature, ":"); header { // the whole header line
				signature = strings.TrimSpace(value)
			}
			form, content, err := captured(a, params, body)
			if err != nil {
				return err
			}
			keys, err := accountKeys(cmd.Context(), a)
			if err != nil {
				return err
			}
			for _, doubt := range webhook.Doubts(content, form) {
				a.Warn("%s", doubt)
			}
			return explainSignature(cmd.Context(), webhook.Suspect{URL: address, Form: form, Signature: signature, Keys: keys, Hosts: hosts}, content, &out)
		},
	}
	out.Bind(a, cmd, verdictType, nil)
	f := cmd.Flags()
	f.StringVar(&address, "url", "", "`URL` as the application believes it was called")
	f.StringVar(&signature, "signature", "", "the `signature` that came")
	f.StringArrayVar(&params, "param", nil, "a parameter of the form post, as `NAME=VALUE`; may be repeated")
	f.StringVar(&body, "body", "", "`file` with the body as it came; - is standard input")
	f.StringSliceVar(&hosts, "host", nil, "other `hosts` the provider may have been told, with or without port")
	a.CompleteNothing(cmd, "url", "signature", "param", "host")
	app.Must(cmd.RegisterFlagCompletionFunc("body", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveDefault
	}))
	return cmd
}

// captured are the parameters of the request, and its body if it was given.
func captured(a *app.App, params []string, body string) (url.Values, []byte, error) {
	if body == "" {
		var form url.Values
		for _, p := range params {
			name, value, found := strings.Cut(p, "=")
			if !found || name == "" {
				return nil, nil, problem.With(app.Misuse("--param %q", p), problem.Say("as in %s", problem.Field("param", "From=+12125550123")))
			}
			if form == nil {
				form = url.Values{}
			}
			form.Add(name, value)
		}
		return form, nil, nil
	}
	if len(params) > 0 {
		return nil, nil, app.Misuse("--param and --body contradict each other")
	}
	r := a.In
	if body != "-" {
		file, err := app.OpenFile("--body "+body, body, problem.Say("name the file with the body as it came; - is standard input"))
		if err != nil {
			return nil, nil, err
		}
		defer func() { _ = file.Close() }()
		r = file
	}
	content, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("read the body: %w", err)
	case len(content) > maxBody:
		return nil, nil, app.Misuse("the body is longer than %d MB", maxBody>>20)
	}
	form, err := webhook.ParseBody(content)
	if err != nil {
		return nil, nil, app.Misuse("--body: %w", err)
	}
	return form, content, nil
}

// accountKeys are the one that should have signed, and those that are mistaken for
// it.
func accountKeys(ctx context.Context, a *app.App) ([]webhook.NamedKey, error) {
	right, err := a.RightKey(ctx)
	if err != nil {
		return nil, err
	}
	keys := []webhook.NamedKey{right}
	p := a.Account.Resolved
	if a.Account.Box != nil {
		c := a.Account.Box.Account()
		return append(keys, webhook.NamedKey{Name: "API token", Key: webhook.Key(c.Token)}, webhook.NamedKey{Name: "API key secret", Key: webhook.Key(c.APISecret)}), nil
	}
	other, err := a.Secrets().Secret(ctx, p.Profile)
	if errors.Is(err, problem.ErrNotFound) || errors.Is(err, profile.ErrSecret) || errors.Is(err, problem.ErrInvalid) {
		return keys, nil // what signs is known, and enough
	}
	return append(keys, webhook.NamedKey{Name: p.SecretName(), Key: webhook.Key(other.Reveal())}), err
}

func explainSignature(ctx context.Context, s webhook.Suspect, body []byte, out *app.Printing[verdict]) error {
	e, found := webhook.Explain(s)
	v := verdict{Found: found, URL: e.URL, Key: e.Key, Reasons: e.Reasons}
	if found && len(s.Form) == 0 && len(body) > 0 && strings.Contains(e.URL, "bodySHA256=") && !webhook.VerifyBody(e.URL, body) {
		v.Reasons = append(v.Reasons, "the body is not the one that was signed: its SHA-256 differs from bodySHA256")
	}
	v.Valid = found && len(v.Reasons) == 0
	if err := out.Single(ctx, v); err != nil {
		return err
	}
	switch {
	case v.Valid:
		return nil
	case found:
		return problem.Of(app.ErrFindings, fmt.Errorf("the signature is right for another request: %s", strings.Join(v.Reasons, "; ")))
	}
	if len(s.Signature) == base64.StdEncoding.EncodedLen(sha256.Size) {
		return problem.With(problem.Of(app.ErrFindings, errors.New("the signature has the length of SHA-256, and providers sign these requests with SHA-1")),
			problem.Say("give the signature from the header X-Twilio-Signature or X-SignalWire-Signature, of 28 characters"))
	}
	return problem.With(problem.Of(app.ErrFindings, errors.New("nothing that was tried gives this signature")),
		problem.Say("compare the parameters with what came, each value of a repeated name and empty ones too, name other %s, and see that %s is the account that signed", problem.Field("host"), problem.Field("profile")))
}

// verdict is what there is to say about a signature.
type verdict struct {
	Valid   bool     `json:"valid"` // for the request as it was given
	Found   bool     `json:"found"` // something gives this signature
	URL     string   `json:"url,omitempty"`
	Key     string   `json:"key,omitempty"` // its name
	Reasons []string `json:"reasons,omitempty"`
}

func verdictType() output.Type[verdict] {
	valid := show.YesColumn("valid", func(v verdict) bool { return v.Valid })
	valid.Style = func(v verdict) output.Style {
		if v.Valid {
			return output.Good
		}
		return output.Bad
	}
	return output.Type[verdict]{
		ID: func(v verdict) string { return strconv.FormatBool(v.Valid) },
		Columns: []output.Column[verdict]{
			valid,
			{Name: "signed_url", Value: func(v verdict) string { return v.URL }, Whole: true},
			{Name: "key", Value: func(v verdict) string { return v.Key }},
			{Name: "reasons", Value: func(v verdict) string { return strings.Join(v.Reasons, "; ") }},
		},
	}
}
