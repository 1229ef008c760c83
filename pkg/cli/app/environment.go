package app

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/cli/flag"
	"github.com/faxctl/faxctl/pkg/profile"
)

// ourPrefix begins the names of our own variables.
const ourPrefix = "FAXCTL_"

// tellOfEnvironment tells, once, of what the environment says and nobody reads: a name
// that is nearly one of ours or of the providers', or that of a flag which has no
// variable, and a time zone that is not known, in the place of which
// Go takes UTC without a word.
func (a *App) tellOfEnvironment(cmd *cobra.Command) {
	if strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) {
		return // a warning has no place in a prompt
	}
	ours := sync.OnceValue(func() ourVariables {
		a.Whole(cmd.Root())
		return variablesOf(cmd.Root())
	})
	own, credentials := profile.OwnVariables(), profile.ProviderVariables()
	for _, set := range a.Environ {
		name, _, _ := strings.Cut(set, "=")
		said := ""
		if slices.Contains(own, name) {
			continue // without all flags, which take longer to make than the rest of a start
		}
		if strings.HasPrefix(strings.ToUpper(name), ourPrefix) {
			said = ours().unread(name)
		} else if meant := meantCredential(name, credentials); meant != "" {
			said = didYouMean(meant)
		}
		if said != "" && !a.namedInProfile(name) {
			a.Warn("the variable %s is not read%s", text.Line(name), said)
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

// namedInProfile reports whether a profile has its secret in this variable.
func (a *App) namedInProfile(name string) bool {
	c, err := a.Config()
	if err != nil {
		return false // whoever needs it tells why
	}
	for _, p := range c.Profiles {
		for _, r := range []profile.Reference{p.Secret, p.SigningKey, p.SMTPPassword} {
			if r.Kind == profile.InEnv && (name == r.Value || name == profile.FileVariable(r.Value)) {
				return true
			}
		}
	}
	return false
}

// ourVariables are the names that faxctl reads and that begin as ours do, and the flags
// that people think have one.
type ourVariables struct {
	known []string
	flags map[string]*pflag.Flag // by [bare] name; the one that a variable feeds, where one is
}

// bare is the name of a flag, or what follows our prefix in that of a variable, without
// what people write in different ways.
func bare(name string) string {
	return strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(name))
}

func variablesOf(root *cobra.Command) ourVariables {
	all := ourVariables{profile.OwnVariables(), map[string]*pflag.Flag{}}
	for _, name := range profile.SecretVariables() {
		if strings.HasPrefix(name, ourPrefix) {
			all.known = append(all.known, name, profile.FileVariable(name))
		}
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, own := range []*pflag.FlagSet{c.Flags(), c.PersistentFlags()} { // as declared: what cobra derives of them takes longer than the rest of a start
			own.VisitAll(func(f *pflag.Flag) {
				v := flag.Variable(f)
				if v != "" {
					all.known = append(all.known, v)
				}
				if name := bare(f.Name); v != "" || all.flags[name] == nil {
					all.flags[name] = f
				}
			})
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(root)
	for _, f := range []string{"help", "version"} { // FAXCTL_VERSION is what installers call the one they fetch
		delete(all.flags, bare(f))
	}
	slices.Sort(all.known)
	all.known = slices.Compact(all.known)
	return all
}

// unread is what to say of a variable that nobody reads, after its name; "": it is read,
// somebody else's, or near none.
func (v ourVariables) unread(name string) string {
	if slices.Contains(v.known, name) || regexp.MustCompile(ofService).MatchString(name) {
		return ""
	}
	end := name[len(ourPrefix):]
	if f := v.flags[bare(end)]; f != nil {
		if fed := flag.Variable(f); fed != "" {
			return didYouMean(fed)
		}
		return ": " + problem.Field(f.Name).String() + " has no variable"
	}
	ends := make([]string, len(v.known)) // what all begin with makes none nearer
	for i, k := range v.known {
		ends[i] = strings.TrimPrefix(k, ourPrefix)
	}
	if near := text.Nearest(end, ends); near != "" {
		return didYouMean(ourPrefix + near)
	}
	return ""
}

func didYouMean(variable string) string { return "; did you mean " + variable + "?" }

// ofService matches the names that Kubernetes and Docker give each container for a
// service that is called faxctl, or faxctl- and something.
// Source: Kubernetes, "Discovering services: environment variables".
const ofService = `_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$`

// notMeant matches what is near a variable of a provider and is another one: that of a
// second account, as in TWILIO_AUTH_TOKEN2, and TWILIO_OAUTH_TOKEN.
const notMeant = `\d$|_OAUTH_TOKEN$`

// meantCredential is the one of the known variables of providers, one or two letters away,
// that a variable was most likely meant to be; "": it is one of them, or that of another tool.
func meantCredential(name string, known []string) string {
	prefix, end, _ := strings.Cut(name, "_")
	if slices.Contains(known, name) {
		return ""
	}
	var ends []string
	for _, k := range known {
		of, rest, _ := strings.Cut(k, "_")
		if strings.EqualFold(of, prefix) && max(len(rest)-len(end), len(end)-len(rest)) <= 2 {
			ends = append(ends, rest)
		}
	}
	near := text.Nearest(end, ends)
	if near == "" || regexp.MustCompile(ofService+"|"+notMeant).MatchString(name) {
		return ""
	}
	return strings.ToUpper(prefix) + "_" + near
}
