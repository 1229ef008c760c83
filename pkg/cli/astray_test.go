package cli_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
)

// keepLink notes where the provider is to say that the document of a fax is.
func keepLink(file, id, link string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, id, link)
	return errors.Join(err, f.Close())
}

// relink is the provider, but for the links that the file notes.
func relink(file string, provider http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		links, err := os.ReadFile(file)
		if err != nil {
			provider.ServeHTTP(w, r) // there are none
			return
		}
		rec := httptest.NewRecorder()
		provider.ServeHTTP(rec, r)
		body := rec.Body.String()
		for line := range strings.Lines(string(links)) {
			id, link, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(link, "/") {
				link = "http://" + r.Host + link
			}
			body = regexp.MustCompile(`"media_url":"[^"]*`+id+`[^"]*"`).ReplaceAllLiteralString(body, `"media_url":"`+link+`"`)
		}
		for name := range rec.Header() {
			w.Header().Set(name, rec.Header().Get(name))
		}
		w.Header().Del("Content-Length")
		w.WriteHeader(rec.Code)
		_, _ = io.WriteString(w, body)
	})
}

// astray answers what is below /cdn/, as a provider's content network would that
// fell into the wrong hands.
func astray(w http.ResponseWriter, r *http.Request) bool {
	zeros := make([]byte, 1<<20)
	switch r.URL.Path {
	case "/cdn/moved":
		http.Redirect(w, r, r.FormValue("to"), http.StatusFound)
	case "/cdn/endless":
		w.Header().Set("Content-Type", "application/pdf")
		for _, err := io.WriteString(w, "%PDF-1.7\n"); err == nil; {
			_, err = w.Write(zeros)
		}
	case "/cdn/bomb": // a quarter of a gigabyte of nothing, a packed megabyte again and again
		w.Header().Set("Content-Type", "application/pdf")
		w.Header().Set("Content-Encoding", "gzip")
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		_, err := zip.Write(zeros)
		err = errors.Join(err, zip.Close())
		for n := 0; n < 256 && err == nil; n++ {
			_, err = w.Write(packed.Bytes())
		}
	default:
		return false
	}
	return true
}
