package profile_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

const twoProfiles = `current: clinic
profiles:
  clinic:
    provider: twilio
    account: ` + account + `
    secret: keyring
    edge: dublin
    api-url: https://api.example.com
  lab:
    provider: signalwire
    account: ` + project + `
    space: example
    secret: env:LAB_TOKEN
    read-only: true
`

var (
	twilioEnv = []string{"TWILIO_ACCOUNT_SID=" + other, "TWILIO_AUTH_TOKEN=t"}
	signalEnv = []string{"SIGNALWIRE_SPACE_URL=https://Example.signalwire.com/", "SIGNALWIRE_PROJECT_ID=" + project, "SIGNALWIRE_API_TOKEN=t"}
)

func input(t *testing.T, config string, vars ...string) profile.Input {
	path := file(t, 0o600, config)
	return profile.Input{Getenv: env(vars...), Config: func() (profile.Config, error) { return profile.Load(path) }}
}

// The whole precedence: flag, environment, current profile, default.
func TestResolve(t *testing.T) {
	type v = profile.Value
	const file = "profile clinic (config.yaml)"
	tests := map[string]struct {
		config       string
		vars         []string
		flag, apiURL string
		want         []v
	}{
		"current profile": {config: twoProfiles, want: []v{
			{"profile", "clinic", "current in config.yaml"}, {"provider", "twilio", file}, {"account", account, file},
			{"edge", "dublin", file}, {"secret", "keyring", file}, {"api-url", "https://api.example.com", file},
		}},
		"flag before everything": {config: twoProfiles, flag: "lab", apiURL: "http://localhost:1/", vars: append(twilioEnv, "FAXCTL_PROFILE=clinic", "FAXCTL_API_URL=https://b.example"), want: []v{
			{"profile", "lab", "flag --profile"}, {"provider", "signalwire", "profile lab (config.yaml)"},
			{"account", project, "profile lab (config.yaml)"}, {"space", "example.signalwire.com", "profile lab (config.yaml)"},
			{"secret", "env:LAB_TOKEN", "profile lab (config.yaml)"}, {"api-url", "http://localhost:1", "flag --api-url"},
			{"read-only", "true", "profile lab (config.yaml)"},
		}},
		"FAXCTL_PROFILE before the official variables": {config: twoProfiles, vars: append(twilioEnv, "FAXCTL_PROFILE=clinic"), want: []v{
			{"profile", "clinic", "environment FAXCTL_PROFILE"}, {"provider", "twilio", file}, {"account", account, file},
			{"edge", "dublin", file}, {"secret", "keyring", file}, {"api-url", "https://api.example.com", file},
		}},
		"official variables before the current profile": {config: twoProfiles, vars: twilioEnv, want: []v{
			{"profile", "", "environment TWILIO_ACCOUNT_SID, before the current profile clinic"},
			{"provider", "twilio", "environment TWILIO_ACCOUNT_SID"}, {"account", other, "environment TWILIO_ACCOUNT_SID"},
			{"secret", "env:TWILIO_AUTH_TOKEN", "environment TWILIO_AUTH_TOKEN"}, {"api-url", "", "default"},
		}},
		"edge, region and API URL of the environment before the profile's": {config: twoProfiles, vars: []string{"TWILIO_EDGE=sydney", "TWILIO_REGION=au1", "FAXCTL_API_URL=https://b.example/"}, want: []v{
			{"profile", "clinic", "current in config.yaml"}, {"provider", "twilio", file}, {"account", account, file},
			{"edge", "sydney", "environment TWILIO_EDGE"}, {"region", "au1", "environment TWILIO_REGION"},
			{"secret", "keyring", file}, {"api-url", "https://b.example", "environment FAXCTL_API_URL"},
		}},
		"not the edge of another account": {config: twoProfiles, flag: "clinic", vars: append(twilioEnv, "TWILIO_EDGE=sydney"), want: []v{
			{"profile", "clinic", "flag --profile"}, {"provider", "twilio", file}, {"account", account, file},
			{"edge", "dublin", file}, {"secret", "keyring", file}, {"api-url", "https://api.example.com", file},
		}},
		"API key before auth token, which signs": {vars: append(twilioEnv, "TWILIO_API_KEY="+apiKey, "TWILIO_API_SECRET=s", "TWILIO_REGION=ie1"), want: []v{
			{"profile", "", "environment TWILIO_ACCOUNT_SID"}, {"provider", "twilio", "environment TWILIO_ACCOUNT_SID"},
			{"account", other, "environment TWILIO_ACCOUNT_SID"}, {"api-key", apiKey, "environment TWILIO_API_KEY"},
			{"region", "ie1", "environment TWILIO_REGION"}, {"secret", "env:TWILIO_API_SECRET", "environment TWILIO_API_SECRET"},
			{"signing-key", "env:TWILIO_AUTH_TOKEN", "environment TWILIO_AUTH_TOKEN"}, {"api-url", "", "default"},
		}},
		"SignalWire's variables": {vars: append(signalEnv, "SIGNALWIRE_SIGNING_KEY=k"), want: []v{
			{"profile", "", "environment SIGNALWIRE_PROJECT_ID"}, {"provider", "signalwire", "environment SIGNALWIRE_PROJECT_ID"},
			{"account", project, "environment SIGNALWIRE_PROJECT_ID"}, {"space", "example.signalwire.com", "environment SIGNALWIRE_SPACE_URL"},
			{"secret", "env:SIGNALWIRE_API_TOKEN", "environment SIGNALWIRE_API_TOKEN"},
			{"signing-key", "env:SIGNALWIRE_SIGNING_KEY", "environment SIGNALWIRE_SIGNING_KEY"}, {"api-url", "", "default"},
		}},
		"SignalWire's other names": {vars: []string{"SIGNALWIRE_API_HOSTNAME=example", "SIGNALWIRE_PROJECT_ID=" + project, "SIGNALWIRE_TOKEN=t"}, want: []v{
			{"profile", "", "environment SIGNALWIRE_PROJECT_ID"}, {"provider", "signalwire", "environment SIGNALWIRE_PROJECT_ID"},
			{"account", project, "environment SIGNALWIRE_PROJECT_ID"}, {"space", "example.signalwire.com", "environment SIGNALWIRE_API_HOSTNAME"},
			{"secret", "env:SIGNALWIRE_TOKEN", "environment SIGNALWIRE_TOKEN"}, {"api-url", "", "default"},
		}},
		"half a set beside a whole one": {vars: append(twilioEnv, "SIGNALWIRE_SPACE=x"), want: []v{
			{"profile", "", "environment TWILIO_ACCOUNT_SID"}, {"provider", "twilio", "environment TWILIO_ACCOUNT_SID"},
			{"account", other, "environment TWILIO_ACCOUNT_SID"}, {"secret", "env:TWILIO_AUTH_TOKEN", "environment TWILIO_AUTH_TOKEN"}, {"api-url", "", "default"},
		}},
		"a sandbox chosen as current": {config: "current: sandbox\n", want: []v{
			{"profile", "sandbox", "current in config.yaml"}, {"provider", "twilio", "profile sandbox (built in)"},
			{"account", "AC5a4db0c55a4db0c55a4db0c55a4db0c5", "profile sandbox (built in)"},
			{"secret", "built-in", "profile sandbox (built in)"}, {"api-url", "", "default"},
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(t, tt.config, tt.vars...)
			in.Profile, in.APIURL = tt.flag, tt.apiURL
			got, err := profile.Resolve(in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got.Values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			// The values that are shown are the values that are used.
			for _, v := range got.Values {
				used := map[string]string{
					"profile": got.Name, "provider": string(got.Provider), "account": got.AccountID, "api-key": got.APIKey,
					"space": got.Space, "edge": got.Edge, "region": got.Region, "secret": got.Secret.String(),
					"signing-key": got.SigningKey.String(), "api-url": got.APIURL, "read-only": map[bool]string{true: "true"}[got.ReadOnly],
				}
				if used[v.Key] != v.Text {
					t.Errorf("%s shows %q and is %q", v.Key, v.Text, used[v.Key])
				}
			}
		})
	}
}

func TestResolveErrors(t *testing.T) {
	tests := map[string]struct {
		config, flag, apiURL string
		vars                 []string
		kind                 error
		text, hint           string
	}{
		"nothing at all":                       {kind: profile.ErrNone, text: "no account", hint: "--profile sandbox"},
		"nothing, with an official way":        {kind: profile.ErrNone, hint: "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"},
		"nothing, with a way to add":           {kind: profile.ErrNone, hint: "faxctl profile add"},
		"profiles, none in use":                {config: "profiles:\n  lab:\n    provider: twilio\n    account: " + account + "\n    secret: keyring\n", kind: profile.ErrNone, hint: "--profile (lab)"},
		"two accounts":                         {vars: append(twilioEnv, signalEnv...), kind: profile.ErrAmbiguous, text: "TWILIO_ACCOUNT_SID and SIGNALWIRE_PROJECT_ID", hint: "--profile"},
		"two accounts, with a current profile": {config: twoProfiles, vars: append(twilioEnv, signalEnv...), kind: profile.ErrAmbiguous},
		"unknown profile":                      {config: twoProfiles, flag: "clinc", kind: problem.ErrNotFound, text: "did you mean clinic?", hint: "faxctl profile list"},
		"unknown current profile":              {config: "current: gone\n", kind: problem.ErrNotFound, text: `"gone"`},
		"account without token":                {vars: twilioEnv[:1], kind: problem.ErrInvalid, text: "TWILIO_ACCOUNT_SID is set, but TWILIO_AUTH_TOKEN is not", hint: "set TWILIO_AUTH_TOKEN"},
		"half a set, not the current":          {config: twoProfiles, vars: twilioEnv[:1], kind: problem.ErrInvalid, text: "TWILIO_AUTH_TOKEN is not"},
		"token without account":                {vars: twilioEnv[1:], kind: problem.ErrInvalid, text: "TWILIO_ACCOUNT_SID is not"},
		"API key without secret":               {vars: append(twilioEnv, "TWILIO_API_KEY="+apiKey), kind: problem.ErrInvalid, text: "TWILIO_API_SECRET is not"},
		"API secret without key":               {vars: append(twilioEnv, "TWILIO_API_SECRET=s"), kind: problem.ErrInvalid, text: "TWILIO_API_KEY is not"},
		"space alone":                          {vars: signalEnv[:1], kind: problem.ErrInvalid, text: "SIGNALWIRE_SPACE_URL is set, but SIGNALWIRE_PROJECT_ID is not"},
		"no space":                             {vars: signalEnv[1:], kind: problem.ErrInvalid, text: "SIGNALWIRE_PROJECT_ID and SIGNALWIRE_API_TOKEN are set, but SIGNALWIRE_SPACE_URL is not"},
		"no SignalWire token":                  {vars: signalEnv[:2], kind: problem.ErrInvalid, text: "SIGNALWIRE_API_TOKEN is not"},
		"somebody else's space":                {vars: append(signalEnv[1:], "SIGNALWIRE_SPACE=evil.example"), kind: problem.ErrInvalid, text: "SIGNALWIRE_SPACE: ", hint: "example.signalwire.com"},
		"API key as account":                   {vars: []string{"TWILIO_ACCOUNT_SID=" + apiKey, "TWILIO_AUTH_TOKEN=t"}, kind: problem.ErrInvalid, text: "is an API key", hint: "AC…"},
		"SignalWire's account shape":           {vars: []string{"SIGNALWIRE_SPACE=x", "SIGNALWIRE_PROJECT_ID=" + account, "SIGNALWIRE_TOKEN=t"}, kind: problem.ErrInvalid, text: "UUID"},
		"API URL in the clear":                 {flag: "sandbox", apiURL: "http://api.example.com", kind: problem.ErrInvalid, text: "flag --api-url: the API URL would send the secret unencrypted"},
		"edge that is not a label":             {vars: append(twilioEnv, "TWILIO_EDGE=evil.example/"), kind: problem.ErrInvalid, text: "edge"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := input(t, tt.config, tt.vars...)
			in.Profile, in.APIURL = tt.flag, tt.apiURL
			_, err := profile.Resolve(in)
			wantError(t, err, tt.kind, tt.text, tt.hint)
		})
	}
}

// A sandbox works on a machine whose config file is broken.
func TestSandboxNeedsNothing(t *testing.T) {
	for name, p := range profile.BuiltIns() {
		in := profile.Input{Profile: name, Getenv: env("TWILIO_EDGE=sydney", "TWILIO_AUTH_TOKEN=t"), Config: func() (profile.Config, error) {
			return profile.Config{}, errors.New("the config file was read")
		}}
		got, err := profile.Resolve(in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got.Profile); diff != "" || !got.IsBuiltIn() {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		_, err = profile.Secrets{}.Secret(t.Context(), got.Profile)
		wantError(t, err, profile.ErrSecret, "its sandbox's own", "")
	}
}
