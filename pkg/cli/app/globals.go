package app

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
	"github.com/faxctl/faxctl/pkg/screen/term"
)

// globalFlags are the flags every command has.
type globalFlags struct {
	profile    string
	ApiURL     string
	output     string
	columns    []string
	noHeader   bool
	Raw        bool
	Quiet      bool
	Debug      bool
	color      term.Color
	noInput    bool
	Yes        bool
	retryFor   time.Duration
	retry      *pflag.Flag // of retryFor: whether somebody has said it
	ConfirmFor time.Duration
	Database   string // the URL of --database, of commands that have it
	timeout    time.Duration
}

const (
	defaultRetryFor = 2 * time.Minute
	defaultTimeout  = 30 * time.Second
)

// Globals declares the flags that every command has.
func (a *App) Globals(root *cobra.Command) {
	f, v := root.PersistentFlags(), &a.Flags
	v.color, v.retryFor, v.timeout = term.Auto, defaultRetryFor, defaultTimeout
	f.StringVarP(&v.profile, "profile", "p", "", "`name` of the profile to use")
	f.StringVar(&v.ApiURL, "api-url", "", "send every provider call to this `origin` instead (https, or loopback)")
	f.StringVarP(&v.output, "output", "o", "table", "output `format`: table wide json jsonl yaml csv tsv id jq=EXPR template=TEXT")
	f.StringSliceVar(&v.columns, "columns", nil, "`columns` to print: a,b for these, +c to add, -d to leave out")
	f.BoolVar(&v.noHeader, "no-header", false, "leave out the header line")
	f.BoolVar(&v.Raw, "raw", false, "with -o json or jsonl: what the provider sent")
	f.BoolVarP(&v.Quiet, "quiet", "q", false, "no notes and no progress")
	f.BoolVar(&v.Debug, "debug", false, "trace every request on standard error, without secrets")
	f.Var(flag.OneOf(&v.color, term.Auto, term.Always, term.Never), "color", "`when` to use colors: auto always never")
	f.BoolVar(&v.noInput, "no-input", false, "never ask a question")
	f.BoolVarP(&v.Yes, "yes", "y", false, "answer yes to every question")
	f.Var(flag.Duration(&v.retryFor), "retry-for", "how long to go on when the provider is unavailable or busy")
	v.retry = f.Lookup("retry-for")
	f.Var(flag.SomeTime(&v.timeout), "timeout", "how long one request may take")

	flag.From(f, "profile", profile.NameVariable)
	flag.From(f, "api-url", profile.APIURLVariable)
	flag.From(f, "output", profile.OutputVariable)
	flag.From(f, "no-input", "FAXCTL_NO_INPUT")

	a.CompleteValues(root, "color", "auto", "always", "never")
	Must(root.RegisterFlagCompletionFunc("output", a.completeOutput))
	a.CompleteNothing(root, "api-url", "retry-for", "timeout")
	Must(root.RegisterFlagCompletionFunc("profile", a.CompleteProfiles))
	Must(root.RegisterFlagCompletionFunc("columns", a.completeColumns))
}
