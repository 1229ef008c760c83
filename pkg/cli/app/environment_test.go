package app

import (
	"testing"
	"time"
)

// What Kubernetes and Docker say of a service called faxctl is never taken for a
// variable of ours, however near it is to one.
func TestMeantVariable(t *testing.T) {
	known := []string{"FAXCTL_PROFILE", "FAXCTL_ARCHIVE", "FAXCTL_PORTS", "FAXCTL_SERVICE_HOSTS"}
	for name, want := range map[string]string{
		"FAXCTL_PROFIL": "FAXCTL_PROFILE", "faxctl_profile": "FAXCTL_PROFILE", "FAXCTL_ARCHVE": "FAXCTL_ARCHIVE", "FAXCTL_PORTX": "FAXCTL_PORTS",
		"FAXCTL_PROFILE": "", "FAXCTL_BUILD_IMAGE": "", "FAXCTL_": "",
		"FAXCTL_PORT": "", "FAXCTL_SERVICE_HOST": "", "FAXCTL_ARCHIVE_PORT": "", "FAXCTL_PORT_8080_TCP_ADDR": "",
	} {
		if got := meantVariable(name, known); got != want {
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
