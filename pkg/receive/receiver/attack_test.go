package receiver_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/receive/receiver"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// Attacks that an outsider can make are in the table of TestAttacks, and are told by
// the scripts serve-attack-*.

// serve runs the receiver on a port of this machine until the test ends.
func (s *station) serve() (address string) {
	s.t.Helper()
	l, err := new(net.ListenConfig).Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l, nil) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
	return l.Addr().String()
}

// TestRefusalArrives: who is refused in the middle of a request can read why,
// however much is on its way still.
func TestRefusalArrives(t *testing.T) {
	s := newStation(t, nil)
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.serve())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	go io.Copy(conn, strings.NewReader("POST /fax HTTP/1.1\r\nX-Flood: "+strings.Repeat("y", 1<<20)))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	// What comes after it is the end, or a reset, when we are slow to send the rest.
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("answered %d", answer.StatusCode)
	}
}

// FuzzCallback throws bodies of any kind at the receiver, rightly signed and
// not. Whatever they are, nothing panics and no answer is the receiver's failure. What
// is stored came with a right signature and a file name, and has a name of ours, below
// the state folder.
func FuzzCallback(f *testing.F) {
	seeds := []struct{ contentType, body string }{
		{"application/x-www-form-urlencoded", callbackForm(faxID(1)).Encode()},
		{"application/x-www-form-urlencoded; charset=%", "a=%zz&b"},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"Media\"; filename=\"../x\"\r\n\r\n%PDF-1.7\r\n--x--\r\n"},
		{"multipart/form-data; boundary=\"x y\"", "--x y\r\n\r\n\r\n--x y--"},
		{"multipart/form-data", "--"},
		seedOf(f, multi(callbackForm(faxID(2)), part{"Media", "../../fax.pdf", document("2")})),
		seedOf(f, multi(callbackForm(faxID(3)))),
		seedOf(f, multi(callbackForm(faxID(4)), part{"Media", "1.pdf", document("4")}, part{"", "2.pdf", document("4")}, part{"x", "3", "no document"})),
		seedOf(f, multi(with(callbackForm(faxID(5)), "To", nobody), part{"Media", "1.pdf", document("5")})),
		seedOf(f, multi(with(callbackForm("?"), "NumPages", "null"), part{"Media", "1.pdf", ""})),
		seedOf(f, multi(with(callbackForm(faxID(6)), "FaxStatus", "failed"), part{"Media", "1.pdf", "%PDF-"})),
	}
	for _, s := range seeds {
		f.Add(s.contentType, []byte(s.body), false)
		f.Add(s.contentType, []byte(s.body), true)
	}
	s := newStation(f, func(c *receiver.Config) { c.MaxDocument = 1 << 30 }) // of which 16 may be kept aside
	desk, err := s.openDesk()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { desk.Close() })
	f.Fuzz(func(t *testing.T, contentType string, body []byte, signed bool) {
		before := events(t, desk)
		req := httptest.NewRequest(http.MethodPost, "/fax/done", bytes.NewReader(body))
		req.Header.Set("Content-Type", contentType)
		req.Header.Set(webhook.Twilio.Header(), strings.Repeat("A", 27)+"=")
		if signed {
			req.Header.Set(webhook.Twilio.Header(), webhook.Sign(key, publicURL+"/fax/done", fieldsOf(contentType, body)))
		}
		w := s.do(req)
		fresh, uploads := events(t, desk)-before, documents(t, s.state)
		switch {
		case (w.Code == http.StatusNoContent || w.Code >= 400 && w.Code < 500 && len(uploads) > 0) && signed && fresh <= 1 && len(uploads) <= bytes.Count(bytes.ToLower(body), []byte("filename")):
		case w.Code < 400 || w.Code >= 500 || fresh > 0 || len(uploads) > 0:
			t.Errorf("answered %d, kept %d events and %v", w.Code, fresh, uploads)
		}
		for _, name := range uploads {
			if err := os.Remove(name); err != nil {
				t.Error(err)
			}
		}
	})
}

// events counts what is recorded.
func events(t *testing.T, desk *receiver.Desk) (n int) {
	stats, err := desk.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, faxes := range stats.Faxes {
		n += faxes
	}
	return n
}

// documents are the uploads that are kept. No other file is there, or beside the
// folder, but those that always are.
func documents(t *testing.T, state string) (kept []string) {
	always := regexp.MustCompile(`^(\.|00\d|00\d/(receiver\.db(-wal|-shm|\.lock)?|lock|incoming))$`)
	upload := regexp.MustCompile(`^00\d/incoming/\d{8}T\d{6}Z-[0-9A-Z]+-[0-9A-Za-z_-]*(\.aside)?\.(pdf|tiff|bin)$`)
	beside := filepath.Dir(state)
	err := fs.WalkDir(os.DirFS(beside), ".", func(path string, _ fs.DirEntry, err error) error {
		if upload.MatchString(path) {
			kept = append(kept, filepath.Join(beside, path))
		} else if !always.MatchString(path) {
			t.Errorf("there is %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// seedOf is the body of a request.
func seedOf(f *testing.F, req *http.Request) (s struct{ contentType, body string }) {
	var b bytes.Buffer
	if _, err := b.ReadFrom(req.Body); err != nil {
		f.Fatal(err)
	}
	s.contentType, s.body = req.Header.Get("Content-Type"), b.String()
	return s
}

// fieldsOf are the fields that net/http finds in a body.
func fieldsOf(contentType string, body []byte) url.Values {
	req := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	_ = req.ParseMultipartForm(1 << 20)
	if req.MultipartForm != nil {
		return req.MultipartForm.Value
	}
	return req.PostForm
}
