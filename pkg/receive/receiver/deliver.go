package receiver

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/faxctl/faxctl/pkg/base/child"
	"github.com/faxctl/faxctl/pkg/fax"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

// exec runs the operator's program for an event. It gets the event in its
// environment, and as JSON on its standard input, and nothing else of ours: no
// credentials. Exit status 0 is success; anything else is tried again later.
func (r *Receiver) exec(ctx context.Context, e Event) error {
	event, err := json.Marshal(e)
	if err != nil {
		return err
	}
	cmd := child.Command(ctx, r.cfg.Exec...)
	cmd.Env = append(passedOn(os.Environ()), e.environment()...)
	cmd.Stdin = bytes.NewReader(append(event, '\n'))
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := child.Run(ctx, cmd); err != nil {
		if words := masked(text(said.String()), e.From, e.To); words != "" {
			return fmt.Errorf("%s: %w: %s", r.cfg.Exec[0], err, words)
		}
		return fmt.Errorf("%s: %w", r.cfg.Exec[0], err)
	}
	return nil
}

// masked is what a program said, fit for the log.
func masked(s string, numbers ...string) string {
	for _, number := range numbers {
		if number != "" {
			s = strings.ReplaceAll(s, number, fax.MaskPhone(number))
		}
	}
	return s
}

// passedOn are the variables a program needs to run at all.
func passedOn(env []string) []string {
	var kept []string
	for _, v := range env {
		switch name, _, _ := strings.Cut(v, "="); name {
		case "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SHELL",
			"SYSTEMROOT", "TEMP", "TMP", "USERPROFILE", "PATHEXT", "COMSPEC":
			kept = append(kept, v)
		}
	}
	return kept
}

// environment is the event as variables. Those without a value are there, and
// empty.
func (e Event) environment() []string {
	pages := ""
	if e.Pages != nil {
		pages = strconv.Itoa(*e.Pages)
	}
	return []string{
		"FAX_ID=" + e.FaxID,
		"FAX_FROM=" + e.From,
		"FAX_TO=" + e.To,
		"FAX_STATUS=" + string(e.Status),
		"FAX_PAGES=" + pages,
		"FAX_REMOTE_STATION=" + e.RemoteStation,
		"FAX_ERROR_CODE=" + e.ErrorCode,
		"FAX_ERROR_MESSAGE=" + e.ErrorMessage,
		"FAX_RECEIVED=" + e.Received.Format(time.RFC3339),
		"FAX_DOCUMENT=" + e.Document,
		"FAX_CONTENT_TYPE=" + e.ContentType,
		"FAX_SHA256=" + e.SHA256,
	}
}

// tail keeps the last of what is written to it.
type tail struct{ b []byte }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - maxText; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

// String is what was kept.
func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }

// The headers of a forwarded event. The signature is the hex HMAC-SHA256 of the
// time, a dot and the body; the time lets the other side refuse old requests,
// the id repeated ones.
const (
	SignatureHeader = "X-Faxctl-Signature"
	TimeHeader      = "X-Faxctl-Time" // Unix seconds
	EventHeader     = "X-Faxctl-Event"
)

// SignForward is the value of [SignatureHeader] for a body sent at a time, as
// [TimeHeader] writes it.
func SignForward(key webhook.Key, unix string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(string(key)))
	_, _ = io.WriteString(mac, unix+".")
	_, _ = mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// forward tells the operator's server of an event. Any 2xx is success. The path
// of the document means nothing there and is left out.
func (r *Receiver) forward(ctx context.Context, e Event) error {
	e.Document = ""
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.cfg.Forward, bytes.NewReader(body))
	if err != nil {
		return err
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "faxctl")
	req.Header.Set(EventHeader, e.FaxID+"/"+string(e.Status))
	req.Header.Set(TimeHeader, now)
	req.Header.Set(SignatureHeader, SignForward(r.cfg.ForwardKey, now, body))
	resp, err := r.client.Do(req)
	if err != nil {
		var inner *url.Error // its text has the whole URL, whose path may be a secret
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return fmt.Errorf("forward to %s: %w", req.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxForm)) // so that the connection can be used again
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("forward: the server answers HTTP %d", resp.StatusCode)
	}
	return nil
}

// forwardClient goes where it was told and nowhere else.
func forwardClient() *http.Client {
	return &http.Client{
		Timeout:       30 * time.Second,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
