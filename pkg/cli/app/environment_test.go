package app

import (
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
)

// What Kubernetes and Docker say of a service called faxctl is never taken for a
// variable of ours, however near it is to one.
func TestMeantVariable(t *testing.T) {
	ours := ourVariables{known: []string{"FAXCTL_PROFILE", "FAXCTL_ARCHIVE", "FAXCTL_PORTS", "FAXCTL_SERVICE_HOSTS"}}
	for name, want := range map[string]string{
		"FAXCTL_PROFIL": "FAXCTL_PROFILE", "faxctl_profile": "FAXCTL_PROFILE", "FAXCTL_ARCHVE": "FAXCTL_ARCHIVE", "FAXCTL_PORTX": "FAXCTL_PORTS",
		"FAXCTL_PROFILE": "", "FAXCTL_BUILD_IMAGE": "", "FAXCTL_": "",
		"FAXCTL_PORT": "", "FAXCTL_SERVICE_HOST": "", "FAXCTL_ARCHIVE_PORT": "", "FAXCTL_PORT_8080_TCP_ADDR": "",
	} {
		if want != "" {
			want = didYouMean(want)
		}
		if got := ours.unread(name); got != want {
			t.Errorf("of %s is said %q, want %q", name, got, want)
		}
	}
}

// A flag that no variable feeds is told by its name; what installers and containers set
// is theirs.
func TestUnreadFlag(t *testing.T) {
	root := &cobra.Command{Use: "faxctl"}
	child := &cobra.Command{Use: "prune"}
	root.AddCommand(child)
	root.Flags().Bool("version", false, "")
	child.Flags().Bool("dry-run", false, "")
	child.Flags().String("to", "", "")
	flag.From(child.Flags(), "to", "FAXCTL_ARCHIVE")
	ours := variablesOf(root)
	for name, want := range map[string]string{
		"FAXCTL_DRY_RUN": ": --dry-run has no variable", "faxctl_dryrun": ": --dry-run has no variable",
		"FAXCTL_TO": "; did you mean FAXCTL_ARCHIVE?", "FAXCTL_ARCHIVE": "", "FAXCTL_VERSION": "", "FAXCTL_IMAGE": "",
	} {
		if got := ours.unread(name); got != want {
			t.Errorf("of %s is said %q, want %q", name, got, want)
		}
	}
}

func TestMeantCredential(t *testing.T) {
	for name, want := range map[string]string{
		"SIGNALWIRE_TOKN": "SIGNALWIRE_TOKEN", "SIGNALWIRE_SIGNINGKEY_FILE": "SIGNALWIRE_SIGNING_KEY_FILE", "SIGNALWIRE_SIGNING_KEY_FILES": "SIGNALWIRE_SIGNING_KEY_FILE",
		"TWILIO_AUTH_TOKN": "TWILIO_AUTH_TOKEN", "TWILIO_ACOUNT_SID": "TWILIO_ACCOUNT_SID", "twilio_auth_token": "TWILIO_AUTH_TOKEN",
		"TWILIO_AUTH_TOKEN": "", "TWILIO_AUTH_TOKEN_FILE": "", "SIGNALWIRE_SPACE_URL": "", "TWILIO_PHONE_NUMBER": "", "TWILIO_OAUTH_TOKEN": "", "TWILIO_AUTH_TOKEN2": "", "TWILIO_AUTH_TOKEN_2": "",
		"TWILIO_API": "", "TWILIO_SUBACCOUNT_SID": "", "SIGNALWIRE_LOG_LEVEL": "", "SIGNALWIRE_JWT_TOKEN": "", "SIGNALWIRE_SPACE_NAME": "", "SIGNALWIRE_API_KEY": "", "TWILIO": "", "MY_TOKN": "", "TWILIO_EDGE_PORT": "",
	} {
		if got := meantCredential(name, profile.ProviderVariables()); got != want {
			t.Errorf("%s is taken for %q, want %q", name, got, want)
		}
	}
}

func TestUnknownZone(t *testing.T) {
	york, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		named string
		local *time.Location
		want  bool
	}{{"", time.UTC, false}, {"UTC", time.UTC, false}, {":UTC", time.UTC, false}, {"Europe/Nowhere", time.UTC, true}, {":CET-1CEST", time.UTC, true}, {"America/New_York", york, false}} {
		if got := unknownZone(c.named, c.local); got != c.want {
			t.Errorf("TZ=%s, and times in %s: %v", c.named, c.local, got)
		}
	}
}
