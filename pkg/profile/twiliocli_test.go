package profile_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/profile"
)

func TestImportTwilioCLI(t *testing.T) {
	path := file(t, 0o644, `{
  "email": {}, "prompts": {}, "edge": "dublin", "activeProject": "Main Clinic",
  "projects": [{"id": "old one", "accountSid": "`+account+`", "region": "ie1"}],
  "profiles": {
    "Main Clinic": {"accountSid": "`+account+`", "apiKey": "`+apiKey+`", "apiSecret": "`+hush+`", "region": ""},
    "main_clinic": {"accountSid": "`+other+`", "apiKey": "`+other+`", "apiSecret": "`+hush+`"},
    "sandbox": {"accountSid": "AC12", "apiKey": "`+apiKey+`", "apiSecret": "`+hush+`"}
  }
}`)
	got, err := profile.ImportTwilioCLI(path)
	if err != nil {
		t.Fatal(err)
	}
	secret := profile.NewSecret(hush)
	twilio := func(name, account, key, region string) profile.Profile {
		return profile.Profile{Name: name, Provider: profile.Twilio, AccountID: account, APIKey: key, Edge: "dublin", Region: region, Secret: profile.Keyring()}
	}
	want := []profile.Imported{
		{Was: "Main Clinic", Profile: twilio("main-clinic", account, apiKey, ""), Secret: secret},
		{Was: "main_clinic", Profile: twilio("main-clinic-2", other, "", ""), Secret: secret},
		{Was: "old one", Profile: twilio("old-one", account, "", "ie1"), Note: "its secret is not in the file; add it with faxctl profile add old-one"},
		{Was: "sandbox", Profile: twilio("twilio-sandbox", "AC12", apiKey, ""), Secret: secret,
			Note: `profile twilio-sandbox: account: "AC12" is not a Twilio account: AC and 32 hex digits`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImportTwilioCLIErrors(t *testing.T) {
	_, err := profile.ImportTwilioCLI(profile.TwilioCLIPath(t.TempDir()))
	wantError(t, err, problem.ErrNotFound, filepath.Join(".twilio-cli", "config.json"), "faxctl profile add")
	_, err = profile.ImportTwilioCLI(file(t, 0o600, `{"profiles": [`))
	wantError(t, err, problem.ErrInvalid, "is not a config file of Twilio's CLI", "")
}

func FuzzImportTwilioCLI(f *testing.F) {
	f.Add(`{"profiles": {"a": {"accountSid": "x"}, "A": {}, "": {}, "-": {}, "sandbox": {}}}`)
	f.Add(`{"projects": [{"id": "x"}, {"id": "x"}, {}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		all, err := profile.ImportTwilioCLI(file(t, 0o600, text))
		if err != nil {
			return
		}
		seen := map[string]bool{}
		for _, i := range all {
			if err := profile.CheckName(i.Profile.Name); err != nil || seen[i.Profile.Name] {
				t.Errorf("%q became %q: %v", i.Was, i.Profile.Name, err)
			}
			seen[i.Profile.Name] = true
		}
	})
}
