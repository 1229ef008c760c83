package profile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// Reference says where a secret is kept; it is not the secret.
//
//	keyring             the keyring of the system, under the profile's name
//	env:NAME            an environment variable
//	file:PATH           a file that only its owner can read; ~ is the home
//	command:ARGV...     the first line a program prints; no shell
//
// In YAML a command may also be a list, for arguments with spaces in them:
// [command, op, read, "op://Private/fax line/token"].
// A path, and a program written with a slash, may be relative; see
// [Reference.In].
// The zero Reference is no place at all.
type Reference struct {
	Kind  Place
	Value string   // the variable or the path
	Argv  []string // the program and its arguments

	// Variable is NAME_FILE where it names no file: what is in it may be the secret
	// itself, and is not kept. "": the path is Value.
	Variable string
}

// Place is a kind of place for secrets.
type Place string

// The places a profile can name, and that of the built-in profiles.
const (
	InKeyring Place = "keyring"
	InEnv     Place = "env"
	InFile    Place = "file"
	InCommand Place = "command"
	BuiltIn   Place = "built-in"
)

// Keyring is the reference to the system's keyring.
func Keyring() Reference { return Reference{Kind: InKeyring} }

// Env is the reference to an environment variable.
func Env(name string) Reference { return Reference{Kind: InEnv, Value: name} }

// ParseReference reads the forms listed at [Reference]. The error (problem.ErrInvalid)
// does not repeat the text: people paste the secret itself here.
func ParseReference(s string) (Reference, error) {
	kind, rest, _ := strings.Cut(strings.TrimSpace(s), ":")
	rest = strings.TrimSpace(rest)
	switch Place(kind) {
	case InKeyring:
		if rest == "" {
			return Keyring(), nil
		}
	case InEnv:
		if rest != "" && !strings.ContainsAny(rest, "= \t") {
			return Env(rest), nil
		}
	case InFile:
		if rest != "" {
			return Reference{Kind: InFile, Value: rest}, nil
		}
	case InCommand:
		argv, err := SplitArgv(rest)
		if err != nil {
			return Reference{}, badReference(err.Error())
		}
		if len(argv) > 0 {
			return Reference{Kind: InCommand, Argv: argv}, nil
		}
	}
	return Reference{}, badReference("it must say where the secret is kept, not what it is")
}

func badReference(text string) error {
	return &problem.Error{Kind: problem.ErrInvalid, Text: text, Advice: problem.Say("write keyring, env:NAME, file:PATH or command:PROGRAM ARGUMENTS")}
}

// In is the reference with what is relative in it taken from dir: the path of a
// file, and a program written with a slash, as in ./gettok. Arguments are the
// program's own.
func (r Reference) In(dir string) Reference {
	from := func(path string) string {
		if filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	if _, home := underHome(r.Value); r.Kind == InFile && !home {
		r.Value = from(r.Value)
	} else if r.Kind == InCommand && strings.ContainsFunc(r.Argv[0], isSlash) {
		r.Argv = slices.Clone(r.Argv)
		r.Argv[0] = from(r.Argv[0])
	}
	return r
}

// underHome is what follows the ~ of a path.
func underHome(path string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, "~")
	return rest, ok && (rest == "" || os.IsPathSeparator(rest[0]))
}

func isSlash(r rune) bool { return r == '/' || r == filepath.Separator }

// IsZero reports whether there is no reference.
func (r Reference) IsZero() bool { return r.Kind == "" }

// String is the form that [ParseReference] reads.
func (r Reference) String() string {
	switch r.Kind {
	case InEnv, InFile:
		if r.Variable != "" {
			return string(r.Kind) + ":$" + r.Variable
		}
		return string(r.Kind) + ":" + r.Value
	case InCommand:
		return "command:" + joinArgv(r.Argv)
	default:
		return string(r.Kind)
	}
}

// MarshalText is String.
func (r Reference) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalYAML reads a scalar, or a list that begins with "command".
func (r *Reference) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		var words []string
		if err := n.Decode(&words); err != nil || len(words) < 2 || words[0] != string(InCommand) {
			return badReference("a list must be [command, PROGRAM, ARGUMENTS]")
		}
		*r = Reference{Kind: InCommand, Argv: words[1:]}
		return nil
	}
	var s string
	if err := n.Decode(&s); err != nil {
		return badReference("it must say where the secret is kept")
	}
	if n.ShortTag() == "!!null" {
		return nil
	}
	ref, err := ParseReference(s)
	*r = ref
	return err
}

// SplitArgv cuts a command line into its words at blanks. Single and double quotes keep
// blanks; a backslash keeps the next quote, blank or backslash, and is itself
// elsewhere, so that Windows paths work. Nothing is expanded.
func SplitArgv(line string) ([]string, error) {
	const special = " \t\"'\\"
	var words []string
	var word strings.Builder
	open, started := byte(0), false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && open != '\'' && i+1 < len(line) && strings.IndexByte(special, line[i+1]) >= 0:
			i++
			word.WriteByte(line[i])
			started = true
		case open != 0 && c == open:
			open = 0
		case open == 0 && (c == '"' || c == '\''):
			open, started = c, true
		case open == 0 && (c == ' ' || c == '\t'):
			if started {
				words = append(words, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteByte(c)
			started = true
		}
	}
	if open != 0 {
		return nil, errors.New("a quote in the command is not closed")
	}
	if started {
		words = append(words, word.String())
	}
	return words, nil
}

// joinArgv writes words so that SplitArgv reads them back.
func joinArgv(argv []string) string {
	words := slices.Clone(argv)
	for i, w := range words {
		if w == "" || strings.ContainsAny(w, `"'\`) || strings.ContainsFunc(w, unicode.IsSpace) {
			words[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(w) + `"`
		}
	}
	return strings.Join(words, " ")
}
