package webhook

import (
	"fmt"
	"net/url"

	"github.com/faxctl/faxctl/pkg/base/problem"
)

// CheckURL refuses what is not an absolute web address, or has parts that mean
// nothing where callbacks come from or go to. what names it in the error, which is
// fax.ErrInvalid.
func CheckURL(what, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return nil, problem.With(fmt.Errorf("%w: %s is missing", problem.ErrInvalid, what), problem.Say("as in https://fax.example.com"))
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, problem.With(fmt.Errorf("%w: %s %q is no web address", problem.ErrInvalid, what, raw), problem.Say("as in https://fax.example.com"))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%w: %s has a user, a query or a fragment", problem.ErrInvalid, what)
	}
	return u, nil
}
