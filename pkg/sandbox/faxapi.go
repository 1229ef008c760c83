package sandbox

import (
	"errors"
	"net/http"
	"net/url"
	"time"
)

func (s *Sandbox) faxRoutes() []route {
	base := s.faxPath("")
	routes := []route{
		{pattern: "GET " + base, handle: s.listFaxes},
		{pattern: "GET " + base + "/{id}", handle: s.getFax},
		{pattern: "DELETE " + base + "/{id}", handle: s.deleteFax},
		{pattern: "GET " + base + "/{id}/Media", handle: s.listMedia},
		{pattern: "GET " + base + "/{id}/Media/{media}", handle: s.getMedia},
		{pattern: "DELETE " + base + "/{id}/Media/{media}", handle: s.deleteMedia},
		{pattern: "GET " + mediaRoot + "/{id}/{file}", handle: s.download, open: true},
	}
	if s.dialect.sendsFaxes {
		routes = append(routes,
			route{pattern: "POST " + base, handle: s.sendFax},
			route{pattern: "POST " + base + "/{id}", handle: s.updateFax})
	}
	if s.options.EndOfLife && s.dialect.name == Twilio {
		for i := range routes[:6] {
			routes[i].handle = endOfLife
		}
	}
	return routes
}

// faxPath is the path of the fax resource as a pattern, faxURI the same in
// answers.
func (s *Sandbox) faxPath(rest string) string {
	if s.dialect.faxRoot != "" {
		return s.dialect.faxRoot + rest
	}
	return s.accountPath("/Faxes" + rest)
}

func (s *Sandbox) faxURI(rest string) string {
	if s.dialect.faxRoot != "" {
		return s.dialect.faxRoot + rest
	}
	return s.accountURI("/Faxes" + rest)
}

// endOfLife answers as Twilio has since 2021-12-17: the list is not there, and
// a record says why.
func endOfLife(r *http.Request) (reply, error) {
	if r.PathValue("id") == "" {
		return reply{}, failure{http.StatusNotFound, 20404, "The requested resource /Faxes was not found"}
	}
	return reply{}, failure{http.StatusForbidden, 34005, "Programmable Fax is no longer available"}
}

func (s *Sandbox) listFaxes(r *http.Request) (reply, error) {
	p, err := s.newPage(r, s.faxURI(""))
	if err != nil {
		return reply{}, err
	}
	f, err := s.faxFilter(r.Form)
	if err != nil {
		return reply{}, err
	}
	room, _ := s.room.Get().(*[]byte)
	if room == nil {
		room = new([]byte)
	}
	w := s.newFaxWriter(r)
	w.b = append((*room)[:0], `{"faxes":[`...)
	of, err := s.state.faxes(r.Context(), f, p, func(f faxRow) {
		if w.b[len(w.b)-1] == '}' {
			w.b = append(w.b, ',')
		}
		w.fax(f)
	})
	if err != nil {
		return reply{}, err
	}
	rest, err := encodeJSON(s.faxEnvelope(r, p, "faxes", of))
	if err != nil {
		return reply{}, err
	}
	w.b = append(append(w.b, `],`...), rest[1:]...) // without its bracket
	return reply{http.StatusOK, jsonText(w.b), func() { *room = w.b; s.room.Put(room) }}, nil
}

// faxEnvelope holds the rows too. It is flat at SignalWire; at Twilio the paging
// is apart and its links are whole.
func (s *Sandbox) faxEnvelope(r *http.Request, p page, key string, of run) map[string]any {
	if s.dialect.faxRoot == "" {
		return p.flat(of)
	}
	l := p.links(of)
	whole := func(link any) any {
		if text, yes := link.(string); yes {
			return s.dialect.base(r) + text
		}
		return nil
	}
	return map[string]any{
		"meta": map[string]any{
			"key": key, "page": p.number, "page_size": p.size,
			"url": whole(l.self), "first_page_url": whole(l.first),
			"previous_page_url": whole(l.previous), "next_page_url": whole(l.next),
		},
	}
}

func (s *Sandbox) faxFilter(form url.Values) (faxFilter, error) {
	f := faxFilter{from: form.Get("From"), to: form.Get("To"), low: s.oldest()}
	instant := func(param string) (time.Time, error) {
		text := form.Get(param)
		if text == "" {
			return time.Time{}, nil
		}
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil {
				return t, nil
			}
		}
		return time.Time{}, s.refuse(20001, "%s is not an ISO 8601 date: %s", param, text)
	}
	after, err := instant("DateCreatedAfter")
	if err != nil {
		return f, err
	}
	until, err := instant("DateCreatedOnOrBefore")
	if err != nil {
		return f, err
	}
	// Faxes are dated to the second: later than a part of one is later than
	// all of it.
	if !after.IsZero() {
		f.low = max(f.low, slot(after.Add(time.Second)))
	}
	if !until.IsZero() {
		f.high = max(1, slot(until.Add(time.Second)))
	}
	return f, nil
}

// findFax is the fax that the path names.
func (s *Sandbox) findFax(r *http.Request) (faxRow, error) {
	f, err := s.state.fax(r.Context(), s.dialect.hex("FX", r.PathValue("id")), s.oldest())
	if err != nil {
		return faxRow{}, missing(r, err)
	}
	return f, nil
}

func (s *Sandbox) getFax(r *http.Request) (reply, error) {
	f, err := s.findFax(r)
	if err != nil {
		return reply{}, err
	}
	return ok(s.faxBody(r, f)), nil
}

func (s *Sandbox) deleteFax(r *http.Request) (reply, error) {
	err := s.state.dropFax(r.Context(), s.dialect.hex("FX", r.PathValue("id")), s.oldest())
	if err != nil {
		return reply{}, unfinished(missing(r, err))
	}
	return reply{status: http.StatusNoContent}, nil
}

// unfinished turns "in progress" into the provider's 409.
func unfinished(err error) error {
	if errors.Is(err, errInProgress) {
		return failure{http.StatusConflict, 20009, "Cannot delete a fax that is still in progress"}
	}
	return err
}

// sendFax queues a fax. It stays queued: nothing leaves the machine.
func (s *Sandbox) sendFax(r *http.Request) (reply, error) {
	f := Fax{From: r.Form.Get("From"), To: r.Form.Get("To"), Quality: r.Form.Get("Quality"), Direction: "outbound", Status: "queued"}
	for _, param := range []string{"From", "To"} {
		if phone := r.Form.Get(param); !isE164(phone) {
			return reply{}, s.refuse(21421, "%s is not a valid phone number: %s", param, phone)
		}
	}
	if err := checkURL(s, "MediaUrl", r.Form.Get("MediaUrl")); err != nil {
		return reply{}, err
	}
	switch f.Quality {
	case "", "standard", "fine", "superfine":
	default:
		return reply{}, s.refuse(20001, "Quality must be standard, fine or superfine, not %q", f.Quality)
	}
	f, err := s.AddFax(r.Context(), f)
	if err != nil {
		return reply{}, err
	}
	r.SetPathValue("id", f.ID)
	row, err := s.findFax(r)
	if err != nil {
		return reply{}, err
	}
	return reply{status: http.StatusCreated, body: s.faxBody(r, row)}, nil
}

// updateFax cancels a fax; there is nothing else to update.
func (s *Sandbox) updateFax(r *http.Request) (reply, error) {
	if isIgnored(r.Context()) {
		return s.getFax(r)
	}
	if status := r.Form.Get("Status"); status != "canceled" {
		return reply{}, s.refuse(20001, "Status must be canceled, not %q", status)
	}
	_, err := s.changeFax(r.Context(), s.dialect.hex("FX", r.PathValue("id")), func(f *Fax) error {
		if f.Status != "queued" {
			return s.refuse(10000, "Only a queued fax can be canceled; this one is %s", f.Status)
		}
		f.Status = "canceled"
		return nil
	})
	if err != nil {
		return reply{}, missing(r, err)
	}
	return s.getFax(r)
}
