package cli_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faxctl/faxctl/pkg/receive/webhook"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// application serves what a person may have written to take faxes: each path is
// another answer, right or wrong. A request whose signature is not that of the
// sandbox in the dialect is refused.
func application(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: application DIALECT")
	}
	dialect := webhook.Dialect(args[0])
	box, err := sandbox.Open(context.Background(), sandbox.Options{Dialect: sandbox.Dialect(args[0])})
	ts.Check(err)
	key := webhook.Key(box.Account().SigningKey)
	ts.Check(box.Close())
	heard := filepath.Join(ts.Getenv("WORK"), "heard")
	log, err := os.Create(heard)
	ts.Check(err)
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseMultipartForm(8 << 20)
		signed, document := r.PostForm, ""
		if r.MultipartForm != nil {
			signed = r.MultipartForm.Value
			if f, head, err := r.FormFile("Media"); err == nil {
				content, _ := io.ReadAll(f)
				document = fmt.Sprintf(" with %s %s of %.4s", head.Header.Get("Content-Type"), head.Filename, content)
			}
		}
		right := webhook.Verify(key, "http://"+r.Host+r.RequestURI, signed, r.Header.Get(dialect.Header()))
		mu.Lock()
		_, _ = fmt.Fprintf(log, "%s %s %s %s%s\n", r.Method, r.URL.Path, r.Form.Get("FaxSid"), r.Form.Encode(), document)
		mu.Unlock()
		if !right {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		answer(w, r)
	}))
	ts.Defer(func() {
		server.Close()
		_ = log.Close()
	})
	ts.Setenv("APP", server.URL)
	ts.Setenv("HEARD", heard)
}

func answer(w http.ResponseWriter, r *http.Request) {
	receive := func(attributes string) string { return "<Response><Receive " + attributes + "/></Response>" }
	documents := map[string]string{
		"/fax":     receive(`action="/done"`),
		"/get":     receive(`action="/done" method="GET"`),
		"/keep":    receive(`action="/done" storeMedia="false"`),
		"/lose":    receive(`action="/busy" storeMedia="false"`),
		"/untold":  receive(`action="/busy"`),
		"/plain":   receive(""),
		"/reject":  "<Response><Reject/></Response>",
		"/music":   "<Response><Play/></Response>",
		"/broken":  "<Response>",
		"/root":    "<html/>",
		"/big":     receive("") + strings.Repeat(" ", 64<<10),
		"/unknown": receive(`pageSize="a3"`),
	}
	switch document, known := documents[r.URL.Path]; {
	case known:
		w.Header().Set("Content-Type", "text/xml")
		w.Header().Set("Server", webhook.Server)
		_, _ = io.WriteString(w, document)
	case r.URL.Path == "/done":
		w.WriteHeader(http.StatusNoContent)
	case r.URL.Path == "/busy":
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.URL.Path == "/moved":
		http.Redirect(w, r, "/fax", http.StatusTemporaryRedirect)
	case r.URL.Path == "/loop":
		http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
	case r.URL.Path == "/json":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	default:
		http.NotFound(w, r)
	}
}
