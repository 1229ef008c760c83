package sandbox

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds. Those marked "done" happen after the request was carried out, so
// that what the client believes and what is true differ.
const (
	FaultStatus   FaultKind = "status"   // an answer with a status, in the words of Fault.Form
	FaultReset    FaultKind = "reset"    // the connection breaks
	FaultLost     FaultKind = "lost"     // done, then the connection breaks
	FaultTruncate FaultKind = "truncate" // done, half the body arrives
	FaultHTML     FaultKind = "html"     // a gateway's page, status 502
	FaultPage     FaultKind = "page"     // a web page, status 200
	FaultExpired  FaultKind = "expired"  // a signed link that has run out, as storage says it
	FaultHang     FaultKind = "hang"     // silence until the client gives up, at most a minute
	FaultSlow     FaultKind = "slow"     // a delay, then as usual
	FaultIgnore   FaultKind = "ignore"   // an update or a deletion is accepted and changes nothing
	FaultAs       FaultKind = "as"       // the answer to another path
)

// FaultForm is whose words the answer of a FaultStatus is in.
type FaultForm string

// The forms. A gateway between a client and the provider speaks the last three.
const (
	FormAPI   FaultForm = ""      // the provider's: an error of the API, or of its storage
	FormHTML  FaultForm = "html"  // a web page
	FormText  FaultForm = "text"  // a line of text
	FormEmpty FaultForm = "empty" // nothing
)

// hangLimit ends a silence when the client does not.
const hangLimit = time.Minute

// Fault is something that goes wrong with some requests.
type Fault struct {
	Method      string // "": any
	Path        string // segments found anywhere in the path, * for any one; $ at its end anchors there
	Kind        FaultKind
	Status      int           // FaultStatus
	Form        FaultForm     // FaultStatus
	Code        int           // FaultStatus: the provider's code; 0: the usual one
	Delay       time.Duration // FaultSlow
	As          string        // FaultAs: the path that is answered
	Probability float64       // 0: always
	Times       int           // strikes at most so often; 0: no limit
	For         time.Duration // strikes for so long, from the first time on; 0: no end
	Every       time.Duration // and again, each time this has passed; 0: only once
}

// ParseFault reads a fault as it is written on a command line:
//
//	[METHOD] PATH=KIND[@PROBABILITY][#TIMES][~FOR[/EVERY]]
//
// KIND is a status (503), a status and the provider's code (422/22121), a status in
// other words than the provider's (404:html, 404:text, 404:empty, 200:html), reset,
// lost, truncate, html, page, expired, hang, ignore, slow=DURATION, or as=/PATH for the
// answer to that whole path, as something in between mixes answers up. FOR is how long the
// fault lasts from the first request it strikes, EVERY when it comes back. The path matches when its
// segments stand one after the other anywhere in the request's path, without
// .json: "DELETE /Faxes=503@0.1", "/IncomingPhoneNumbers/*=reset#1",
// "POST /IncomingPhoneNumbers$=lost", "/=slow=2s", "/=404:html~300ms/2s".
func ParseFault(text string) (Fault, error) {
	where, what, found := strings.Cut(text, "=")
	if !found {
		return Fault{}, fmt.Errorf("fault %q: want [METHOD] PATH=KIND[@PROBABILITY][#TIMES][~FOR[/EVERY]]", text)
	}
	f := Fault{Path: strings.TrimSpace(where)}
	if method, rest, two := strings.Cut(f.Path, " "); two {
		f.Method, f.Path = strings.ToUpper(method), strings.TrimSpace(rest)
	}
	if f.Method == "*" {
		f.Method = ""
	}
	if !strings.HasPrefix(f.Path, "/") || strings.ContainsAny(f.Path, " ?") {
		return Fault{}, fmt.Errorf("fault %q: path %q must begin with / and have no space", text, f.Path)
	}
	what, stretch, hasStretch := strings.Cut(what, "~")
	what, times, hasTimes := strings.Cut(what, "#")
	what, chance, hasChance := strings.Cut(what, "@")
	var err error
	if hasTimes {
		if f.Times, err = strconv.Atoi(times); err != nil || f.Times < 1 {
			return Fault{}, fmt.Errorf("fault %q: times %q: want a number from 1", text, times)
		}
	}
	if hasChance {
		if f.Probability, err = strconv.ParseFloat(chance, 64); err != nil || !(f.Probability > 0 && f.Probability <= 1) {
			return Fault{}, fmt.Errorf("fault %q: probability %q: want more than 0, at most 1", text, chance)
		}
	}
	if hasStretch {
		if err := f.parseStretch(stretch); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %w", text, err)
		}
	}
	if err := f.parseKind(strings.TrimSpace(what)); err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

func (f *Fault) parseKind(kind string) (err error) {
	if delay, slow := strings.CutPrefix(kind, "slow="); slow {
		f.Kind = FaultSlow
		if f.Delay, err = time.ParseDuration(delay); err != nil || f.Delay <= 0 {
			return fmt.Errorf("slow %q: want a duration such as 2s", delay)
		}
		return nil
	}
	if as, other := strings.CutPrefix(kind, "as="); other {
		f.Kind, f.As = FaultAs, as
		if !strings.HasPrefix(as, "/") || strings.ContainsAny(as, " ?") {
			return fmt.Errorf("as %q: want a path that begins with / and has no space", as)
		}
		return nil
	}
	switch k := FaultKind(kind); k {
	case FaultReset, FaultLost, FaultTruncate, FaultHTML, FaultPage, FaultExpired, FaultHang, FaultIgnore:
		f.Kind = k
		return nil
	}
	f.Kind = FaultStatus
	status, form, hasForm := strings.Cut(kind, ":")
	status, code, hasCode := strings.Cut(status, "/")
	least := 400
	if hasForm {
		least = 200
		switch f.Form = FaultForm(form); f.Form {
		case FormHTML, FormText, FormEmpty:
		default:
			return fmt.Errorf("form %q: want html, text or empty", form)
		}
	}
	if f.Status, err = strconv.Atoi(status); err != nil || f.Status < least || f.Status > 599 || hasForm && hasCode {
		return fmt.Errorf("kind %q: want a status from 400 to 599, one from 200 with :html, :text or :empty, reset, lost, truncate, html, page, expired, hang, ignore, slow=DURATION or as=/PATH", kind)
	}
	if hasCode {
		if f.Code, err = strconv.Atoi(code); err != nil || f.Code < 1 {
			return fmt.Errorf("code %q: want a number", code)
		}
	}
	return nil
}

func (f *Fault) parseStretch(stretch string) (err error) {
	long, every, again := strings.Cut(strings.TrimSpace(stretch), "/")
	if f.For, err = time.ParseDuration(long); err != nil || f.For <= 0 {
		return fmt.Errorf("for %q: want a duration such as 300ms", long)
	}
	if again {
		if f.Every, err = time.ParseDuration(every); err != nil || f.Every <= f.For {
			return fmt.Errorf("every %q: want a duration longer than %s", every, f.For)
		}
	}
	return nil
}

// matches tells whether the fault concerns the request.
func (f Fault) matches(r *http.Request) bool {
	if f.Method != "" && f.Method != r.Method {
		return false
	}
	pattern, anchored := strings.CutSuffix(f.Path, "$")
	want := segments(pattern)
	have := segments(withoutSuffix(r).URL.Path)
	for i := 0; i+len(want) <= len(have); i++ {
		if anchored && i+len(want) < len(have) {
			continue
		}
		if slices.EqualFunc(want, have[i:i+len(want)], func(w, h string) bool { return w == "*" || w == h }) {
			return true
		}
	}
	return false
}

func segments(p string) []string {
	p = strings.Trim(path.Clean("/"+p), "/")
	if p == "" {
		return nil
	}
	return strings.Split(p, "/")
}
