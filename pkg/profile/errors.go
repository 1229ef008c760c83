package profile

import "errors"

// The kinds of error of this package. Compare with [errors.Is].
var (
	ErrNone       = errors.New("no credentials")      // nothing says which account to use
	ErrAmbiguous  = errors.New("ambiguous")           // the environment names two accounts
	ErrInvalid    = errors.New("invalid")             // a profile, the config file or a variable is wrong
	ErrNotFound   = errors.New("not found")           // no profile of that name, no secret in the keyring
	ErrConflict   = errors.New("already there")       // a profile of that name exists
	ErrPermission = errors.New("not private")         // a file that others can read, or that we cannot
	ErrSecret     = errors.New("no secret to be had") // the place of the secret did not give one
)

// Error is a mistake in what names the account or its secret. It never holds a
// secret. Hint is for people; errors.As to interface{ Hint() string } finds it.
type Error struct {
	Kind  error  // one of the kinds above
	Text  string // what is wrong, one line for each problem
	Next  string // what to do about it, naming a command; may be empty
	Cause error  // what the system said; may be nil
}

// Error is the text, and the cause behind it.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Text + ": " + e.Cause.Error()
	}
	return e.Text
}

// Hint says what to do next, or "".
func (e *Error) Hint() string { return e.Next }

// Unwrap is the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}
