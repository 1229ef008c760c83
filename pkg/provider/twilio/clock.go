package twilio

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// clock is the provider's, as the header of an answer shows it.
type clock struct{ *account }

// Now asks for the shortest list of faxes, which every credential that may list
// faxes may read, and takes the Date of the answer. A gateway's page and another
// server's JSON are not believed, and of an answer with an Age, which came out of
// a cache, nobody knows when it was made.
// Source: RFC 9110, 6.6.1 (Date); RFC 9111, 5.1 (Age).
func (a clock) Now(ctx context.Context) (time.Time, error) {
	c := &call{ctx: ctx, account: a.account, fresh: true}
	defer c.done()
	res, err := c.SendRequest(http.MethodGet, a.dialect.faxes, url.Values{"PageSize": {"1"}}, nil)
	if err != nil {
		return time.Time{}, faxes(a).ended(err)
	}
	_ = res.Body.Close()
	var list struct {
		Faxes *records `json:"faxes"`
	}
	if err := c.decode(&list); err != nil {
		return time.Time{}, err
	}
	if list.Faxes == nil {
		return time.Time{}, notRecord(noList())
	}
	at, err := http.ParseTime(c.header.Get("Date"))
	if _, cached := c.header["Age"]; err != nil || cached {
		return time.Time{}, nil
	}
	return at.UTC(), nil
}
