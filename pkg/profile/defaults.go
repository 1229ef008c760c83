package profile

import (
	"path/filepath"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/yamlfile"
)

// The variables that stand for flags. What is the account's is weighed by [Resolve], the
// others by whoever reads the flags.
const (
	ConfigVariable    = "FAXCTL_CONFIG"
	NameVariable      = "FAXCTL_PROFILE"
	APIURLVariable    = "FAXCTL_API_URL"
	OutputVariable    = "FAXCTL_OUTPUT"
	ArchiveVariable   = "FAXCTL_ARCHIVE"
	DatabaseVariable  = "FAXCTL_DATABASE"
	StateVariable     = "FAXCTL_STATE"
	PublicURLVariable = "FAXCTL_PUBLIC_URL"
	ListenVariable    = "FAXCTL_LISTEN"
	LogFormatVariable = "FAXCTL_LOG_FORMAT"
	PrintWithVariable = "FAXCTL_PRINT_WITH"
	SMTPURLVariable   = "FAXCTL_SMTP_URL" // of no flag
	MailFromVariable  = "FAXCTL_MAIL_FROM"
	MailVariable      = "FAXCTL_MAIL"
)

// OwnVariables are those, of which most stand for flags.
func OwnVariables() []string {
	return []string{ConfigVariable, NameVariable, APIURLVariable, OutputVariable, ArchiveVariable, DatabaseVariable, StateVariable,
		PublicURLVariable, ListenVariable, LogFormatVariable, PrintWithVariable, SMTPURLVariable, MailFromVariable, MailVariable}
}

// Defaults are what commands take where neither a flag nor a variable says it. None
// deletes, buys, confirms or weakens a check.
type Defaults struct {
	Output    string `json:"output,omitempty" yaml:"output,omitempty"`         // a format, as in -o
	Country   string `json:"country,omitempty" yaml:"country,omitempty"`       // two letters (ISO 3166-1): whose numbers are written without their country
	Archive   string `json:"archive,omitempty" yaml:"archive,omitempty"`       // a folder
	Database  string `json:"database,omitempty" yaml:"database,omitempty"`     // a URL, without a password
	State     string `json:"state,omitempty" yaml:"state,omitempty"`           // a folder: that of a receiver
	PublicURL string `json:"public_url,omitempty" yaml:"public-url,omitempty"` // of a receiver
	Listen    string `json:"listen,omitempty" yaml:"listen,omitempty"`         // likewise
	LogFormat string `json:"log_format,omitempty" yaml:"log-format,omitempty"` // likewise
	PrintWith string `json:"print_with,omitempty" yaml:"print-with,omitempty"` // a program and its arguments
	SMTPURL   string `json:"smtp_url,omitempty" yaml:"smtp-url,omitempty"`     // of a mail server, without a password
	MailFrom  string `json:"mail_from,omitempty" yaml:"mail-from,omitempty"`   // an address
	Mail      string `json:"mail,omitempty" yaml:"mail,omitempty"`             // of a receiver: a file of rules
}

// settings are those of d, as in a config file.
func (d *Defaults) settings() []yamlfile.Field {
	return []yamlfile.Field{
		{Key: "output", At: &d.Output}, {Key: "country", At: &d.Country}, {Key: "archive", At: &d.Archive}, {Key: "database", At: &d.Database},
		{Key: "state", At: &d.State}, {Key: "public-url", At: &d.PublicURL}, {Key: "listen", At: &d.Listen},
		{Key: "log-format", At: &d.LogFormat}, {Key: "print-with", At: &d.PrintWith},
		{Key: "smtp-url", At: &d.SMTPURL}, {Key: "mail-from", At: &d.MailFrom},
		{Key: "mail", At: &d.Mail},
	}
}

// variableOf is the variable that goes before a default of this key; "": none does.
func variableOf(key string) string {
	return map[string]string{
		"output": OutputVariable, "archive": ArchiveVariable, "database": DatabaseVariable, "state": StateVariable,
		"public-url": PublicURLVariable, "listen": ListenVariable, "log-format": LogFormatVariable,
		"print-with": PrintWithVariable,
		"smtp-url":   SMTPURLVariable, "mail-from": MailFromVariable,
		"mail": MailVariable,
	}[key]
}

// in takes what is relative in d from dir, so that it is the same place wherever faxctl
// is run.
func (d *Defaults) in(dir string) {
	for _, path := range []*string{&d.Archive, &d.State, &d.Mail} {
		if _, home := underHome(*path); !home && *path != "" && !filepath.IsAbs(*path) && !strings.Contains(*path, "://") {
			*path = filepath.Join(dir, *path)
		}
	}
}

// atHome puts the home in the place of ~.
func (d *Defaults) atHome(getenv func(string) string) {
	for _, path := range []*string{&d.Archive, &d.State, &d.Mail} {
		if whole, err := atHome(*path, getenv); err == nil {
			*path = whole
		}
	}
}

// homeOf is a person's own folder; "": there is none.
func homeOf(getenv func(string) string) string {
	if home := getenv("HOME"); home != "" {
		return home
	}
	return getenv("USERPROFILE")
}

// Default is what stands for the flag of a variable: the variable, or a default of the
// profile; and what to call the place that it is from. Both are empty when nobody says.
func (r Resolved) Default(variable string) (text, from string) {
	for _, v := range r.Values {
		if variableOf(v.Key) != variable || v.Text == "" {
			continue
		}
		if v.Source == inEnvironment(variable) {
			return v.Text, variable
		}
		return v.Text, v.Key + " of " + v.Source
	}
	return "", ""
}

// inEnvironment is the source of what a variable says.
func inEnvironment(variable string) string { return "environment " + variable }

// withoutPassword is the URL of a mail server as it may be shown: people put the password
// into it, which whoever uses it refuses.
func withoutPassword(raw string) string {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		scheme, rest = "", raw
	} else {
		scheme += "://"
	}
	at := strings.LastIndexByte(rest, '@')
	if user, _, has := strings.Cut(rest[:max(at, 0)], ":"); has {
		return scheme + user + ":[password]" + rest[at:]
	}
	return raw
}
