package webhook

import (
	"net/url"
	"strconv"
	"time"
)

// ParseEvent reads what a provider tells out of the parameters of a request: what
// [Dialect.Form] wrote, of any dialect. Text is as it came, to be checked by whoever
// uses it; a number or a time that cannot be read is left out.
// Sources: as of [Dialect.Form].
func ParseEvent(form url.Values) Event {
	e := Event{
		FaxID: form.Get("FaxSid"), AccountID: form.Get("AccountSid"), From: form.Get("From"), To: form.Get("To"),
		Status: form.Get("FaxStatus"), Station: form.Get("RemoteStationId"),
		MediaID: form.Get("MediaSid"), MediaURL: form.Get("MediaUrl"), ErrorMessage: form.Get("ErrorMessage"),
	}
	if code := form.Get("ErrorCode"); code != "0" { // of a fax that did not fail
		e.ErrorCode = code
	}
	if n, err := strconv.Atoi(form.Get("NumPages")); err == nil && n >= 0 {
		e.Pages = &n
	}
	if at, err := time.Parse(time.RFC3339, form.Get("Timestamp")); err == nil {
		e.Time = at
	}
	return e
}
