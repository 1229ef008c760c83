package profile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

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
			Advice: problem.Say("set FAXCTL_CONFIG to the path of a config file")}
	}
	return filepath.Join(dir, "faxctl", "config.yaml"), nil
}

// Load reads the config file. A file that is not there is an empty config.
// Errors: ErrPermission when others can read it or we cannot, problem.ErrInvalid for
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
	text, err := readPrivate(path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var e *problem.Error
	if errors.As(err, &e) {
		e.Text = "config file " + e.Text
	}
	return text, err
}

// readPrivate reads a regular file that only its owner can read. Errors:
// ErrPermission, problem.ErrInvalid, fs.ErrNotExist.
func readPrivate(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return nil, &problem.Error{Kind: ErrPermission, Text: path + " cannot be read", Cause: reason(err),
			Advice: problem.Say("run chmod 600 " + path + " as its owner")}
	}
	if err != nil {
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: path + " cannot be read", Cause: reason(err)}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: path + " cannot be read", Cause: reason(err)}
	case info.IsDir():
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: path + " is a directory, not a file"}
	case !private(info.Mode()):
		return nil, &problem.Error{Kind: ErrPermission,
			Text:   fmt.Sprintf("%s can be read or written by others (mode %04o)", path, info.Mode().Perm()),
			Advice: problem.Say("run chmod 600 " + path)}
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: path + " cannot be read", Cause: reason(err)}
	}
	if int64(len(text)) > most {
		return nil, &problem.Error{Kind: problem.ErrInvalid, Text: fmt.Sprintf("%s is longer than %d bytes", path, most)}
	}
	return text, nil
}

// reason is what the system said without the path, which our text has.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
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
	p.Secret, p.SigningKey = p.Secret.In(dir), p.SigningKey.In(dir)
	p.in(dir)
	return p
}

// settings are those of p, in the order they are written and shown.
func settings(p *Profile) []yamlfile.Field {
	return append([]yamlfile.Field{
		{Key: "provider", At: &p.Provider}, {Key: "account", At: &p.AccountID}, {Key: "api-key", At: &p.APIKey},
		{Key: "parent", At: &p.Parent},
		{Key: "space", At: &p.Space}, {Key: "edge", At: &p.Edge}, {Key: "region", At: &p.Region},
		{Key: "secret", At: &p.Secret}, {Key: "signing-key", At: &p.SigningKey},
		{Key: "api-url", At: &p.APIURL}, {Key: "read-only", At: &p.ReadOnly},
	}, p.settings()...)
}
