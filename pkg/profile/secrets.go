package profile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/base/text"
)

const (
	keyringLimit = 3 * time.Second  // a keyring that waits for a person who is not there
	commandLimit = 10 * time.Second // a password manager may ask the network
	fileLimit    = 10 * time.Second // a pipe waits for who writes to it
	maxSecret    = 64 << 10         // bytes read from a file or a program
)

// Secrets fetches secrets from where references say, when a call needs them,
// and keeps those of the keyring.
type Secrets struct {
	Getenv  func(string) string // os.Getenv
	Keyring KeyringFuncs        // [SystemKeyring], or a test's own
}

// Secret is the secret of the account or API key of p. It may ask the keyring
// or run a program: call it when a request is about to be made, and keep the
// answer. Errors: ErrSecret, problem.ErrNotFound, ErrPermission, or the context's.
func (s Secrets) Secret(ctx context.Context, p Profile) (Secret, error) {
	return s.lookup(ctx, p, p.Secret, p.keyringUser())
}

// SigningKey is what the provider signs callbacks to p with: its signing-key,
// or the auth token where that is the secret. Errors: problem.ErrNotFound when the
// profile does not say, and those of [Secrets.Secret].
func (s Secrets) SigningKey(ctx context.Context, p Profile) (Secret, error) {
	switch {
	case !p.SigningKey.IsZero():
		return s.lookup(ctx, p, p.SigningKey, p.signingUser())
	case p.Provider == Twilio && p.APIKey == "" && p.Parent == "":
		return s.Secret(ctx, p)
	case p.Provider == Twilio && p.APIKey == "":
		return Secret{}, &problem.Error{Kind: problem.ErrNotFound, Text: "callbacks of a subaccount are signed with its own auth token, and the secret is that of its parent",
			Advice: problem.Say(s.whereSigningKey(p))}
	case p.Provider == Twilio:
		return Secret{}, &problem.Error{Kind: problem.ErrNotFound, Text: "callbacks are signed with the auth token, and this account is used with an API key",
			Advice: problem.Say(s.whereSigningKey(p))}
	}
	return Secret{}, &problem.Error{Kind: problem.ErrNotFound, Text: "callbacks are signed with the project's signing key, and nothing says where it is kept",
		Advice: problem.Say(s.whereSigningKey(p) + "; the key is on the API page of the space")}
}

// SMTPPassword is the password of the user of the mail server: of the variable, or where p
// says; the zero Secret when neither does. Errors: those of [Secrets.Secret] and
// [Secrets.Named].
func (s Secrets) SMTPPassword(ctx context.Context, p Profile) (Secret, error) {
	password, err := s.Named(ctx, SMTPPasswordVariable)
	if err != nil || !password.IsZero() || p.SMTPPassword.IsZero() {
		return password, err
	}
	return s.lookup(ctx, p, p.SMTPPassword, "")
}

// whereSigningKey says how to name the signing key: a profile does not take it
// from the variables that an account of the environment has.
func (s Secrets) whereSigningKey(p Profile) string {
	variable := p.Info().Variable("signing-key")
	if p.Name == "" {
		return "set " + variable + ", or " + FileVariable(variable)
	}
	path, err := Path(s.Getenv)
	if err != nil {
		path = "the config file"
	}
	return "say in " + path + " where the key of profile " + p.Name + " is kept, as in signing-key: env:" + variable
}

func (s Secrets) lookup(ctx context.Context, p Profile, r Reference, user string) (Secret, error) {
	switch r.Kind {
	case InKeyring:
		text, err := s.Keyring.get(ctx, user)
		if errors.Is(err, problem.ErrNotFound) {
			return Secret{}, &problem.Error{Kind: problem.ErrNotFound, Text: "the keyring has no secret for profile " + p.Name, Advice: saveAnew(p)}
		}
		if err != nil {
			return Secret{}, err
		}
		return usable(given{"the keyring", text, ErrSecret, saveAnew(p).String()})
	case InEnv:
		return s.inEnvironment(ctx, r.Value)
	case InFile:
		return s.fromFile(ctx, r)
	case InCommand:
		return fromCommand(ctx, commandLimit, r.Argv)
	case BuiltIn:
		return Secret{}, &problem.Error{Kind: ErrSecret, Text: "the secret of profile " + p.Name + " is its sandbox's own"}
	}
	return Secret{}, &problem.Error{Kind: problem.ErrInvalid, Text: "the profile does not say where the secret is kept",
		Advice: problem.Say("add secret to the profile: keyring, env:NAME, file:PATH or command:PROGRAM ARGUMENTS")}
}

// saveAnew is what to do about a keyring that does not have what it should.
func saveAnew(p Profile) problem.Advice {
	return problem.Say("save it anew: %s, then %s", problem.Command("profile", "remove").Arg(p.Name), problem.Command("profile", "add").Arg(p.Name))
}

// Named is the secret of a variable, or of the file that its NAME_FILE names; the zero
// Secret when neither is set. Errors: ErrSecret, ErrPermission, problem.ErrInvalid, the
// context's.
func (s Secrets) Named(ctx context.Context, name string) (Secret, error) {
	if s.Getenv(name) == "" && s.Getenv(name+inAFile) == "" {
		return Secret{}, nil
	}
	return s.inEnvironment(ctx, name)
}

func (s Secrets) inEnvironment(ctx context.Context, name string) (Secret, error) {
	found, err := secretOf(s.Getenv, name)
	switch text := s.Getenv(name); {
	case err != nil:
		return Secret{}, err
	case found.isSet() && found.name != name:
		return s.fromFile(ctx, found.place(s.Getenv))
	case text == "":
		return Secret{}, &problem.Error{Kind: ErrSecret, Text: "environment variable " + name + " is not set, and the secret is kept there",
			Advice: problem.Say("set " + name + ", or " + name + inAFile + " to the path of a file that has it in it")}
	default:
		return usable(given{"env:" + name, strings.TrimRight(text, "\r\n"), problem.ErrInvalid, "set " + name + " to " + alone})
	}
}

// alone is all that the place of a secret has in it.
const alone = "the secret alone, as one line"

func (s Secrets) fromFile(ctx context.Context, r Reference) (Secret, error) {
	if r.Variable != "" {
		return Secret{}, &problem.Error{Kind: ErrSecret, Text: "the secret is in the file that " + r.Variable + " names, which is not there",
			Advice: problem.Say(r.Variable + " is the path of a file that has the secret in it; the secret itself goes into " + strings.TrimSuffix(r.Variable, inAFile))}
	}
	path, err := atHome(r.Value, s.Getenv)
	if err != nil {
		return Secret{}, err
	}
	content, err := readGuarded(ctx, path, maxSecret, hidden(path, s.Getenv))
	var e *problem.Error
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Secret{}, &problem.Error{Kind: ErrSecret, Text: "the secret is in " + path + ", which is not there", Advice: problem.Say("write the secret to that file with mode 0600")}
	case errors.As(err, &e):
		e.Text = "secret file " + e.Text
		if e.Advice.Empty() {
			e.Advice = problem.Say("name a file that has in it " + alone)
		}
		return Secret{}, err
	case err != nil:
		return Secret{}, err
	}
	return usable(given{"file:" + path, strings.TrimSuffix(strings.TrimSuffix(text.PlainBytes(content), "\n"), "\r"), problem.ErrInvalid,
		"write to that file " + alone})
}

// atHome is a path with the home in the place of its ~. Errors: ErrSecret.
func atHome(path string, getenv func(string) string) (string, error) {
	rest, ok := underHome(path)
	if !ok {
		return path, nil
	}
	home := homeOf(getenv)
	if home == "" {
		return "", &problem.Error{Kind: ErrSecret, Text: "the secret is in a file under ~, and HOME is not set", Advice: problem.Say("set HOME, or write the whole path")}
	}
	return filepath.Join(home, rest), nil
}

// fromCommand runs a program without a shell, and without our standard input,
// which may be somebody's data.
func fromCommand(ctx context.Context, limit time.Duration, argv []string) (Secret, error) {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, talk := capped{most: maxSecret}, capped{most: maxSecret}
	cmd := exec.CommandContext(bounded, argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = &out, &talk
	cmd.WaitDelay = time.Second // for children that keep the pipes open
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return Secret{}, ctx.Err()
	case bounded.Err() != nil:
		return Secret{}, &problem.Error{Kind: ErrSecret, Text: "the command for the secret, " + text.Quote(argv[0]) + ", did not finish within " + limit.String(),
			Advice: problem.Say("run it by hand; it must not ask questions")}
	case err != nil:
		e := &problem.Error{Kind: ErrSecret, Text: "the command for the secret, " + text.Quote(argv[0]) + ", did not work", Cause: err,
			Advice: problem.Say("run it by hand to see what it says")}
		if said := clean(talk.String()); said != "" {
			e.Cause = errors.New(said + " (" + err.Error() + ")")
		}
		return Secret{}, e
	}
	line, _, _ := strings.Cut(text.PlainBytes(out.Bytes()), "\n")
	return usable(given{"the output of " + text.Quote(argv[0]), strings.TrimSuffix(line, "\r"), ErrSecret, "run it by hand: its first line must be " + alone})
}

// capped keeps the first bytes and swallows the rest.
type capped struct {
	bytes.Buffer
	most int
}

// Write never fails.
func (c *capped) Write(p []byte) (int, error) {
	_, _ = c.Buffer.Write(p[:min(len(p), max(0, c.most-c.Len()))])
	return len(p), nil
}
