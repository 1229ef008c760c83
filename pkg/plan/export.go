package plan

import (
	"cmp"
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
// What must not stand in a file, a URL with a user name and a password, and
// what a file cannot say is left out, and told in the warnings.
func Export(numbers []fax.Number) (Exported, []string) {
	x := Exported{Numbers: []ExportedNumber{}}
	var warnings []string
	for _, n := range slices.SortedFunc(slices.Values(numbers), func(a, b fax.Number) int { return cmp.Compare(a.Phone, b.Phone) }) {
		e := ExportedNumber{Number: n.Phone, Name: n.Name, FallbackURL: n.FallbackURL, StatusCallback: n.StatusCallback}
		if n.Mode == fax.ModeFax {
			e.FaxURL = n.FaxURL
			e.KeepRouting = n.ShadowedBy() != ""
			e.Force = n.Capabilities.Fax == fax.No
		}
		if n.Mode != fax.ModeUnknown {
			e.Mode = n.Mode
		}
		for _, u := range []struct {
			key string
			at  *string
		}{{"fax-url", &e.FaxURL}, {"fallback-url", &e.FallbackURL}, {"status-callback", &e.StatusCallback}} {
			switch {
			case *u.at == "":
			case CheckURL(*u.at, true) != nil:
				warnings = append(warnings, fmt.Sprintf("%s: %s is left out: %v", n.Phone, u.key, CheckURL(*u.at, true)))
				*u.at = ""
			case CheckURL(*u.at, false) != nil:
				e.AllowHTTP = true
			}
		}
		if n.Mode == fax.ModeFax && method(n.Method) != "POST" {
			e.FaxMethod = n.Method
		}
		if e.FallbackURL != "" && method(n.FallbackMethod) != "POST" {
			e.FallbackMethod = n.FallbackMethod
		}
		if err := (Want{Name: &e.Name}).Check(); err != nil {
			warnings = append(warnings, fmt.Sprintf("%s: name is left out: %v", n.Phone, err))
			e.Name = ""
		}
		x.Numbers = append(x.Numbers, e)
	}
	return x, warnings
}
