package serve

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/cli/app"
	"github.com/faxctl/faxctl/pkg/inbox/mail"
	"github.com/faxctl/faxctl/pkg/profile"
)

// unitEnv is what a unit says of its environment: what was in force where it was
// printed, but no secret.
type unitEnv struct {
	notes   string
	plain   []string     // NAME=value
	inFile  []string     // names, whose values the file of the environment has
	secrets []unitSecret // of which those without a file are among the names above
}

// unitSecret is a secret by the name of its variable, and the file that NAME_FILE names;
// "": there is none.
type unitSecret struct{ name, file string }

// carried are the variables without which a service would not speak to whom it was tried
// with, or tell other times.
func carried() []string {
	return []string{profile.APIURLVariable, "TZ", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"}
}

// unitEnvironment is the environment of a unit for the account in force.
func unitEnvironment(a *app.App, p profile.Resolved, s serving) (unitEnv, error) {
	var e unitEnv
	for _, name := range carried() {
		value := a.Getenv(name)
		switch {
		case value == "", name == profile.APIURLVariable && a.Flags.ApiURL != "":
		case strings.Contains(value, "@"): // a proxy's password may be before it
			e.inFile = append(e.inFile, name)
		default:
			e.plain = append(e.plain, name+"="+value)
		}
	}
	if s.mail != "" {
		e.mailServer(a, p)
	} else {
		p.SMTPPassword = profile.Reference{}
	}
	e.account(a, p)
	if s.forward != "" {
		e.secrets = append(e.secrets, unitSecret{profile.ForwardKeyVariable, a.Getenv(profile.FileVariable(profile.ForwardKeyVariable))})
	}
	if file := a.Getenv(profile.FileVariable(profile.DatabasePasswordVariable)); a.Flags.Database != "" && (file != "" || a.Getenv(profile.DatabasePasswordVariable) != "") {
		e.secrets = append(e.secrets, unitSecret{profile.DatabasePasswordVariable, file})
	}
	e.secrets = slices.Compact(e.secrets)
	for i, s := range e.secrets {
		if s.file == "" {
			e.inFile = append(e.inFile, s.name)
			continue
		}
		var err error
		if e.secrets[i].file, err = filepath.Abs(s.file); err != nil {
			return e, err
		}
	}
	if s.archiveFolder() == "" {
		e.bucket(a)
	}
	slices.Sort(e.inFile)
	e.inFile = slices.Compact(e.inFile)
	return e, nil
}

// bucket adds how S3 is reached, as far as the environment says it.
func (e *unitEnv) bucket(a *app.App) {
	for _, name := range []string{
		"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE",
		"FAXCTL_S3_ENCRYPTION", "FAXCTL_S3_RETENTION", "FAXCTL_S3_RETENTION_MODE",
	} {
		switch value := a.Getenv(name); {
		case strings.Contains(value, "@"):
			e.inFile = append(e.inFile, name)
		case value != "":
			e.plain = append(e.plain, name+"="+value)
		}
	}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		if a.Getenv(name) != "" {
			e.inFile = append(e.inFile, name)
		}
	}
}

// mailServer adds the mail server of the environment. Of one that is wrong, which may have
// a password in it, only the variable is named.
func (e *unitEnv) mailServer(a *app.App, p profile.Resolved) {
	value := a.Getenv(profile.SMTPURLVariable)
	if value == "" {
		return
	}
	server, err := mail.ParseServer(value)
	if err != nil {
		e.inFile = append(e.inFile, profile.SMTPURLVariable)
		return
	}
	e.plain = append(e.plain, profile.SMTPURLVariable+"="+value)
	if server.User != "" && p.SMTPPassword.IsZero() {
		e.secrets = append(e.secrets, unitSecret{profile.SMTPPasswordVariable, ""})
	}
}

// account adds where the account and its secrets come from.
func (e *unitEnv) account(a *app.App, p profile.Resolved) {
	from := map[string]string{} // the variable that a setting is from
	for _, v := range p.Values {
		if name, is := strings.CutPrefix(v.Source, "environment "); is && (!strings.HasPrefix(name, "FAXCTL_") || v.Key == "smtp-password") {
			from[v.Key] = name
		}
	}
	for _, of := range []struct {
		key string
		at  profile.Reference
	}{{"secret", p.Secret}, {"signing-key", p.SigningKey}, {"smtp-password", p.SMTPPassword}} {
		name, byFile := strings.CutSuffix(from[of.key], profile.FileVariable(""))
		delete(from, of.key)
		switch of.at.Kind {
		case profile.InEnv:
			e.secrets = append(e.secrets, unitSecret{of.at.Value, a.Getenv(profile.FileVariable(of.at.Value))})
		case profile.InFile:
			if byFile {
				e.secrets = append(e.secrets, unitSecret{name, of.at.Value})
				continue
			}
			e.notes += "# A secret is in a file of its own; faxctl, the user, must be able to read it.\n"
		case profile.InCommand:
			e.notes += "# A secret of the profile comes from a program; faxctl, the user, must be able to\n# run it.\n"
		case profile.InKeyring:
			a.Warn("a secret of profile %s is in your keyring, which a service does not have: keep it in a file, as in secret: file:/etc/faxctl/token", p.Name)
		case profile.BuiltIn:
		}
	}
	for _, name := range from {
		e.inFile = append(e.inFile, name)
	}
	if len(from)+len(e.secrets) == 0 && p.Name == "" { // or others, as is said
		e.inFile, e.secrets = append(e.inFile, "TWILIO_ACCOUNT_SID"), []unitSecret{{"TWILIO_AUTH_TOKEN", ""}}
		e.notes += "# Another provider has other variables: faxctl help environment.\n"
	}
}

// words are all that come from outside.
func (e unitEnv) words() []string {
	words := slices.Concat(e.plain, e.inFile)
	for _, s := range e.secrets {
		words = append(words, s.name, s.file)
	}
	return words
}

// String are the lines of the unit.
func (e unitEnv) String() string {
	lines, instead := "", ""
	for _, assignment := range e.plain {
		lines += "Environment=" + unitWord(assignment) + "\n"
	}
	lines += e.notes
	for _, s := range e.secrets {
		if s.file != "" {
			lines += s.credential("", s.file)
		} else {
			instead += s.credential("#   ", "/etc/faxctl/"+s.id())
		}
	}
	if len(e.inFile) == 0 {
		return lines
	}
	lines += "# In this file, which root alone should read, a line for each:\n"
	for _, name := range e.inFile {
		lines += "#   " + name + "=...\n"
	}
	if instead != "" {
		lines += "# A secret may have a file of its own instead:\n" + instead
	}
	return lines + "EnvironmentFile=-/etc/faxctl/serve.env\n"
}

// id is how the unit calls the secret.
func (s unitSecret) id() string { return strings.ReplaceAll(strings.ToLower(s.name), "_", "-") }

// credential has root read the secret from a file and hand it to the service. The path is
// taken to the end of the line, without quotes.
// Source: systemd.exec(5), "LoadCredential=".
func (s unitSecret) credential(before, file string) string {
	return before + "LoadCredential=" + s.id() + ":" + strings.ReplaceAll(file, "%", "%%") + "\n" +
		before + "Environment=" + profile.FileVariable(s.name) + "=%d/" + s.id() + "\n"
}
