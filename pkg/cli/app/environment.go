package app

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
)

// ourPrefix begins the names of our own variables.
const ourPrefix = "FAXCTL_"

// tellOfEnvironment tells, once, of what the environment says and nobody reads: a name
// that is nearly one of ours, and a time zone that is not known, in the place of which
// Go takes UTC without a word.
func (a *App) tellOfEnvironment(cmd *cobra.Command) {
	if strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) {
		return // a warning has no place in a prompt
	}
	var known []string
	for _, set := range a.Environ {
		name, _, _ := strings.Cut(set, "=")
		if !strings.HasPrefix(strings.ToUpper(name), ourPrefix) {
			continue
		}
		if known == nil {
			known = ourVariables(cmd.Root())
		}
		if meant := meantVariable(name, known); meant != "" {
			a.Warn("the variable %s is not read; did you mean %s?", text.Line(name), meant)
		}
	}
	if zone := a.Getenv("TZ"); unknownZone(zone, time.Local) {
		a.Warn("TZ=%s is no time zone that is known here, and times are in UTC; name one as in TZ=America/New_York, or install the time zones (tzdata)", text.Line(zone))
	}
}

// unknownZone reports whether local, which is what became of TZ, is UTC for want of the
// zone that was named. Source: time, initLocal.
func unknownZone(named string, local *time.Location) bool {
	named = strings.TrimPrefix(named, ":")
	return named != "" && named != "UTC" && local.String() == "UTC"
}

// ourVariables are the names that faxctl reads and that begin as ours do.
func ourVariables(root *cobra.Command) []string {
	known := []string{profile.ConfigVariable}
	for _, name := range profile.SecretVariables() {
		if strings.HasPrefix(name, ourPrefix) {
			known = append(known, name, profile.FileVariable(name))
		}
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if v := flag.Variable(f); v != "" {
				known = append(known, v)
			}
		})
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(root)
	slices.Sort(known)
	return slices.Compact(known)
}

// ofService matches the names that Kubernetes and Docker give each container for a
// service that is called faxctl, or faxctl- and something.
// Source: Kubernetes, "Discovering services: environment variables".
const ofService = `_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`

// meantVariable is the one of the known names that a variable was most likely meant to
// be; "": it is one of them, somebody else's, or near none.
func meantVariable(name string, known []string) string {
	if slices.Contains(known, name) || regexp.MustCompile(ofService).MatchString(name) {
		return ""
	}
	ends := make([]string, len(known)) // what all begin with makes none nearer
	for i, k := range known {
		ends[i] = strings.TrimPrefix(k, ourPrefix)
	}
	if near := text.Nearest(name[len(ourPrefix):], ends); near != "" {
		return ourPrefix + near
	}
	return ""
}
