package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/faxctl/faxctl/pkg/sandbox"
)

func faults(t *testing.T, texts ...string) []sandbox.Fault {
	t.Helper()
	var all []sandbox.Fault
	for _, text := range texts {
		f, err := sandbox.ParseFault(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// Answers in other words than the provider's, and its storage's own.
func TestFaultForms(t *testing.T) {
	for fault, want := range map[string]struct {
		status     int
		kind, text string
	}{
		"/Faxes/*$=404":       {404, "application/json", `"code":20404`},
		"/Faxes/*$=410":       {410, "application/json", `"code":20410`},
		"/Faxes/*$=404:html":  {404, "text/html", "<html>"},
		"/Faxes/*$=404:text":  {404, "text/plain; charset=utf-8", "404 Not Found\n"},
		"/Faxes/*$=404:empty": {404, "", ""},
		"/Faxes/*$=200:html":  {200, "text/html", "<html>"},
		"/media-cdn=404":      {404, "application/xml", "<Code>NoSuchKey</Code>"},
		"/media-cdn=503":      {503, "application/xml", "<Code>ServiceUnavailable</Code>"},
	} {
		s := open(t, sandbox.Options{Faults: faults(t, fault)})
		path := "/v1/Faxes/FX1"
		if strings.HasPrefix(fault, "/media-cdn") {
			path = "/media-cdn/FX1/ME1.pdf"
		}
		r := httptest.NewRecorder()
		s.Handler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, path, nil))
		if r.Code != want.status || r.Header().Get("Content-Type") != want.kind || !strings.Contains(r.Body.String(), want.text) || want.text == "" && r.Body.Len() > 0 {
			t.Errorf("%s: %d %s %s", fault, r.Code, r.Header().Get("Content-Type"), r.Body)
		}
	}
}

// A fault that lasts for a while comes back when it is told to.
func TestFaultStretch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for fault, want := range map[string]string{
			"/media-cdn=404~300ms":    "xxx...............",
			"/media-cdn=404~300ms/1s": "xxx.......xxx.....",
		} {
			s := open(t, sandbox.Options{Faults: faults(t, fault)})
			got := ""
			for range len(want) {
				r := httptest.NewRecorder()
				s.Handler().ServeHTTP(r, httptest.NewRequest(http.MethodGet, "/media-cdn/FX1/ME1.pdf", nil))
				struck := "."
				if strings.Contains(r.Body.String(), "injected") {
					struck = "x"
				}
				got += struck
				time.Sleep(100 * time.Millisecond)
			}
			if got != want {
				t.Errorf("%s: %s, want %s", fault, got, want)
			}
		}
	})
}

// What a client sees of each fault, and whether the purchase happened.
func TestFaults(t *testing.T) {
	const buy = "PhoneNumber=%2B15005550006"
	for fault, c := range map[string]struct {
		status, code int // 0: no answer at all
		bought       int
	}{
		"POST /IncomingPhoneNumbers=503#1":       {503, 20503, 0},
		"POST /IncomingPhoneNumbers=429#1":       {429, 20429, 0},
		"POST /IncomingPhoneNumbers=400/21404#1": {400, 21404, 0},
		"POST /IncomingPhoneNumbers=html#1":      {502, 0, 0},
		"POST /IncomingPhoneNumbers=reset#1":     {0, 0, 0},
		"POST /IncomingPhoneNumbers=lost#1":      {0, 0, 1},
		"POST /IncomingPhoneNumbers=truncate#1":  {0, 0, 1},
		"POST /IncomingPhoneNumbers=slow=1ms#1":  {201, 0, 1},
		"DELETE /IncomingPhoneNumbers=503":       {201, 0, 1},
	} {
		t.Run(fault, func(t *testing.T) {
			c1 := call(t, open(t, sandbox.Options{Faults: faults(t, fault)}), sandbox.Twilio)
			a, err := c1.send(t.Context(), "POST", c1.root+"/IncomingPhoneNumbers.json", buy)
			code, _ := a.at("code").(float64)
			if a.status != c.status || int(code) != c.code || (err != nil) != (c.status == 0) {
				t.Errorf("answer %d/%v, error %v; want %d/%d", a.status, code, err, c.status, c.code)
			}
			if strings.Contains(fault, "html") && !strings.HasPrefix(a.text, "<html>") {
				t.Errorf("page: %s", a.text)
			}
			if strings.Contains(fault, "truncate") && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("a cut body ends with %v", err)
			}
			if got := len(ids(c1.get("IncomingPhoneNumbers.json"))); got != c.bought {
				t.Errorf("%d bought, want %d", got, c.bought)
			}
		})
	}
}

func TestFaultIgnore(t *testing.T) {
	c := call(t, open(t, sandbox.Options{Faults: faults(t, "/IncomingPhoneNumbers/*=ignore")}), sandbox.Twilio)
	id := c.buy("PhoneNumber=%2B15005550006")
	a := c.do("POST", "IncomingPhoneNumbers/"+id+".json", "VoiceReceiveMode=fax", 200)
	if a.at("voice_receive_mode") != "voice" || c.get("IncomingPhoneNumbers/"+id+".json").at("voice_receive_mode") != "voice" {
		t.Errorf("the change stuck: %s", a.text)
	}
	c.do("DELETE", "IncomingPhoneNumbers/"+id+".json", "", 204)
	c.get("IncomingPhoneNumbers/" + id + ".json")
}

func TestFaultAs(t *testing.T) {
	account := open(t, sandbox.Options{}).Account().Account
	c := call(t, open(t, sandbox.Options{Faults: faults(t, "GET /IncomingPhoneNumbers/PN1=as=/2010-04-01/Accounts/"+account+".json")}), sandbox.Twilio)
	if got := c.get("IncomingPhoneNumbers/PN1.json").at("sid"); got != account {
		t.Errorf("the answer is about %v, want %s", got, account)
	}
	c.do("GET", "IncomingPhoneNumbers/PN2.json", "", 404)
}

func TestFaultHang(t *testing.T) {
	c := call(t, open(t, sandbox.Options{Faults: faults(t, "/IncomingPhoneNumbers=hang")}), sandbox.Twilio)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if a, err := c.send(ctx, "POST", "IncomingPhoneNumbers.json", "AreaCode=415"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("answer %d, error %v", a.status, err)
	}
}

// One seed, one order of requests, one result.
func TestFaultProbability(t *testing.T) {
	strikes := func(seed uint64) (n int) {
		c := call(t, open(t, sandbox.Options{Faults: faults(t, "/AvailablePhoneNumbers=503@0.3"), Seed: seed}), sandbox.Twilio)
		for range 200 {
			a, err := c.send(t.Context(), "GET", "AvailablePhoneNumbers.json", "")
			if err != nil {
				t.Fatal(err)
			}
			if a.status == 503 {
				n++
			}
		}
		return n
	}
	first := strikes(1)
	if first < 30 || first > 90 {
		t.Errorf("%d of 200 at 0.3", first)
	}
	if again := strikes(1); again != first {
		t.Errorf("the same seed gives %d, then %d", first, again)
	}
}

func TestMaxConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := call(t, open(t, sandbox.Options{MaxConcurrent: 2, Latency: 50 * time.Millisecond}), sandbox.Twilio)
		var wg sync.WaitGroup
		var mu sync.Mutex
		count := map[int]int{}
		for range 8 {
			wg.Go(func() {
				a, err := c.send(t.Context(), "GET", "IncomingPhoneNumbers.json", "")
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				count[a.status]++
				if a.status == 429 && a.at("code") != 20429.0 {
					t.Errorf("429: %s", a.text)
				}
			})
		}
		wg.Wait()
		if count[200] != 2 || count[429] != 6 {
			t.Errorf("statuses %v", count)
		}
	})
}

// Over TCP a reset is a reset.
func TestResetOverTCP(t *testing.T) {
	s := open(t, sandbox.Options{Faults: faults(t, "/=reset")})
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/2010-04-01/Accounts.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Client().Do(r)
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
}

// A fault that strikes twice strikes no third time.
func TestFaultTimes(t *testing.T) {
	c := call(t, open(t, sandbox.Options{Faults: faults(t, "/AvailablePhoneNumbers=503#2")}), sandbox.Twilio)
	for _, status := range []int{503, 503, 200, 200} {
		c.do("GET", "AvailablePhoneNumbers.json", "", status)
	}
}

// A body without end is not read without end. The client sees an error answer,
// or the connection closed on it while it still sends.
func TestEndlessForm(t *testing.T) {
	c := call(t, open(t, sandbox.Options{}), sandbox.Twilio)
	a, err := c.send(t.Context(), "POST", "IncomingPhoneNumbers.json", "PhoneNumber=%2B15005550006&Nonsense="+strings.Repeat("x", 2<<20))
	if err == nil && a.status != 400 {
		t.Errorf("status %d", a.status)
	}
	if got := len(ids(c.get("IncomingPhoneNumbers.json"))); got != 0 {
		t.Errorf("%d numbers bought by it", got)
	}
}
