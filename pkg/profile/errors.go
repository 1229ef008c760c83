package profile

import (
	"errors"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// What is wrong with what names an account or its secret, where it is more than
// a kind of package problem. No error of this package holds a secret.
var (
	ErrNone       = problem.Of(problem.ErrAuth, errors.New("no credentials"))      // nothing says which account to use
	ErrAmbiguous  = problem.Of(problem.ErrInvalid, errors.New("ambiguous"))        // the environment names two accounts
	ErrPermission = problem.Of(problem.ErrInvalid, errors.New("not private"))      // a file that others can read, or that we cannot
	ErrSecret     = problem.Of(problem.ErrAuth, errors.New("no secret to be had")) // the place of the secret did not give one
)
