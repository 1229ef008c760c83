package profile

import (
	"slices"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// variable is a value of the environment and the name it has there.
type variable struct{ name, value string }

func (v variable) isSet() bool { return v.value != "" }

// ForwardKeyVariable is what signs the news of a receiver to a URL.
const ForwardKeyVariable = "FAXCTL_FORWARD_KEY"

// SMTPPasswordVariable is the password of the user of the mail server.
const SMTPPasswordVariable = "FAXCTL_SMTP_PASSWORD"

// DatabasePasswordVariable is the password of the user of a PostgreSQL database, as its own
// tools have it.
const DatabasePasswordVariable = "PGPASSWORD"

// inAFile ends the name of a variable that names the file of a secret.
const inAFile = "_FILE"

// SecretVariables are those whose value is a secret. For each NAME there is NAME_FILE,
// the path of a file that has it in it.
func SecretVariables() []string {
	all := []string{ForwardKeyVariable, SMTPPasswordVariable, DatabasePasswordVariable}
	for _, p := range info.All() {
		for _, s := range p.Settings {
			if isSecret(s.Key) {
				all = append(all, s.Variables...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// FileVariable is NAME_FILE of NAME.
func FileVariable(name string) string { return name + inAFile }

// ProviderVariables are those that the providers' own tools read, and those that name the
// file of a secret of theirs.
func ProviderVariables() []string {
	var all []string
	for _, p := range info.All() {
		for _, s := range p.Settings {
			for _, name := range s.Variables {
				all = append(all, name)
				if isSecret(s.Key) {
					all = append(all, FileVariable(name))
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func isSecret(key string) bool { return key == "secret" || key == "api-secret" || key == "signing-key" }

// secretOf is where the environment has the secret of this name: in the variable, or in
// the file that NAME_FILE names. Its value is empty when neither is set. Errors:
// problem.ErrInvalid when both are.
func secretOf(getenv func(string) string, name string) (variable, error) {
	text, path := strings.TrimSpace(getenv(name)), getenv(name+inAFile)
	switch {
	case text != "" && path != "":
		return variable{}, &problem.Error{Kind: problem.ErrInvalid, Text: name + " and " + name + inAFile + " are both set",
			Advice: problem.Say("unset one of them: " + name + inAFile + " is the path of a file that has the secret in it")}
	case path != "":
		return variable{name + inAFile, path}, nil
	}
	return variable{name, text}, nil
}

// place is where the secret of a variable is kept. People put the secret itself into
// NAME_FILE: what is no file there is never shown.
func (v variable) place(getenv func(string) string) Reference {
	if !strings.HasSuffix(v.name, inAFile) {
		return Env(v.name)
	}
	if path, err := atHome(v.value, getenv); err != nil || !isThere(path) {
		return Reference{Kind: InFile, Variable: v.name}
	}
	return Reference{Kind: InFile, Value: v.value}
}

// source is how [Value] tells it.
func (v variable) source() string { return inEnvironment(v.name) }

// first is the first of the names that is set; the first name when none is.
func first(getenv func(string) string, names []string) variable {
	for _, n := range names {
		if v := strings.TrimSpace(getenv(n)); v != "" {
			return variable{n, v}
		}
	}
	return variable{name: names[0]}
}

// reader reads what the variables of a provider say of its settings. What is wrong with
// them is left in wrong.
func reader(getenv func(string) string, p Provider, wrong *error) func(key string) variable {
	return func(key string) variable {
		setting, _ := info.Of(string(p)).Setting(key)
		if !isSecret(key) {
			return first(getenv, setting.Variables)
		}
		for _, name := range setting.Variables {
			v, err := secretOf(getenv, name)
			if err != nil && *wrong == nil {
				*wrong = err
			}
			if v.isSet() {
				return v
			}
		}
		return variable{name: setting.Variables[0]}
	}
}

// found is an account of the environment: its profile, and the variable that
// each setting came from. The zero value is none.
type found struct {
	Profile
	account variable
	from    map[string]variable // by setting; account for all others
}

func (f found) exists() bool { return f.account.isSet() }

func (f found) describe() Resolved {
	return describe(f.Profile, f.account.source(), func(key string) string {
		if v, ok := f.from[key]; ok {
			return v.source()
		}
		return f.account.source()
	})
}

// environment is the account that the providers' own variables name. Errors:
// ErrAmbiguous, problem.ErrInvalid for half a set when there is no other.
func environment(getenv func(string) string) (found, error) {
	twilio, errTwilio := twilioEnv(getenv)
	signal, errSignal := signalWireEnv(getenv)
	switch {
	case twilio.exists() && signal.exists():
		return found{}, &problem.Error{Kind: ErrAmbiguous,
			Text:   "the environment names two accounts: " + twilio.account.name + " and " + signal.account.name + " are both set",
			Advice: problem.Say("unset the variables of one, or name a profile with %s or FAXCTL_PROFILE", problem.Field("profile"))}
	case twilio.exists():
		return twilio, nil
	case signal.exists():
		return signal, nil
	case errTwilio != nil:
		return found{}, errTwilio
	}
	return found{}, errSignal
}

// twilioEnv reads the variables of Twilio's own tools. An API key goes before
// the auth token, as in Twilio's CLI; the token then signs callbacks.
func twilioEnv(getenv func(string) string) (found, error) {
	var wrong error
	of := reader(getenv, Twilio, &wrong)
	sid, token, key, secret := of("account"), of("secret"), of("api-key"), of("api-secret")
	f := found{Profile: Profile{Provider: Twilio, AccountID: sid.value}, account: sid}
	switch {
	case wrong != nil:
		return found{}, wrong
	case !sid.isSet() && !token.isSet() && !key.isSet() && !secret.isSet():
		return found{}, nil
	case !sid.isSet():
		return found{}, half(sid, token, key, secret)
	case key.isSet() && secret.isSet():
		f.APIKey, f.Secret = key.value, secret.place(getenv)
		f.from = map[string]variable{"api-key": key, "secret": secret, "signing-key": token}
		if token.isSet() {
			f.SigningKey = token.place(getenv)
		}
	case key.isSet():
		return found{}, half(secret, key)
	case secret.isSet():
		return found{}, half(key, secret)
	case token.isSet():
		f.Secret = token.place(getenv)
		f.from = map[string]variable{"secret": token}
	default:
		return found{}, half(token, sid)
	}
	return f, nil
}

// signalWireEnv reads the variables of SignalWire's SDKs, under every name they
// have had.
func signalWireEnv(getenv func(string) string) (found, error) {
	var wrong error
	of := reader(getenv, SignalWire, &wrong)
	space, project, token, signing := of("space"), of("account"), of("secret"), of("signing-key")
	switch {
	case wrong != nil:
		return found{}, wrong
	case !space.isSet() && !project.isSet() && !token.isSet():
		return found{}, nil
	case !space.isSet():
		return found{}, half(space, project, token)
	case !project.isSet():
		return found{}, half(project, space, token)
	case !token.isSet():
		return found{}, half(token, space, project)
	}
	host, err := NormalizeSpace(space.value)
	if err != nil {
		return found{}, &problem.Error{Kind: problem.ErrInvalid, Text: space.name, Cause: err, Advice: problem.AdviceOf(err)}
	}
	f := found{
		Profile: Profile{Provider: SignalWire, AccountID: project.value, Space: host, Secret: token.place(getenv)},
		account: project,
		from:    map[string]variable{"space": space, "secret": token, "signing-key": signing},
	}
	if signing.isSet() {
		f.SigningKey = signing.place(getenv)
	}
	return f, nil
}

// half is the error for a set of variables with one missing.
func half(missing variable, given ...variable) error {
	var set []string
	for _, v := range given {
		if v.isSet() {
			set = append(set, v.name)
		}
	}
	verb := " is set, but "
	if len(set) > 1 {
		verb = " are set, but "
	}
	wanted := missing.name
	if slices.Contains(SecretVariables(), wanted) {
		wanted += " or " + FileVariable(wanted)
	}
	return &problem.Error{Kind: problem.ErrInvalid,
		Text:   strings.Join(set, " and ") + verb + missing.name + " is not",
		Advice: problem.Say("set %s, or name a profile with %s", problem.Text(wanted), problem.Field("profile"))}
}
