package profile

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/faxctl/faxctl/pkg/base/postgres"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
	"github.com/faxctl/faxctl/pkg/provider/info"
)

// Input is everything that can say which account is meant.
type Input struct {
	Profile string                 // the flag --profile, "" when not given
	APIURL  string                 // the flag --api-url, "" when not given
	Output  string                 // the flag --output, "" when not given
	Getenv  func(string) string    // os.Getenv
	Config  func() (Config, error) // reads the config file; not called when a flag names a built-in profile
}

// Value is one setting in force and where it came from.
type Value struct {
	Key    string `json:"key" yaml:"key"`
	Text   string `json:"text" yaml:"text"`
	Source string `json:"source" yaml:"source"` // "flag --profile", "environment TWILIO_EDGE", "profile clinic (config.yaml)", "default"
}

// Resolved is the profile in force. Its secret has not been looked up.
type Resolved struct {
	Profile
	Values []Value // every setting that says something, "profile" first
}

// Resolve decides which account is meant: flag, then environment, then the
// config's current profile. An account and its secret are taken together from
// one place; edge, region and API URL are weighed one by one. FAXCTL_PROFILE
// names a profile as the flag does. Nothing is looked up but text, and whether there is a
// file where NAME_FILE says.
//
// Errors: ErrNone when nothing names an account, ErrAmbiguous when the
// environment names two, problem.ErrNotFound for an unknown profile, problem.ErrInvalid for
// half a set of variables or a wrong value, and those of Config.
func Resolve(in Input) (Resolved, error) {
	r, err := choose(in)
	if err != nil {
		return Resolved{}, err
	}
	if err := r.override(in); err != nil {
		return Resolved{}, err
	}
	if !r.IsBuiltIn() {
		if err := joinProblems(r.origin()+": ", r.problems()); err != nil {
			return Resolved{}, err
		}
	}
	r.sort()
	return r, nil
}

// choose finds the account.
func choose(in Input) (Resolved, error) {
	if in.Profile != "" {
		return named(in, in.Profile, fromFlag("profile"))
	}
	if name := in.Getenv(NameVariable); name != "" {
		return named(in, name, inEnvironment(NameVariable))
	}
	env, err := environment(in.Getenv)
	if err != nil {
		return Resolved{}, err
	}
	c, err := in.Config()
	// A place that nobody named and that is closed to us, as another user's home, says nothing.
	nothing := env.exists() && errors.Is(err, fs.ErrPermission) && in.Getenv(ConfigVariable) == ""
	if err != nil && !nothing {
		return Resolved{}, err
	}
	if env.exists() {
		r := env.describe()
		if c.Current != "" {
			r.Values[0].Source += ", before the current profile " + c.Current
		}
		return r, nil
	}
	if c.Current != "" {
		return fromConfig(in, c, c.Current, "current in "+base(c.Path))
	}
	return Resolved{}, none(c)
}

func none(c Config) error {
	next := problem.Say("choose one of three:\n"+
		"  add an account: %s\n"+
		"  set "+variables()+"\n"+
		"  try without an account: %s", problem.Command("profile", "add").Arg("NAME"), problem.Field("profile", "sandbox"))
	if len(c.Profiles) > 0 {
		next = problem.Say("name a profile with %s (%s) or %s; or %s", problem.Field("profile"),
			problem.Text(strings.Join(c.Names(), ", ")), problem.Command("profile", "use").Arg("NAME"), next)
	}
	return &problem.Error{Kind: ErrNone, Text: "no account is chosen and no credentials are set", Advice: next}
}

// variables are those that name an account, of each provider.
func variables() string {
	var all []string
	for _, p := range info.All() {
		var names []string
		for _, key := range []string{"space", "account", "secret"} {
			if name := p.Variable(key); name != "" {
				names = append(names, name)
			}
		}
		all = append(all, text.List(names, "and"))
	}
	return strings.Join(all, ", or ")
}

// named takes a profile that a person asked for by name.
func named(in Input, name, source string) (Resolved, error) {
	var c Config
	if _, ok := BuiltIns()[name]; !ok {
		var err error
		if c, err = in.Config(); err != nil {
			return Resolved{}, err
		}
		if _, err := Path(in.Getenv); err != nil && c.Path == "" { // it would be there
			return Resolved{}, err
		}
	}
	return fromConfig(in, c, name, source)
}

func fromConfig(in Input, c Config, name, source string) (Resolved, error) {
	p, err := c.Find(name)
	if err != nil {
		return Resolved{}, err
	}
	p.atHome(in.Getenv)
	place := base(c.Path)
	if p.IsBuiltIn() {
		place = "built in"
	}
	return describe(p, source, func(string) string { return "profile " + name + " (" + place + ")" }), nil
}

// describe lists the settings of p; place says where each came from.
func describe(p Profile, source string, place func(key string) string) Resolved {
	r := Resolved{Profile: p, Values: []Value{{"profile", p.Name, source}}}
	for _, s := range settings(&p) {
		if t := textOf(s.At); t != "" {
			r.Values = append(r.Values, Value{s.Key, t, place(s.Key)})
		}
	}
	return r
}

// textOf is a setting as it is written, "" when it says nothing.
func textOf(setting any) string {
	switch v := setting.(type) {
	case *string:
		return *v
	case *Provider:
		return string(*v)
	case *Reference:
		return v.String()
	case *bool:
		if *v {
			return strconv.FormatBool(true)
		}
	}
	return ""
}

// override weighs the settings that do not belong to the account.
func (r *Resolved) override(in Input) error {
	// Edge and region that travel with another account's variables are not
	// meant for this one.
	known := r.Info()
	sid := in.Getenv(known.Variable("account"))
	if !r.IsBuiltIn() && known.Variable("edge") != "" && (sid == "" || sid == r.AccountID) {
		r.set("edge", &r.Edge, in.Getenv(known.Variable("edge")), inEnvironment(known.Variable("edge")))
		r.set("region", &r.Region, in.Getenv(known.Variable("region")), inEnvironment(known.Variable("region")))
	}
	for _, s := range r.settings() {
		if variable := variableOf(s.Key); variable != "" {
			text := in.Getenv(variable)
			switch {
			case variable == SMTPURLVariable:
				text = withoutPassword(text)
			case variable == DatabaseVariable && text != "":
				text = postgres.Mask(text)
			}
			r.set(s.Key, s.At.(*string), text, inEnvironment(variable))
		}
	}
	if found, err := secretOf(in.Getenv, SMTPPasswordVariable); err == nil && found.isSet() { // whoever needs it tells what is wrong
		r.SMTPPassword = found.place(in.Getenv)
		r.set("smtp-password", new(string), r.SMTPPassword.String(), found.source())
	}
	r.set("output", &r.Output, in.Output, fromFlag("output"))
	r.set("api-url", &r.APIURL, in.Getenv(APIURLVariable), inEnvironment(APIURLVariable))
	r.set("api-url", &r.APIURL, in.APIURL, fromFlag("api-url"))
	if r.APIURL == "" {
		r.Values = append(r.Values, Value{"api-url", "", "default"})
		return nil
	}
	source := r.Values[r.index("api-url")].Source
	origin, err := ParseAPIURL(r.APIURL)
	if err != nil {
		return &problem.Error{Kind: problem.ErrInvalid, Text: source + ": " + err.Error(), Advice: problem.AdviceOf(err)}
	}
	r.set("api-url", &r.APIURL, origin.String(), source)
	return nil
}

// set gives a setting another value, when there is one.
func (r *Resolved) set(key string, at *string, text, source string) {
	if text = strings.TrimSpace(text); text == "" {
		return
	}
	*at = text
	if i := r.index(key); i >= 0 {
		r.Values[i] = Value{key, text, source}
		return
	}
	r.Values = append(r.Values, Value{key, text, source})
}

func (r *Resolved) index(key string) int {
	return slices.IndexFunc(r.Values, func(v Value) bool { return v.Key == key })
}

// origin says where the account came from.
func (r *Resolved) origin() string {
	if i := r.index("account"); i >= 0 {
		return r.Values[i].Source
	}
	return r.Values[0].Source
}

// sort puts the values in the order of the settings.
func (r *Resolved) sort() {
	order := append([]string{"profile"}, yamlfile.Keys(settings(&r.Profile))...)
	slices.SortStableFunc(r.Values, func(a, b Value) int {
		return cmp.Compare(slices.Index(order, a.Key), slices.Index(order, b.Key))
	})
}

// base is the last element of a path of this or another system.
func base(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// fromFlag is the source of what a flag says.
func fromFlag(name string) string { return "flag " + problem.Field(name).String() }
