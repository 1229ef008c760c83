package delivery

import (
	"strconv"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/text"
	"github.com/faxctl/faxctl/pkg/fax"
)

// Environ is a fax of the provider's list as variables of an environment: the same
// that a receiver's programs find.
func Environ(f fax.Fax) []string { return environ(f, "", time.Time{}, Document{}) }

// Variables are the names of those variables, whoever runs the program.
func Variables() []string {
	var names []string
	for _, v := range Environ(fax.Fax{}) {
		name, _, _ := strings.Cut(v, "=")
		names = append(names, name)
	}
	return names
}

// environ is an event as variables.
func (e Event) environ(d Document) []string {
	f := e.Fax()
	f.Created = time.Time{} // it was not told
	return environ(f, e.RemoteStation, e.Received, d)
}

// environ are the variables in which a program finds a fax, whoever runs it. Those
// without a value are there, and empty. What came over the line has no control
// characters in them; the path is as it is.
func environ(f fax.Fax, station string, received time.Time, d Document) []string {
	var all []string
	for _, v := range [][2]string{
		{"ID", f.ID},
		{"FROM", f.From},
		{"TO", f.To},
		{"DIRECTION", string(f.Direction)},
		{"STATUS", string(f.Status)},
		{"PAGES", count(f.Pages)},
		{"DURATION", count(f.Duration)},
		{"QUALITY", f.Quality},
		{"MEDIA_ID", f.MediaID},
		{"CREATED", at(f.Created)},
		{"REMOTE_STATION", station},
		{"ERROR_CODE", f.ErrorCode},
		{"ERROR_MESSAGE", f.ErrorMessage},
		{"RECEIVED", at(received)},
		{"CONTENT_TYPE", d.ContentType},
		{"SHA256", d.SHA256},
	} {
		all = append(all, "FAX_"+v[0]+"="+text.Line(v[1]))
	}
	return append(all, "FAX_DOCUMENT="+d.Path)
}

func count(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
