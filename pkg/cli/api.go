package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/screen/output"
)

func apiCommand(a *app.App) *cobra.Command {
	var (
		fields           []string
		paginate, dryRun bool
		answered         app.Printing[json.RawMessage]
		would            app.Printing[wouldSend]
	)
	methods := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	cmd := &cobra.Command{
		Use:   "api METHOD PATH",
		Short: "Send a request of your own to the provider",
		Long: `Send a request of your own to the provider, with the account's credentials, and
print the answer as it came.

A PATH is relative to the account (IncomingPhoneNumbers.json), or as in the
provider's manual (/2010-04-01/Accounts/{account}.json), or a whole URL at one
of its hosts. {account} stands for the account's id.

-F adds a field: to the query of a GET or DELETE, to the form of the others.
With --paginate the pages of a list are followed and its items printed.

Nothing is asked before a POST or DELETE; --dry-run shows the request instead of
sending it, and a read-only profile refuses it.`,
		Example: `  faxctl api GET IncomingPhoneNumbers.json -F PageSize=1
  faxctl api GET IncomingPhoneNumbers.json --paginate -o 'jq=.[].sid'
  faxctl api POST IncomingPhoneNumbers.json -F AreaCode=415 --dry-run`,
		GroupID: "account",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return problem.With(app.Misuse("%s takes a method and a path", cmd.CommandPath()), problem.Say("as in: %s", problem.Command("api").Arg("GET").Arg("IncomingPhoneNumbers.json")))
			}
			return nil
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			switch len(args) {
			case 0:
				return methods, cobra.ShellCompDirectiveNoFileComp
			case 1:
				return []string{"IncomingPhoneNumbers.json", "AvailablePhoneNumbers.json", "/2010-04-01/Accounts/{account}.json"}, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			method, err := app.OneWordOf("method", args[0], methods)
			if err != nil {
				return err
			}
			r := fax.RawRequest{Method: method, Path: args[1]}
			if r.Fields, err = parseFields(fields); err != nil {
				return err
			}
			if paginate && method != "GET" {
				return app.Misuse("--paginate goes with GET, not %s", method)
			}
			p, err := a.Provider(cmd.Context())
			if err != nil {
				return err
			}
			switch {
			case p.Raw == nil:
				return fmt.Errorf("requests of your own at %s: %w", p.Name, problem.ErrUnsupported)
			case dryRun:
				return showRequest(cmd.Context(), &would, p.Raw, r)
			case paginate:
				_, err := answered.Print(cmd.Context(), a.Term.Out, rawItems(cmd.Context(), p.Raw, r))
				return err
			}
			answer, err := p.Raw.Do(cmd.Context(), r)
			if err != nil {
				return err
			}
			if err = printAnswer(cmd.Context(), &answered, answer); method != http.MethodGet {
				err = app.Unprinted(err, "the provider did what "+method+" "+args[1]+" asks for")
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&fields, "field", "F", nil, "a field of the request, as `KEY=VALUE`; may be repeated")
	f.BoolVar(&paginate, "paginate", false, "follow the pages of a list, and print its items")
	f.BoolVar(&dryRun, "dry-run", false, "show the request, and do not send it")
	a.CompleteNothing(cmd, "field")
	answered.Bind(a, cmd, rawType, func() bool { return !dryRun })
	would.Bind(a, cmd, wouldSendType, func() bool { return dryRun })
	return cmd
}

func parseFields(fields []string) (url.Values, error) {
	all := url.Values{}
	for _, f := range fields {
		key, value, ok := strings.Cut(f, "=")
		if !ok || key == "" {
			return nil, problem.With(app.Misuse("field %q", f), problem.Say("as in -F FriendlyName='front desk'"))
		}
		all.Add(key, value)
	}
	return all, nil
}

// wouldSend is a request as -o json shows it.
type wouldSend struct {
	Method string     `json:"method"`
	URL    string     `json:"url"`
	Form   url.Values `json:"form,omitempty"`
}

// showRequest prints what would be sent, without the credentials.
func showRequest(ctx context.Context, out *app.Printing[wouldSend], raw fax.Raw, r fax.RawRequest) error {
	address, form, err := raw.Request(r)
	if err != nil {
		return err
	}
	if out.A.DataAsked {
		return out.Single(ctx, wouldSend{r.Method, address, form})
	}
	body := ""
	if len(form) > 0 {
		body = "Content-Type: application/x-www-form-urlencoded\n\n" + form.Encode() + "\n"
	}
	_, err = fmt.Fprintf(out.A.Term.Out, "%s %s\nAuthorization: Basic (not shown)\n%s", r.Method, address, body)
	return output.Unwritten(err)
}

// rawType is JSON of any shape.
func rawType() output.Type[json.RawMessage] { return output.Type[json.RawMessage]{Form: "json"} }

// wouldSendType is a request that is not sent.
func wouldSendType() output.Type[wouldSend] { return output.Type[wouldSend]{Form: "json"} }

// printAnswer prints an answer as it came, or in the format that was asked for.
func printAnswer(ctx context.Context, out *app.Printing[json.RawMessage], answer fax.RawAnswer) error {
	a := out.A
	if a.DataAsked {
		if !json.Valid(answer.Body) {
			return problem.With(app.Misuse("-o %s: the answer is not JSON (%s)", a.Format, answer.ContentType), problem.Say("leave -o out to see it, or ask for a path that ends with .json"))
		}
		return out.Single(ctx, json.RawMessage(answer.Body))
	}
	body := answer.Body
	if a.Term.Out.Terminal {
		body = []byte(text.Lines(string(body)))
		if len(body) > 0 && !bytes.HasSuffix(body, []byte("\n")) {
			body = append(body, '\n')
		}
	}
	_, err := a.Term.Out.Write(body)
	return output.Unwritten(err)
}

// rawItems are the items of a list, page by page.
func rawItems(ctx context.Context, raw fax.Raw, r fax.RawRequest) iter.Seq2[json.RawMessage, error] {
	whole := func(item json.RawMessage) string { return string(item) }
	return fax.Pages(ctx, whole, func(ctx context.Context, cursor string) (fax.Page[json.RawMessage], error) {
		r.Cursor = cursor
		answer, err := raw.Do(ctx, r)
		if err == nil && answer.Items == nil {
			err = problem.With(app.Misuse("%s is not a list", r.Path), problem.Say("leave %s out to see what it is", problem.Field("paginate")))
		}
		return fax.Page[json.RawMessage]{Items: answer.Items, Next: answer.Next}, err
	})
}
