package sandbox_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/faxctl/faxctl/pkg/archive/document"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

func read(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return string(body)
}

// fetch asks for a document as a client without credentials does; header is
// "Name: value" lines.
func fetch(t *testing.T, s *sandbox.Sandbox, method, url string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	res, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	return res, read(t, res)
}

func TestMediaResource(t *testing.T) {
	for _, dialect := range sandbox.Dialects() {
		s, _ := openAt(t, sandbox.Options{Dialect: dialect})
		c := call(t, s, dialect)
		f := add(t, s, sandbox.Fax{ContentType: "image/tiff"})
		path := c.faxes("/" + f.ID + "/Media")
		a := c.get(path)
		if len(a.list("media")) != 1 || a.at("media", 0, "sid") != f.MediaID || a.at("media", 0, "content_type") != "image/tiff" || a.at("media", 0, "fax_sid") != f.ID {
			t.Errorf("%s: %s", dialect, a.text)
		}
		if dialect == sandbox.Twilio && a.at("meta", "key") != "media" {
			t.Errorf("meta: %s", a.text)
		}
		url, _ := a.at("media", 0, "url").(string)
		if got := c.get(strings.TrimPrefix(url, "https://provider.example.com")); got.at("sid") != f.MediaID {
			t.Errorf("%s: %s", dialect, got.text)
		}
		c.do("GET", path+"/nonsense", "", 404)
		c.do("DELETE", path+"/nonsense", "", 404)

		c.do("DELETE", path+"/"+f.MediaID, "", 204)
		c.do("DELETE", path+"/"+f.MediaID, "", 404)
		c.do("GET", path+"/"+f.MediaID, "", 404)
		if a := c.get(path); len(a.list("media")) != 0 {
			t.Errorf("%s: after deletion: %s", dialect, a.text)
		}
		if a := c.get(c.faxes("/" + f.ID)); a.at("media_sid") != nil || a.at("media_url") != nil || a.at("status") != "received" {
			t.Errorf("%s: the record after deletion: %s", dialect, a.text)
		}
	}
}

// TestMissingLink: a record of SignalWire may lack the link that the list of
// its media has.
func TestMissingLink(t *testing.T) {
	s, _ := openAt(t, sandbox.Options{Dialect: sandbox.SignalWire})
	if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Faxes: 200}); err != nil {
		t.Fatal(err)
	}
	c := call(t, s, sandbox.SignalWire)
	lacking, all := 0, 0
	for _, f := range c.get(c.faxes("?PageSize=1000")).list("faxes") {
		if f["media_sid"] == nil {
			continue
		}
		all++
		if f["media_url"] != nil {
			continue
		}
		lacking++
		link, _ := c.get(c.faxes("/"+f["sid"].(string)+"/Media")).at("media", 0, "media_url").(string)
		if res, _ := fetch(t, s, "HEAD", link); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", link, res.Status)
		}
	}
	if lacking == 0 || lacking > all/4 {
		t.Errorf("%d of %d records lack the link", lacking, all)
	}
}

func TestDownload(t *testing.T) {
	for _, kind := range []string{"application/pdf", "image/tiff"} {
		s, now := openAt(t, sandbox.Options{})
		c := call(t, s, sandbox.Twilio)
		f := add(t, s, sandbox.Fax{Pages: 4, ContentType: kind})
		link, _ := c.get(c.faxes("/" + f.ID)).at("media_url").(string)

		res, whole := fetch(t, s, "GET", link)
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != kind || res.ContentLength != int64(len(whole)) {
			t.Errorf("%s: %s %v", kind, res.Status, res.Header)
		}
		info, err := document.Inspect(strings.NewReader(whole), int64(len(whole)))
		if err != nil || info.Pages != 4 || info.ContentType != kind {
			t.Errorf("%s: %+v, %v", kind, info, err)
		}
		etag := res.Header.Get("ETag")
		if res, body := fetch(t, s, "HEAD", link); res.StatusCode != http.StatusOK || body != "" || res.ContentLength != int64(len(whole)) {
			t.Errorf("HEAD: %s", res.Status)
		}
		res, rest := fetch(t, s, "GET", link, "Range: bytes=1000-", "If-Range: "+etag)
		if res.StatusCode != http.StatusPartialContent || rest != whole[1000:] {
			t.Errorf("the rest: %s, %d of %d bytes", res.Status, len(rest), len(whole)-1000)
		}
		if res, body := fetch(t, s, "GET", link, "Range: bytes=1000-", `If-Range: "other"`); res.StatusCode != http.StatusOK || body != whole {
			t.Errorf("the rest of another version: %s", res.Status)
		}
		if res, _ := fetch(t, s, "GET", link, fmt.Sprintf("Range: bytes=%d-", len(whole))); res.StatusCode != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("beyond the end: %s", res.Status)
		}

		refused := func(what, url string, status int, says string, header ...string) {
			t.Helper()
			res, body := fetch(t, s, "GET", url, header...)
			if res.StatusCode != status || !strings.Contains(body, says) || res.Header.Get("Content-Type") != "application/xml" {
				t.Errorf("%s: %s %s", what, res.Status, body)
			}
		}
		refused("with credentials", link, 400, "InvalidArgument", "Authorization: Basic eDp5")
		refused("a forged date", strings.Replace(link, "Expires=1", "Expires=2", 1), 403, "SignatureDoesNotMatch")
		refused("no signature", strings.SplitN(link, "?", 2)[0], 403, "SignatureDoesNotMatch")
		now.Time = noon.Add(2*time.Hour - time.Second)
		if res, _ := fetch(t, s, "GET", link); res.StatusCode != http.StatusOK {
			t.Errorf("just before it ends: %s", res.Status)
		}
		now.Time = noon.Add(2 * time.Hour)
		refused("an old link", link, 403, "Request has expired")

		fresh, _ := c.get(c.faxes("/" + f.ID)).at("media_url").(string)
		if res, body := fetch(t, s, "GET", fresh); res.StatusCode != http.StatusOK || body != whole {
			t.Errorf("a fresh link: %s", res.Status)
		}
		c.do("DELETE", c.faxes("/"+f.ID), "", 204)
		refused("a fax that is gone", fresh, 404, "NoSuchKey")
	}
}

func TestProtectedMedia(t *testing.T) {
	for auth, want := range map[sandbox.MediaAuth]map[string]int{
		sandbox.PublicMedia: {"none": 200, "basic": 400, "bearer": 400, "wrong": 400},
		sandbox.BasicMedia:  {"none": 401, "basic": 200, "bearer": 200, "wrong": 403},
		sandbox.BearerMedia: {"none": 401, "basic": 403, "bearer": 200, "wrong": 403},
	} {
		s, _ := openAt(t, sandbox.Options{Dialect: sandbox.SignalWire, MediaAuth: auth})
		c := call(t, s, sandbox.SignalWire)
		f := add(t, s, sandbox.Fax{})
		link, _ := c.get(c.faxes("/"+f.ID+"/Media")).at("media", 0, "media_url").(string)
		basic := base64.StdEncoding.EncodeToString([]byte(s.Account().Account + ":" + s.Account().Token))
		for name, header := range map[string][]string{
			"none":   nil,
			"basic":  {"Authorization: Basic " + basic},
			"bearer": {"Authorization: Bearer " + s.Account().Token},
			"wrong":  {"Authorization: Bearer of bad news"},
		} {
			if res, _ := fetch(t, s, "GET", link, header...); res.StatusCode != want[name] {
				t.Errorf("media for %q, credentials %s: %s, want %d", auth, name, res.Status, want[name])
			}
		}
	}
}

// TestGivenDocument: what a caller put in comes out, once stored for many.
func TestGivenDocument(t *testing.T) {
	s, _ := openAt(t, sandbox.Options{})
	c := call(t, s, sandbox.Twilio)
	const given = "%PDF-1.4 not much of one"
	a := add(t, s, sandbox.Fax{Document: []byte(given)})
	b := add(t, s, sandbox.Fax{Document: []byte(given)})
	none := add(t, s, sandbox.Fax{Document: []byte(given), NoMedia: true})
	link := func(f sandbox.Fax) string {
		url, _ := c.get(c.faxes("/" + f.ID)).at("media_url").(string)
		return url
	}
	if none.MediaID != "" || link(none) != "" {
		t.Error("a document was kept that should not be")
	}
	first, second := link(a), link(b)
	c.do("DELETE", c.faxes("/"+a.ID), "", 204)
	if res, _ := fetch(t, s, "GET", first); res.StatusCode != http.StatusNotFound {
		t.Errorf("the document of a deleted fax: %s", res.Status)
	}
	if _, body := fetch(t, s, "GET", second); body != given {
		t.Errorf("the document given came out as %q", body)
	}
	c.do("DELETE", c.faxes("/"+b.ID+"/Media/"+b.MediaID), "", 204)
	if res, _ := fetch(t, s, "GET", second); res.StatusCode != http.StatusNotFound {
		t.Errorf("a deleted document: %s", res.Status)
	}
	if _, err := s.ChangeFax(t.Context(), b.ID, func(f *sandbox.Fax) error { f.Price = "0.01"; return nil }); err != nil {
		t.Fatal(err)
	}
	if link(b) != "" {
		t.Error("a deleted document came back")
	}
}

func TestSeedFaxes(t *testing.T) {
	const count = 3000
	var lists [2][]string
	for i := range lists {
		s, _ := openAt(t, sandbox.Options{})
		if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Numbers: 3, Faxes: count, Days: 20, InProgress: 4}); err != nil {
			t.Fatal(err)
		}
		c := call(t, s, sandbox.Twilio)
		seen, oldest := map[string]int{}, "9"
		for next := c.faxes("?PageSize=1000"); next != ""; {
			a := c.get(next)
			for _, f := range a.list("faxes") {
				for _, key := range []string{"direction", "status", "quality"} {
					seen[f[key].(string)]++
				}
				oldest = min(oldest, f["date_created"].(string))
				if created := f["date_created"].(string); created > "2026-11-23T12:00:00Z" {
					t.Errorf("a fax of the future: %v", f)
				}
			}
			lists[i] = append(lists[i], sids(a)...)
			url, _ := a.at("meta", "next_page_url").(string)
			next = strings.TrimPrefix(url, "https://provider.example.com")
		}
		if len(lists[i]) != count || oldest < "2026-11-03" || oldest > "2026-11-06" {
			t.Errorf("%d faxes from %s on", len(lists[i]), oldest)
		}
		want := []string{"busy", "canceled", "delivered", "failed", "fine", "inbound", "no-answer", "outbound", "received", "standard"}
		for _, kind := range want {
			if seen[kind] == 0 {
				t.Errorf("no fax is %s: %v", kind, seen)
			}
		}
		if running := seen["receiving"] + seen["processing"] + seen["sending"]; running != 4 {
			t.Errorf("%d faxes in progress, want 4", running)
		}
		if seen["inbound"] < 2*seen["outbound"] || seen["failed"] > count/10 {
			t.Errorf("not the traffic of an office: %v", slices.Collect(maps.Keys(seen)))
		}
		// More on top of them.
		if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Faxes: 10, Document: []byte("%PDF-1.4 shared")}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(lists[0], lists[1]) {
		t.Error("two accounts seeded at one moment differ")
	}
	s, _ := openAt(t, sandbox.Options{})
	for _, bad := range []sandbox.SeedOptions{{Faxes: -1}, {Faxes: 1, Days: -1}, {Faxes: 1, InProgress: 2}} {
		if _, err := s.Seed(t.Context(), bad); err == nil {
			t.Errorf("%+v was seeded", bad)
		}
	}
}

// TestSeedAfterReset: what is made up anew is other faxes. A provider never gives an id
// again, and an archive that has one keeps what it has.
func TestSeedAfterReset(t *testing.T) {
	s, clock := openAt(t, sandbox.Options{})
	given := map[string]bool{}
	for range 3 {
		if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Numbers: 1, Faxes: 50}); err != nil {
			t.Fatal(err)
		}
		for _, id := range sids(call(t, s, sandbox.Twilio).get("/v1/Faxes?PageSize=1000")) {
			if given[id] {
				t.Errorf("%s is given twice", id)
			}
			given[id] = true
		}
		if err := s.Reset(t.Context()); err != nil {
			t.Fatal(err)
		}
		clock.Time = clock.Add(time.Second)
	}
	if len(given) != 150 {
		t.Errorf("%d faxes", len(given))
	}
}

// TestSeededDocuments: each has as many pages as its record says.
func TestSeededDocuments(t *testing.T) {
	s, _ := openAt(t, sandbox.Options{})
	if _, err := s.Seed(t.Context(), sandbox.SeedOptions{Faxes: 25}); err != nil {
		t.Fatal(err)
	}
	for _, f := range call(t, s, sandbox.Twilio).get("/v1/Faxes").list("faxes") {
		link, _ := f["media_url"].(string)
		if link == "" {
			continue
		}
		_, body := fetch(t, s, "GET", link)
		info, err := document.Inspect(strings.NewReader(body), int64(len(body)))
		if err != nil || float64(info.Pages) != f["num_pages"] {
			t.Errorf("%v pages on record, document %+v, %v", f["num_pages"], info, err)
		}
	}
}
