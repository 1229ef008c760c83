package twilio

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// clock is the provider's, as the header of an answer shows it: a list of what it
// dates, which every credential that may list them may read.
type clock struct {
	*account
	address, list string
}

// Now asks for the shortest such list, and takes the Date of the answer. A gateway's page and another
// server's JSON are not believed, and of an answer with an Age, which came out of
// a cache, nobody knows when it was made.
// Source: RFC 9110, 6.6.1 (Date); RFC 9111, 5.1 (Age).
func (a clock) Now(ctx context.Context) (time.Time, error) {
	c := &call{ctx: ctx, account: a.account, fresh: true}
	defer c.done()
	res, err := c.SendRequest(http.MethodGet, a.address, url.Values{"PageSize": {"1"}}, nil)
	if err != nil {
		if a.address == a.dialect.faxes {
			err = faxes{a.account}.ended(err)
		}
		return time.Time{}, err
	}
	_ = res.Body.Close()
	var answer map[string]json.RawMessage
	if err := c.decode(&answer); err != nil {
		return time.Time{}, err
	}
	var list *records
	if err := json.Unmarshal(answer[a.list], &list); err != nil || list == nil {
		return time.Time{}, notRecord(noList())
	}
	at, err := http.ParseTime(c.header.Get("Date"))
	if _, cached := c.header["Age"]; err != nil || cached {
		return time.Time{}, nil
	}
	return at.UTC(), nil
}
