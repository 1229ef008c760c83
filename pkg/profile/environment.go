package profile

import (
	"strings"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// variable is a value of the environment and the name it has there.
type variable struct{ name, value string }

func (v variable) isSet() bool { return v.value != "" }

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

// reader reads what the variables of a provider say of its settings.
func reader(getenv func(string) string, p Provider) func(key string) variable {
	return func(key string) variable {
		setting, _ := info.Of(string(p)).Setting(key)
		return first(getenv, setting.Variables)
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
	of := reader(getenv, Twilio)
	sid, token, key, secret := of("account"), of("secret"), of("api-key"), of("api-secret")
	f := found{Profile: Profile{Provider: Twilio, AccountID: sid.value}, account: sid}
	switch {
	case !sid.isSet() && !token.isSet() && !key.isSet() && !secret.isSet():
		return found{}, nil
	case !sid.isSet():
		return found{}, half(sid, token, key, secret)
	case key.isSet() && secret.isSet():
		f.APIKey, f.Secret = key.value, Env(secret.name)
		f.from = map[string]variable{"api-key": key, "secret": secret, "signing-key": token}
		if token.isSet() {
			f.SigningKey = Env(token.name)
		}
	case key.isSet():
		return found{}, half(secret, key)
	case secret.isSet():
		return found{}, half(key, secret)
	case token.isSet():
		f.Secret = Env(token.name)
		f.from = map[string]variable{"secret": token}
	default:
		return found{}, half(token, sid)
	}
	return f, nil
}

// signalWireEnv reads the variables of SignalWire's SDKs, under every name they
// have had.
func signalWireEnv(getenv func(string) string) (found, error) {
	of := reader(getenv, SignalWire)
	space, project, token, signing := of("space"), of("account"), of("secret"), of("signing-key")
	switch {
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
		Profile: Profile{Provider: SignalWire, AccountID: project.value, Space: host, Secret: Env(token.name)},
		account: project,
		from:    map[string]variable{"space": space, "secret": token, "signing-key": signing},
	}
	if signing.isSet() {
		f.SigningKey = Env(signing.name)
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
	return &problem.Error{Kind: problem.ErrInvalid,
		Text:   strings.Join(set, " and ") + verb + missing.name + " is not",
		Advice: problem.Say("set %s, or name a profile with %s", problem.Text(missing.name), problem.Field("profile"))}
}
