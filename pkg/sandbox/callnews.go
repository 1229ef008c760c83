package sandbox

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/faxctl/faxctl/pkg/sandbox/paper"
)

// tell sends the news to the action URL. SignalWire tells nobody when there is
// none, Twilio the fax URL.
func (c *Caller) tell(ctx context.Context, call *Call, n number, do instruction, from *url.URL, in Incoming) error {
	o := outgoing{purpose: "action", method: do.method, url: n.Set["VoiceUrl"]}
	if do.action != "" {
		to, err := from.Parse(do.action)
		if err != nil {
			return err
		}
		o.url = to.String()
	} else if c.box.dialect.name == SignalWire {
		return nil
	}
	row, err := c.box.state.fax(ctx, c.box.dialect.hex("FX", call.FaxID), 0)
	if err != nil {
		return err
	}
	o.form = c.news(row, in.Station)
	handed := row.NoMedia && row.Status == "received"
	if handed {
		o.method = http.MethodPost
		if o.file, err = c.upload(ctx, row, in); err != nil {
			return err
		}
	}
	_, err = c.send(ctx, o, &call.Requests)
	var t *trouble
	if err != nil && !errors.As(err, &t) {
		return err
	}
	call.Told = err == nil
	call.Lost = handed && !call.Told
	return nil
}

// upload is the document of a fax that is not stored.
func (c *Caller) upload(ctx context.Context, row faxRow, in Incoming) (*upload, error) {
	content := in.Document
	if content == nil {
		var err error
		if content, err = c.box.documentOf(ctx, row); err != nil {
			return nil, err
		}
	}
	name := row.ID + ".pdf"
	if row.ContentType == string(paper.TIFF) {
		name = row.ID + ".tiff"
	}
	return &upload{name, row.ContentType, content}, nil
}

// form has the parameters of every request about a fax.
func (c *Caller) form(f Fax) url.Values {
	return url.Values{
		"FaxSid": {f.ID}, "AccountSid": {c.box.dialect.account.Account},
		"From": {f.From}, "To": {f.To}, "ApiVersion": {"v1"},
	}
}

// news has those of the action callback.
func (c *Caller) news(row faxRow, station string) url.Values {
	d := c.box.dialect
	form := c.form(c.box.outside(row.Fax))
	form.Set("FaxStatus", row.Status)
	form.Set("NumPages", strconv.Itoa(row.Pages))
	if station != "" {
		form.Set("RemoteStationId", station)
	}
	if row.MediaID != "" {
		w := faxWriter{d: d, origin: c.origin, expires: strconv.FormatInt(c.box.now().Add(linkLife).Unix(), 10)}
		form.Set("MediaUrl", w.mediaURL(row))
	}
	switch {
	case row.ErrorCode != 0:
		form.Set("ErrorCode", strconv.Itoa(row.ErrorCode))
		form.Set("ErrorMessage", row.ErrorMessage)
	case row.ID[0] < '5': // what it says of a success is not told; here it goes by the id, so that all are met
		form.Set("ErrorCode", "0")
	case row.ID[0] < 'a':
		form.Set("ErrorCode", "")
		form.Set("ErrorMessage", "")
	}
	if d.name == SignalWire {
		if row.MediaID != "" {
			form.Set("MediaSid", d.id("ME", row.MediaID))
		}
		form.Set("Timestamp", iso8601(row.Updated))
	}
	return form
}
