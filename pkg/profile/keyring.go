package profile

import (
	"context"
	"errors"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// service is the name our secrets have in the system's keyring.
const service = "faxctl"

// KeyringFuncs is a keyring: three functions of a service and a user. Get and
// Delete answer problem.ErrNotFound when there is no such secret. They may block; the
// methods of [Secrets] wait 3 s at most.
type KeyringFuncs struct {
	Get    func(service, user string) (string, error)
	Set    func(service, user, secret string) error
	Delete func(service, user string) error
}

// SystemKeyring is the macOS Keychain, the Windows Credential Manager or the
// Secret Service of the desktop.
func SystemKeyring() KeyringFuncs {
	kind := func(err error) error {
		if errors.Is(err, keyring.ErrNotFound) {
			return problem.ErrNotFound
		}
		return err
	}
	return KeyringFuncs{
		Get: func(service, user string) (string, error) {
			text, err := keyring.Get(service, user)
			return text, kind(err)
		},
		Set:    keyring.Set,
		Delete: func(service, user string) error { return kind(keyring.Delete(service, user)) },
	}
}

// keyringUser is what the keyring knows the secret of p by. The user name is
// part of it, so that a secret is never sent with another account's name.
func (p Profile) keyringUser() string { return p.Name + " " + p.Username() }

// signingUser is the same for the key that signs callbacks.
func (p Profile) signingUser() string { return p.keyringUser() + " signing-key" }

// Store keeps secret in the keyring as the one of p. There is no other place it
// goes to when the keyring cannot. Errors: ErrSecret, or the context's.
func (s Secrets) Store(ctx context.Context, p Profile, secret Secret) error {
	return s.Keyring.set(ctx, p.keyringUser(), secret)
}

// StoreSigningKey keeps the key of p's callbacks in the keyring. Errors: as for
// [Secrets.Store].
func (s Secrets) StoreSigningKey(ctx context.Context, p Profile, key Secret) error {
	return s.Keyring.set(ctx, p.signingUser(), key)
}

// Delete forgets what the keyring keeps for p. A secret that is not there is
// deleted. Errors: ErrSecret, or the context's.
func (s Secrets) Delete(ctx context.Context, p Profile) error {
	var errs []error
	for _, kept := range []struct {
		user  string
		where Reference
	}{{p.keyringUser(), p.Secret}, {p.signingUser(), p.SigningKey}} {
		if kept.where.Kind != InKeyring {
			continue
		}
		_, err := limited(ctx, func() (string, error) { return "", s.Keyring.Delete(service, kept.user) })
		if !errors.Is(err, problem.ErrNotFound) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (k KeyringFuncs) get(ctx context.Context, user string) (string, error) {
	return limited(ctx, func() (string, error) { return k.Get(service, user) })
}

func (k KeyringFuncs) set(ctx context.Context, user string, secret Secret) error {
	if _, err := usable(given{"the answer", secret.Reveal(), ErrSecret, "give " + alone}); err != nil {
		return err
	}
	_, err := limited(ctx, func() (string, error) { return "", k.Set(service, user, secret.Reveal()) })
	return err
}

// limited asks the keyring and gives up on it when it takes too long: without
// a desktop it waits for a question nobody sees.
func limited(ctx context.Context, ask func() (string, error)) (string, error) {
	const next = "keep the secret elsewhere: env:NAME, file:PATH or command:PROGRAM ARGUMENTS"
	text, err := patiently(ctx, keyringLimit, ask)
	switch {
	case err == nil, errors.Is(err, problem.ErrNotFound), ctx.Err() != nil:
		return text, err
	case errors.Is(err, errLate):
		return "", &problem.Error{Kind: ErrSecret, Advice: problem.Say(next),
			Text: "the keyring did not answer within " + keyringLimit.String() + "; it may be locked, or there is no desktop to unlock it"}
	}
	return "", &problem.Error{Kind: ErrSecret, Text: "the keyring of this system cannot be used", Cause: errors.New(clean(err.Error())), Advice: problem.Say(next)}
}

// errLate is what was waited for, and did not come in time.
var errLate = errors.New("too late")

// patiently is what ask answers, where that comes within the limit. A call that waits for
// others, as for a question nobody sees or a pipe nobody writes to, cannot be ended; it is
// left behind and its answer dropped. Errors: errLate, the context's, and those of ask.
func patiently[T any](ctx context.Context, limit time.Duration, ask func() (T, error)) (T, error) {
	type answer struct {
		given T
		err   error
	}
	done := make(chan answer, 1)
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	go func() {
		given, err := ask()
		done <- answer{given, err}
	}()
	select {
	case a := <-done:
		return a.given, a.err
	case <-waiting.Done():
		var none T
		if err := ctx.Err(); err != nil {
			return none, err
		}
		return none, errLate
	}
}
