package profile

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/base/durable"
	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/base/yamlfile"
)

// maxConfig is more than anybody writes by hand, in bytes.
const maxConfig = 1 << 20

// Config is the config file: the profiles, and the one in use.
type Config struct {
	Path     string // where it is, or would be
	Current  string // "" when none is in use
	Profiles map[string]Profile
}

// Names lists the profiles of the file, sorted.
func (c Config) Names() []string { return names(c.Profiles) }

// Find is the profile called name, built in or of the file. Errors: problem.ErrNotFound.
func (c Config) Find(name string) (Profile, error) {
	if p, ok := BuiltIns()[name]; ok {
		return p, nil
	}
	if p, ok := c.Profiles[name]; ok {
		return p, nil
	}
	all := append(c.Names(), names(BuiltIns())...)
	return Profile{}, &problem.Error{Kind: problem.ErrNotFound, Text: "no profile " + text.Quote(name) + yamlfile.Suggest(name, all),
		Advice: problem.Say("list them with %s, or add it: %s", problem.Command("profile", "list"), problem.Command("profile", "add"))}
}

// Path is where the config file is: FAXCTL_CONFIG, or faxctl/config.yaml in the place
// for such files. Errors: problem.ErrInvalid.
func Path(getenv func(string) string) (string, error) {
	if p := getenv(ConfigVariable); p != "" {
		return p, nil
	}
	dir, err := durable.ConfigHome(getenv)
	if err != nil {
		return "", &problem.Error{Kind: problem.ErrInvalid, Text: "no place for the config file: " + err.Error(),
			Advice: problem.Say("set " + ConfigVariable + " to the path of a config file")}
	}
	return filepath.Join(dir, "faxctl", "config.yaml"), nil
}

// LoadFrom reads the config file that [Path] names. Where there is no place for one, or
// the place is below what is no folder, as with a home of /dev/null, it is empty.
// Errors: as for [Load].
func LoadFrom(getenv func(string) string) (Config, error) {
	path, err := Path(getenv)
	if err != nil {
		return Config{}, nil //nolint:nilerr // a place is for who writes to it, or asks for what would be in it
	}
	c, err := Load(path)
	if errors.Is(err, syscall.ENOTDIR) && getenv(ConfigVariable) == "" {
		return Config{}, nil
	}
	return c, err
}

// Load reads the config file. A file that is not there is an empty config.
// Errors: ErrPermission when others can write to it or we cannot read it, problem.ErrInvalid for
// everything wrong in it, each with its line. Relative places of secrets are
// taken from the file's folder.
func Load(path string) (Config, error) {
	text, err := readConfig(path)
	if err != nil {
		return Config{}, err
	}
	c, _, err := parse(path, text)
	return c, err
}

// readConfig is the text of the file, nil when there is none.
func readConfig(path string) ([]byte, error) {
	text, err := readGuarded(context.Background(), path, maxConfig, func(fs.FileInfo) error { return nil })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var e *problem.Error
	if errors.As(err, &e) {
		e.Text = "config file " + e.Text
	}
	if errors.Is(err, syscall.ENOTDIR) {
		err = problem.With(err, inTheWay(path))
	}
	return text, err
}

// inTheWay is what to do when there can be no config file at path.
func inTheWay(path string) problem.Advice {
	return problem.Say(filepath.Dir(path) + " has to be a folder; " + ConfigVariable + " places the config file elsewhere")
}

// parse reads the text of a config file into its values and, for editing, its
// tree. All problems are reported together.
func parse(path string, text []byte) (Config, *yaml.Node, error) {
	c := Config{Path: path, Profiles: map[string]Profile{}}
	doc, err := yamlfile.Parse(path, text)
	if err != nil {
		return Config{}, nil, wrong(err)
	}
	doc.Fields(doc.Root(), "the file", []yamlfile.Field{
		{Key: "current", At: &c.Current},
		{Key: "profiles", At: func(n *yaml.Node) {
			doc.Mapping(n, "profiles", func(k, v *yaml.Node) { c.Profiles[k.Value] = readProfile(doc, k, v) })
		}},
	})
	if err := doc.Err(); err != nil {
		return Config{}, nil, wrong(err)
	}
	return c, doc.Tree, nil
}

// wrong is what is wrong with a file as an error of this package.
func wrong(err error) error {
	var e *yamlfile.Error
	if !errors.As(err, &e) {
		return err
	}
	return &problem.Error{Kind: problem.ErrInvalid, Text: e.Error(), Advice: e.NextStep()}
}

// readProfile reads one profile; problems of a setting are told with its line.
func readProfile(doc *yamlfile.Document, k, v *yaml.Node) Profile {
	p := Profile{Name: k.Value}
	if err := CheckName(p.Name); err != nil {
		doc.Problem(k, problem.AdviceOf(err), "%v", err)
	}
	before := doc.Problems()
	at := doc.Fields(v, "profile "+text.Quote(p.Name), settings(&p))
	if doc.Problems() > before {
		return p // what is missing may be what is misspelt
	}
	for _, pr := range p.problems() {
		n := at[pr.key]
		if n == nil {
			n = k
		}
		doc.Problem(n, problem.Say(pr.next), "profile %s: %s: %s", p.Name, pr.key, pr.text)
	}
	if space, err := NormalizeSpace(p.Space); err == nil {
		p.Space = space
	}
	// Wherever faxctl is run, the place is the same one.
	dir := filepath.Dir(doc.Path)
	p.Secret, p.SigningKey, p.SMTPPassword = p.Secret.In(dir), p.SigningKey.In(dir), p.SMTPPassword.In(dir)
	p.in(dir)
	return p
}

// Keys are those that a profile may have in a config file, in the order they are written.
func Keys() []string { return yamlfile.Keys(settings(&Profile{})) }

// settings are those of p, in the order they are written and shown.
func settings(p *Profile) []yamlfile.Field {
	return append([]yamlfile.Field{
		{Key: "provider", At: &p.Provider}, {Key: "account", At: &p.AccountID}, {Key: "api-key", At: &p.APIKey},
		{Key: "parent", At: &p.Parent},
		{Key: "space", At: &p.Space}, {Key: "edge", At: &p.Edge}, {Key: "region", At: &p.Region},
		{Key: "secret", At: &p.Secret}, {Key: "signing-key", At: &p.SigningKey},
		{Key: "api-url", At: &p.APIURL}, {Key: "read-only", At: &p.ReadOnly},
	}, append(p.settings(), yamlfile.Field{Key: "smtp-password", At: &p.SMTPPassword})...)
}
