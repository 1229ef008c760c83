package plan

import (
	"fmt"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Field is one field that differs. Name is the field's name in the JSON of
// fax.Number.
type Field struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
	Note string `json:"note,omitempty"` // why, when the person did not ask for it
}

// Difference is what must change for a number to be as wanted.
type Difference struct {
	Change   fax.Change // for Apply; empty when the number is as wanted
	Fields   []Field    // the change as a person reads it
	Warnings []string   // what the person should know before saying yes
}

// Diff compares a number, as Get returned it, with what it should be. It
// changes nothing. Errors are fax.ErrInvalid with a hint: everything
// [Want.Check] finds, and fax mode for a number that cannot receive faxes
// (unless forced).
//
// A fax number is reached through its URL only when nothing takes the call
// before. So when the mode or the URL of a fax number is wanted, a trunk or
// application that would shadow the URL is cleared too, or, with KeepRouting,
// warned about.
func Diff(n fax.Number, w Want) (Difference, error) {
	if err := w.Check(); err != nil {
		return Difference{}, err
	}
	d := differ{}
	mode := n.Mode
	switch {
	case w.Mode != nil:
		mode = *w.Mode
	case given(w.FaxURL):
		mode = fax.ModeFax
	}
	toFax := mode == fax.ModeFax && (w.Mode != nil || given(w.FaxURL))
	if toFax {
		if err := d.capable(n, w.Force); err != nil {
			return Difference{}, err
		}
	}
	d.name(n, w)
	d.mode(n, mode, w)
	d.urls(n, mode, w)
	if toFax {
		d.routing(n, w.KeepRouting)
	}
	return d.Difference, nil
}

// differ gathers a difference.
type differ struct{ Difference }

func (d *differ) warn(format string, args ...any) {
	d.Warnings = append(d.Warnings, fmt.Sprintf(format, args...))
}

// set notes that a field goes from one value to another, if it does.
func (d *differ) set(field **string, name, from, to, note string) {
	if from == to {
		return
	}
	*field = &to
	d.Fields = append(d.Fields, Field{Name: name, From: from, To: to, Note: note})
}

func (d *differ) capable(n fax.Number, force bool) error {
	switch {
	case n.Capabilities.Fax == fax.No && !force:
		return problem.Invalid(problem.Say("choose one that can: %s; or insist with %s", problem.Command("numbers", "search").Switch("fax"), problem.On("force")), "mode fax for %s: the number cannot receive faxes", n.Phone)
	case n.Capabilities.Fax == fax.No:
		d.warn("%s cannot receive faxes, says the provider", n.Phone)
	case n.Capabilities.Fax == fax.Unknown:
		d.warn("the provider does not say whether %s can receive faxes", n.Phone)
	}
	return nil
}

func (d *differ) name(n fax.Number, w Want) {
	if w.Name != nil {
		d.set(&d.Change.Name, "name", n.Name, *w.Name, "")
	}
}

// mode notes a change of the receive mode. The provider has one URL for both
// modes, so what stays of it must be said.
func (d *differ) mode(n fax.Number, mode fax.Mode, w Want) {
	if mode == n.Mode {
		return
	}
	d.Change.Mode = &mode
	f := Field{Name: "mode", From: string(n.Mode), To: string(mode)}
	if w.Mode == nil {
		f.Note = "a fax URL implies it"
	}
	d.Fields = append(d.Fields, f)
	switch {
	case mode == fax.ModeVoice && n.URL() != "":
		d.warn("%s stays the number's URL and will be asked for voice calls", n.URL())
	case mode == fax.ModeFax:
		d.warn("%s stops taking voice calls: a number receives faxes or calls, not both", n.Phone)
		if w.FaxURL == nil && n.VoiceURL != "" {
			d.warn("the voice URL %s becomes the fax URL", n.VoiceURL)
		}
	}
}

func (d *differ) urls(n fax.Number, mode fax.Mode, w Want) {
	// Clearing the fax URL of a voice number must not clear its voice URL.
	if w.FaxURL != nil && (*w.FaxURL != "" || mode == fax.ModeFax) {
		// In another mode the URL in force is the voice URL, which goes.
		from, note := n.FaxURL, ""
		if n.VoiceURL != "" && n.VoiceURL != *w.FaxURL {
			note = "replaces the voice URL " + n.VoiceURL
		}
		if n.Mode != fax.ModeFax {
			from = ""
		}
		if from == "" && *w.FaxURL == "" && n.VoiceURL != "" {
			d.Change.URL = w.FaxURL
			d.Fields = append(d.Fields, Field{Name: "voice_url", From: n.VoiceURL})
		}
		d.set(&d.Change.URL, "fax_url", from, *w.FaxURL, note)
	}
	d.method(&d.Change.Method, "method", n.Method, w.Method, d.Change.URL)
	if w.FallbackURL != nil {
		d.set(&d.Change.FallbackURL, "fallback_url", n.FallbackURL, *w.FallbackURL, "")
	}
	d.method(&d.Change.FallbackMethod, "fallback_method", n.FallbackMethod, w.FallbackMethod, d.Change.FallbackURL)
	if w.StatusCallback != nil {
		d.set(&d.Change.StatusCallback, "status_callback", n.StatusCallback, *w.StatusCallback, "")
	}
	if mode == fax.ModeFax && w.FaxURL == nil && n.URL() == "" && w.Mode != nil {
		d.warn("%s has no fax URL: without one it receives nothing", n.Phone)
	}
}

// method compares the method of a URL. Where none is wanted, a URL that is new
// has POST, and one that stays keeps the method it has.
func (d *differ) method(field **string, name, from string, want, changed *string) {
	note := ""
	if want == nil && given(changed) {
		post := "POST"
		want, note = &post, "the default"
	}
	if want != nil {
		d.set(field, name, method(from), *want, note)
	}
}

// method is a method as the provider wrote it, or its default.
func method(s string) string {
	if s == "" {
		return "POST"
	}
	return s
}

func (d *differ) routing(n fax.Number, keep bool) {
	for _, r := range []struct {
		what, name, id string
		field          **string
	}{{"trunk", "trunk_id", n.TrunkID, &d.Change.TrunkID}, {"voice application", "application_id", n.ApplicationID, &d.Change.ApplicationID}} {
		switch {
		case r.id == "":
		case keep:
			d.warn("%s %s takes the calls before the fax URL is asked", r.what, r.id)
		default:
			d.set(r.field, r.name, r.id, "", "it would take the calls before the fax URL is asked")
		}
	}
	switch {
	case n.CallHandler == "":
	case keep || n.URL() == "" && d.Change.URL == nil:
		d.warn("call handler %s takes the calls, and the fax URL is not asked", n.CallHandler)
	default: // a URL that is set again may make it the one that is asked
		if d.Change.URL == nil {
			d.Change.URL = new(n.URL())
		}
		d.Fields = append(d.Fields, Field{Name: "call_handler", From: n.CallHandler, Note: "it takes the calls; the fax URL is set again"})
	}
}
