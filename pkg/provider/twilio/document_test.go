package twilio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/provider/twilio"
)

const document = "%PDF-1.7\nthe pages of a fax\n%%EOF\n"

// files is a host of documents, as transport: it serves what hosts have and
// remembers which were asked, with which credentials.
type files struct {
	hosts map[string]http.HandlerFunc
	asked []string // "https://host Authorization"
}

func (f *files) RoundTrip(r *http.Request) (*http.Response, error) {
	f.asked = append(f.asked, strings.TrimSpace(r.URL.Scheme+"://"+r.URL.Host+" "+r.Header.Get("Authorization")))
	rec := httptest.NewRecorder()
	handle, ok := f.hosts[r.URL.Host]
	if !ok {
		return nil, errors.New("no such host")
	}
	handle(rec, r)
	res := rec.Result()
	res.ContentLength = int64(rec.Body.Len())
	res.Request = r
	return res, nil
}

func servePDF(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("ETag", `"v1"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(document))
}

func say(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
}

// wants is a server that serves only who says the right thing.
func wants(authorization string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != authorization {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		servePDF(w, r)
	}
}

const (
	expired = `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>`
	cdn     = "https://media.twiliocdn.com"
	s3      = "https://bucket.s3.amazonaws.com"
	swFiles = "https://files.signalwire.com"
)

// Which hosts are asked for a document, and with what; everything else fails
// without a request.
func TestOpenLinks(t *testing.T) {
	basic := "Basic " + basicAuth(projectID, token)
	for name, test := range map[string]struct {
		dialect twilio.Dialect
		link    string
		origin  string
		hosts   map[string]http.HandlerFunc
		asked   []string
		want    error // nil: the document comes
	}{
		"a link": {
			link: cdn + "/ME1?Signature=x", hosts: map[string]http.HandlerFunc{"media.twiliocdn.com": servePDF},
			asked: []string{cdn},
		},
		"a link that leads to storage": {
			link:  cdn + "/ME1",
			hosts: map[string]http.HandlerFunc{"media.twiliocdn.com": redirect(s3 + "/ME1?X-Amz-Signature=x"), "bucket.s3.amazonaws.com": servePDF},
			asked: []string{cdn, s3},
		},
		"twilio never sees credentials here": {
			link: cdn + "/ME1", hosts: map[string]http.HandlerFunc{"media.twiliocdn.com": say(401, "", "")},
			asked: []string{cdn}, want: problem.ErrAuth,
		},
		"storage without the provider": {link: s3 + "/ME1", want: problem.ErrInvalid},
		"plain http":                   {link: "http://media.twiliocdn.com/ME1", want: problem.ErrInvalid},
		"a look-alike":                 {link: "https://twiliocdn.com.evil.example/ME1", want: problem.ErrInvalid},
		"a look-alike, shorter":        {link: "https://eviltwiliocdn.com/ME1", want: problem.ErrInvalid},
		"a user before the host":       {link: "https://twilio.com@evil.example/ME1", want: problem.ErrInvalid},
		"a user before a good host":    {link: "https://a:b@media.twiliocdn.com/ME1", want: problem.ErrInvalid},
		"another port":                 {link: "https://media.twiliocdn.com:8443/ME1", want: problem.ErrInvalid},
		"a file":                       {link: "file:///etc/passwd", want: problem.ErrInvalid},
		"a machine nearby":             {link: "https://169.254.169.254/latest/meta-data", want: problem.ErrInvalid},
		"no link":                      {link: "://", want: problem.ErrUnavailable},
		"a redirect to elsewhere": {
			link: cdn + "/ME1", hosts: map[string]http.HandlerFunc{"media.twiliocdn.com": redirect("https://evil.example/")},
			asked: []string{cdn}, want: problem.ErrInvalid,
		},
		"a redirect to plain http": {
			link: cdn + "/ME1", hosts: map[string]http.HandlerFunc{"media.twiliocdn.com": redirect("http://media.twiliocdn.com/")},
			asked: []string{cdn}, want: problem.ErrInvalid,
		},
		"redirects in a circle": {
			link: cdn + "/ME1", hosts: map[string]http.HandlerFunc{"media.twiliocdn.com": redirect(cdn + "/ME1")},
			asked: []string{cdn, cdn, cdn, cdn, cdn, cdn}, want: problem.ErrUnavailable,
		},
		"the origin that stands for the API": {
			link: "http://127.0.0.1:8787/media/ME1", origin: "http://127.0.0.1:8787",
			hosts: map[string]http.HandlerFunc{"127.0.0.1:8787": servePDF}, asked: []string{"http://127.0.0.1:8787"},
		},
		"another port of that machine": {link: "http://127.0.0.1:22/", origin: "http://127.0.0.1:8787", want: problem.ErrInvalid},
		"signalwire, public": {
			dialect: twilio.SignalWire, link: swFiles + "/a.pdf",
			hosts: map[string]http.HandlerFunc{"files.signalwire.com": servePDF}, asked: []string{swFiles},
		},
		"signalwire, protected": {
			dialect: twilio.SignalWire, link: swFiles + "/a.pdf",
			hosts: map[string]http.HandlerFunc{"files.signalwire.com": wants(basic)}, asked: []string{swFiles, swFiles + " " + basic},
		},
		"signalwire, protected the other way": {
			dialect: twilio.SignalWire, link: swFiles + "/a.pdf",
			hosts: map[string]http.HandlerFunc{"files.signalwire.com": wants("Bearer " + token)},
			asked: []string{swFiles, swFiles + " " + basic, swFiles + " Bearer " + token},
		},
		"credentials end where the host changes": {
			dialect: twilio.SignalWire, link: swFiles + "/a.pdf",
			hosts: map[string]http.HandlerFunc{
				"files.signalwire.com": func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get("Authorization") == "" {
						w.WriteHeader(http.StatusForbidden)
						return
					}
					redirect("https://cdn.signalwire.com/a.pdf")(w, r)
				},
				"cdn.signalwire.com": servePDF,
			},
			asked: []string{swFiles, swFiles + " " + basic, "https://cdn.signalwire.com"},
		},
		"credentials are for who was asked first": {
			dialect: twilio.SignalWire, link: swFiles + "/a.pdf",
			hosts: map[string]http.HandlerFunc{
				"files.signalwire.com": redirect(s3 + "/a.pdf"), "bucket.s3.amazonaws.com": say(403, "application/xml", expired),
			},
			asked: []string{
				swFiles, s3, swFiles + " " + basic, s3, swFiles + " Bearer " + token, s3,
			},
			want: problem.ErrAuth,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &files{hosts: test.hosts}
			c := twilio.Config{Dialect: test.dialect, Documents: &http.Client{Transport: f}}
			if test.origin != "" {
				c.APIOrigin = mustURL(t, test.origin)
			}
			// Without an id, the record cannot be fetched again.
			doc, err := newDouble(t).open(t, c).Faxes.Open(t.Context(), fax.Fax{MediaURL: test.link}, 0)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if diff := cmp.Diff(test.asked, f.asked); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(fmt.Sprint(err), "Signature") || strings.Contains(fmt.Sprint(err), token) {
				t.Errorf("%v tells too much", err)
			}
			if err == nil {
				read(t, doc, document)
			}
		})
	}
}

// read compares what a document has left to read.
func read(t *testing.T, doc fax.Document, want string) {
	t.Helper()
	got, err := io.ReadAll(doc.Body)
	if err != nil || string(got) != want {
		t.Errorf("read %q, %v; want %q", got, err, want)
	}
	if err := doc.Body.Close(); err != nil {
		t.Error(err)
	}
}

// A part of a document, and servers that do not give parts.
func TestOpenOffset(t *testing.T) {
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		offset int64
		at     int64 // where the body starts
		size   int64
		want   error
	}{
		"from the start":  {servePDF, 0, 0, int64(len(document)), nil},
		"from an offset":  {servePDF, 10, 10, int64(len(document)), nil},
		"beyond the end":  {servePDF, 1000, 0, int64(len(document)), nil},
		"the offset lost": {say(200, "application/pdf", document), 10, 0, int64(len(document)), nil},
		"a size that is not known": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 10-33/*")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, document[10:])
		}, 10, 10, -1, nil},
		"another part": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 5-33/34")
			w.WriteHeader(http.StatusPartialContent)
		}, 10, 0, 0, problem.ErrUnavailable},
		"a part that is longer than it says": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 10-19/34")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, document[10:])
		}, 10, 0, 0, problem.ErrUnavailable},
		"a part that ends behind the end": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Range", "bytes 10-33/33")
			w.WriteHeader(http.StatusPartialContent)
			_, _ = io.WriteString(w, document[10:])
		}, 10, 0, 0, problem.ErrUnavailable},
		"a part without a range": {say(206, "application/pdf", document), 10, 0, 0, problem.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			f := &files{hosts: map[string]http.HandlerFunc{"media.twiliocdn.com": test.handle}}
			faxes := newDouble(t).open(t, twilio.Config{Documents: &http.Client{Transport: f}}).Faxes
			doc, err := faxes.Open(t.Context(), fax.Fax{MediaURL: cdn + "/ME1"}, test.offset)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if err != nil {
				return
			}
			if doc.Offset != test.at || doc.Size != test.size {
				t.Errorf("offset %d, size %d; want %d, %d", doc.Offset, doc.Size, test.at, test.size)
			}
			read(t, doc, document[test.at:])
		})
	}
}

// An error page is not a document, whatever it calls itself.
func TestOpenNoDocument(t *testing.T) {
	for name, test := range map[string]struct {
		handle http.HandlerFunc
		want   error
	}{
		"a web page":                  {say(200, "text/html; charset=utf-8", "<html>"), problem.ErrUnavailable},
		"a web page that says PDF":    {say(200, "application/pdf", "<!DOCTYPE html>"), problem.ErrUnavailable},
		"XML":                         {say(200, "application/xml", expired), problem.ErrUnavailable},
		"JSON":                        {say(200, "application/json", `{"sid":"ME1"}`), problem.ErrUnavailable},
		"JSON that says nothing":      {say(200, "", ` {"sid":"ME1"}`[1:]), problem.ErrUnavailable},
		"not there":                   {say(404, "application/xml", `<Error><Code>NoSuchKey</Code></Error>`), problem.ErrNotFound},
		"gone":                        {say(410, "application/xml", `<Error><Code>Gone</Code></Error>`), problem.ErrNotFound},
		"gone, says a gateway":        {say(410, "text/html", "<html>"), problem.ErrUnavailable},
		"nothing at all":              {say(404, "", ""), problem.ErrUnavailable},
		"too much at once":            {say(429, "", ""), problem.ErrUnavailable},
		"a broken server":             {say(500, "", ""), problem.ErrUnavailable},
		"credentials where none must": {say(400, "application/xml", `<Error><Code>InvalidArgument</Code></Error>`), problem.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			f := &files{hosts: map[string]http.HandlerFunc{"media.twiliocdn.com": test.handle}}
			faxes := newDouble(t).open(t, twilio.Config{Documents: &http.Client{Transport: f}}).Faxes
			if _, err := faxes.Open(t.Context(), fax.Fax{ID: faxID, MediaURL: cdn + "/ME1"}, 0); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// A link that has run out is renewed once; one that is missing is looked for.
func TestOpenRenews(t *testing.T) {
	record := func(link string) string {
		return `{"sid":"` + faxID + `","media_sid":"ME1","media_url":"` + link + `"}`
	}
	fresh := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/fresh" {
			say(403, "application/xml", expired)(w, r)
			return
		}
		servePDF(w, r)
	}
	media := func(item string) string { return `{"media":[` + item + `],"meta":{}}` }
	for name, test := range map[string]struct {
		link, record, media string
		asked               []string
		want                error
	}{
		"expired":            {cdn + "/old", record(cdn + "/fresh"), "", []string{"GET fax.twilio.com/v1/Faxes/" + faxID}, nil},
		"expired twice":      {cdn + "/old", record(cdn + "/older"), "", []string{"GET fax.twilio.com/v1/Faxes/" + faxID}, problem.ErrAuth},
		"no link":            {"", record(cdn + "/fresh"), "", []string{"GET fax.twilio.com/v1/Faxes/" + faxID}, nil},
		"no link, and stale": {"", record(cdn + "/old"), "", []string{"GET fax.twilio.com/v1/Faxes/" + faxID}, problem.ErrAuth},
		"a link in the media list": {
			"", record(""), media(`{"sid":"ME1","media_url":"` + cdn + `/fresh"}`),
			[]string{"GET fax.twilio.com/v1/Faxes/" + faxID, "GET fax.twilio.com/v1/Faxes/" + faxID + "/Media"}, nil,
		},
		"no document": {
			"", record(""), media(""),
			[]string{"GET fax.twilio.com/v1/Faxes/" + faxID, "GET fax.twilio.com/v1/Faxes/" + faxID + "/Media"}, problem.ErrNotFound,
		},
		"data about a document only": {
			"", record(""), wire(t, "twilio/media.json"),
			[]string{"GET fax.twilio.com/v1/Faxes/" + faxID, "GET fax.twilio.com/v1/Faxes/" + faxID + "/Media"}, problem.ErrNotFound,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(t)
			d.answer("GET /v1/Faxes/"+faxID, http.StatusOK, test.record)
			d.answer("GET /v1/Faxes/"+faxID+"/Media", http.StatusOK, test.media)
			f := &files{hosts: map[string]http.HandlerFunc{"media.twiliocdn.com": fresh}}
			doc, err := d.open(t, twilio.Config{Documents: &http.Client{Transport: f}}).Faxes.
				Open(t.Context(), fax.Fax{ID: faxID, MediaURL: test.link}, 0)
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if diff := cmp.Diff(test.asked, d.requests()); diff != "" {
				t.Error(diff)
			}
			if err == nil {
				read(t, doc, document)
				if doc.MediaID != "ME1" {
					t.Errorf("it is %q", doc.MediaID)
				}
			}
		})
	}
}

// A document is streamed: what is long is not held in memory, and ends with the
// context.
func TestOpenStreams(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/pdf")
		chunk := bytes.Repeat([]byte("%PDF"), 16<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	faxes := (&double{Server: server}).open(t, twilio.Config{Documents: server.Client(), APIOrigin: mustURL(t, server.URL)}).Faxes
	doc, err := faxes.Open(ctx, fax.Fax{MediaURL: server.URL + "/endless"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer doc.Body.Close()
	if _, err := io.CopyN(io.Discard, doc.Body, 10<<20); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, doc.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
}

func basicAuth(user, password string) string {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
}
