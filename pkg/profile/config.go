package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"go.yaml.in/yaml/v3"
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

// Path is where the config file is: FAXCTL_CONFIG, or faxctl/config.yaml under
// XDG_CONFIG_HOME, under %AppData% on Windows, or under ~/.config elsewhere,
// macOS included. Relative XDG_CONFIG_HOMEs do not count.
// Source: the XDG Base Directory Specification 0.8, "Environment variables".
func Path(getenv func(string) string) (string, error) {
	if p := getenv("FAXCTL_CONFIG"); p != "" {
		return p, nil
	}
	dir := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		var err error
		if dir, err = configHome(getenv, runtime.GOOS); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "faxctl", "config.yaml"), nil
}

func configHome(getenv func(string) string, system string) (string, error) {
	home := "HOME"
	if system == "windows" {
		home = "AppData"
	}
	dir := getenv(home)
	switch {
	case dir == "":
		return "", &Error{Kind: ErrInvalid, Text: "no place for the config file: " + home + " is not set",
			Next: "set FAXCTL_CONFIG to the path of a config file"}
	case system == "windows":
		return dir, nil
	}
	return filepath.Join(dir, ".config"), nil
}

// Load reads the config file. A file that is not there is an empty config.
// Errors: ErrPermission when others can read it or we cannot, ErrInvalid for
// everything wrong in it, each with its line.
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
	var e *Error
	if errors.As(err, &e) {
		e.Text = "config file " + e.Text
	}
	return text, err
}

// readPrivate reads a regular file that only its owner can read. Errors:
// ErrPermission, ErrInvalid, fs.ErrNotExist.
func readPrivate(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil, &Error{Kind: ErrPermission, Text: path + " cannot be read", Cause: reason(err),
			Next: "run chmod 600 " + path + " as its owner"}
	case err != nil:
		return nil, &Error{Kind: ErrInvalid, Text: path + " cannot be read", Cause: reason(err)}
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, &Error{Kind: ErrInvalid, Text: path + " cannot be read", Cause: reason(err)}
	case info.IsDir():
		return nil, &Error{Kind: ErrInvalid, Text: path + " is a directory, not a file"}
	case !private(info.Mode()):
		return nil, &Error{Kind: ErrPermission,
			Text: fmt.Sprintf("%s can be read or written by others (mode %04o)", path, info.Mode().Perm()),
			Next: "run chmod 600 " + path}
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, &Error{Kind: ErrInvalid, Text: path + " cannot be read", Cause: reason(err)}
	case int64(len(text)) > most:
		return nil, &Error{Kind: ErrInvalid, Text: fmt.Sprintf("%s is longer than %d bytes", path, most)}
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
	doc, err := document(path, text)
	if err != nil {
		return Config{}, nil, err
	}
	r := reader{path: path}
	r.mapping(doc.Content[0], "the file", func(key string, k, v *yaml.Node) {
		switch key {
		case "current":
			r.value(key, v, &c.Current)
		case "profiles":
			r.mapping(v, key, func(name string, k, v *yaml.Node) { c.Profiles[name] = r.profile(name, k, v) })
		default:
			r.problem(k, "unknown key "+quote(key)+suggest(key, []string{"current", "profiles"}), "the keys are current and profiles")
		}
	})
	if len(r.lines) > 0 {
		return Config{}, nil, &Error{Kind: ErrInvalid, Text: strings.Join(r.lines, "\n"), Next: r.next}
	}
	return c, doc, nil
}

// document is the tree of the text: one document holding one mapping.
func document(path string, text []byte) (*yaml.Node, error) {
	bad := func(why error, what string) (*yaml.Node, error) {
		return nil, &Error{Kind: ErrInvalid, Text: path + what, Cause: why, Next: "correct the file by hand"}
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		// Nothing but comments, which a tree without content cannot keep.
		return &yaml.Node{Kind: yaml.DocumentNode, HeadComment: strings.TrimSpace(string(text)),
			Content: []*yaml.Node{{Kind: yaml.MappingNode, Tag: "!!map"}}}, nil
	case err != nil:
		return bad(errors.New(clean(err.Error())), " is not YAML")
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return bad(nil, " holds more than one YAML document")
	}
	if top := doc.Content[0]; top.ShortTag() == "!!null" {
		*top = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", HeadComment: top.HeadComment, FootComment: top.FootComment}
	}
	return &doc, nil
}

// reader collects what is wrong with the tree, line by line.
type reader struct {
	path  string
	lines []string
	next  string // the first piece of advice
}

func (r *reader) problem(n *yaml.Node, text, next string) {
	r.lines = append(r.lines, fmt.Sprintf("%s:%d: %s", r.path, n.Line, text))
	if r.next == "" {
		r.next = next
	}
}

// mapping calls each for every key of n, once for a key that is there twice.
func (r *reader) mapping(n *yaml.Node, what string, each func(key string, k, v *yaml.Node)) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch {
	case n.ShortTag() == "!!null":
		return
	case n.Kind != yaml.MappingNode:
		r.problem(n, what+" is not a mapping of keys to values", "")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if line, twice := seen[k.Value]; twice {
			r.problem(k, fmt.Sprintf("key %s is there already, in line %d", quote(k.Value), line), "")
			continue
		}
		seen[k.Value] = k.Line
		each(k.Value, k, v)
	}
}

// profile reads one profile; problems of a setting are told with its line.
func (r *reader) profile(name string, k, v *yaml.Node) Profile {
	p := Profile{Name: name}
	if err := CheckName(name); err != nil {
		r.problem(k, err.Error(), hintOf(err))
	}
	known := settings(&p)
	at := map[string]*yaml.Node{}
	before := len(r.lines)
	r.mapping(v, "profile "+quote(name), func(key string, k, v *yaml.Node) {
		at[key] = k
		for _, s := range known {
			if s.key == key {
				r.value(key, v, s.at)
				return
			}
		}
		words := keys(known)
		r.problem(k, "unknown key "+quote(key)+suggest(key, words), "the keys of a profile are "+strings.Join(words, ", "))
	})
	if len(r.lines) > before {
		return p // what is missing may be what is misspelt
	}
	for _, pr := range p.problems() {
		n := at[pr.key]
		if n == nil {
			n = k
		}
		r.problem(n, "profile "+name+": "+pr.key+": "+pr.text, pr.next)
	}
	if space, err := NormalizeSpace(p.Space); err == nil {
		p.Space = space
	}
	return p
}

// value reads a node into what at points to.
func (r *reader) value(key string, n *yaml.Node, at any) {
	err := n.Decode(at)
	if err == nil {
		return
	}
	var e *Error
	if errors.As(err, &e) {
		r.problem(n, key+": "+e.Text, e.Next)
		return
	}
	want := "text"
	if _, flag := at.(*bool); flag {
		want = "true or false"
	}
	r.problem(n, key+": want "+want, "")
}

// setting is one key of a profile and where its value is.
type setting struct {
	key string
	at  any // *string, *Provider, *Reference or *bool
}

// settings are those of p, in the order they are written and shown.
func settings(p *Profile) []setting {
	return []setting{
		{"provider", &p.Provider}, {"account", &p.AccountID}, {"api-key", &p.APIKey}, {"space", &p.Space},
		{"edge", &p.Edge}, {"region", &p.Region}, {"secret", &p.Secret}, {"signing-key", &p.SigningKey},
		{"api-url", &p.APIURL}, {"read-only", &p.ReadOnly},
	}
}

func keys(all []setting) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = s.key
	}
	return out
}

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}
