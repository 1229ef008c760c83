package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/faxctl/faxctl/pkg/fax"
)

// Exported is a file of numbers to be written, in JSON or YAML.
type Exported struct {
	Numbers []ExportedNumber `json:"numbers"`
}

// ExportedNumber is an entry to be written: the keys that [ReadFile] reads.
type ExportedNumber struct {
	Number         string   `json:"number"`
	Name           string   `json:"name,omitempty"`
	Mode           fax.Mode `json:"mode,omitempty"`
	FaxURL         string   `json:"fax-url,omitempty"`
	FaxMethod      string   `json:"fax-method,omitempty"` // where it is not POST
	FallbackURL    string   `json:"fallback-url,omitempty"`
	FallbackMethod string   `json:"fallback-method,omitempty"` // where it is not POST
	StatusCallback string   `json:"status-callback,omitempty"`
	KeepRouting    bool     `json:"keep-routing,omitempty"`
	Force          bool     `json:"force,omitempty"`
	AllowHTTP      bool     `json:"allow-http,omitempty"`
}

// Export is the file that says what the numbers are: compared with them,
// nothing is to be done. They are sorted by phone number. The voice URL of a
// voice number is not part of it.
//
// What must not stand in a file, as a URL with a user name and a password, and
// what [ReadFile] would refuse, as a number that is not in E.164, is left out
// and named in the warnings.
func Export(numbers []fax.Number) (Exported, []string) {
	x := exporter{Exported: Exported{Numbers: []ExportedNumber{}}, seen: map[string]bool{}}
	for _, n := range slices.SortedFunc(slices.Values(numbers), func(a, b fax.Number) int { return cmp.Compare(a.Phone, b.Phone) }) {
		phone, err := fax.ParsePhone(n.Phone)
		switch {
		case err != nil:
			x.leaveOut(n, "the number", err)
		case phone != n.Phone:
			x.leaveOut(n, "the number", fmt.Errorf("a file says %s", phone))
		case x.seen[phone]:
			x.leaveOut(n, "a second number "+n.ID, errors.New("the phone number is there already"))
		default:
			x.seen[phone] = true
			x.Numbers = append(x.Numbers, x.entry(n))
		}
	}
	return x.Exported, x.warnings
}

// exporter gathers a file and what is left out of it.
type exporter struct {
	Exported
	seen     map[string]bool
	warnings []string
}

func (x *exporter) leaveOut(n fax.Number, what string, err error) {
	x.warnings = append(x.warnings, fmt.Sprintf("%s: %s is left out: %v", n.Phone, what, err))
}

func (x *exporter) entry(n fax.Number) ExportedNumber {
	e := ExportedNumber{Number: n.Phone, Name: n.Name, FallbackURL: n.FallbackURL, StatusCallback: n.StatusCallback}
	if n.Mode == fax.ModeFax {
		e.FaxURL, e.FaxMethod = n.FaxURL, n.Method
		e.KeepRouting = n.ShadowedBy() != ""
		e.Force = n.Capabilities.Fax == fax.No
	}
	if e.FallbackURL != "" {
		e.FallbackMethod = n.FallbackMethod
	}
	if n.Mode != fax.ModeUnknown {
		e.Mode = n.Mode
	}
	for _, u := range []struct {
		key string
		at  *string
	}{{"fax-url", &e.FaxURL}, {"fallback-url", &e.FallbackURL}, {"status-callback", &e.StatusCallback}} {
		switch err := CheckURL(*u.at, true); {
		case *u.at == "":
		case err != nil:
			x.leaveOut(n, u.key, err)
			*u.at = ""
		case CheckURL(*u.at, false) != nil:
			e.AllowHTTP = true
		}
	}
	for _, m := range []struct {
		key string
		at  *string
	}{{"fax-method", &e.FaxMethod}, {"fallback-method", &e.FallbackMethod}} {
		if *m.at != "" && !slices.Contains(methods(), *m.at) {
			x.leaveOut(n, m.key, fmt.Errorf("%q is neither POST nor GET", *m.at))
			*m.at = ""
		}
		if *m.at == "POST" {
			*m.at = ""
		}
	}
	if err := (Want{Name: &e.Name}).Check(); err != nil {
		x.leaveOut(n, "name", err)
		e.Name = ""
	}
	return e
}
