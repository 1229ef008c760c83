package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/faxctl/faxctl/pkg/receive/webhook"
	"github.com/faxctl/faxctl/pkg/sandbox"
)

// patience is how long a script waits for what others do.
const patience = time.Minute

// until repeats a command until it succeeds.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: until COMMAND...")
	}
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := ts.Exec(args[0], args[1:]...)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s: not within %s: %v", strings.Join(args, " "), patience, err)
		}
	}
}

// attack sends a request to the receiver at 127.0.0.1:$PORT and wants its answer
// to have a status, or with - does not wait for one. The body of the answer is
// then in the file answer, and the signature that was sent in $SIGNATURE. The request begins as the honest news
// that the fax $FAX has arrived at $PHONE, and each argument changes one thing.
func attack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: attack STATUS METHOD PATH [FIELD=VALUE | 'HEADER: VALUE' | --CHANGE[=VALUE]]...")
	}
	box, err := sandbox.Open(context.Background(), sandbox.Options{Dialect: sandbox.Twilio})
	ts.Check(err)
	account := box.Account()
	ts.Check(box.Close())
	at := "127.0.0.1:" + ts.Getenv("PORT")
	v := villain{
		method: args[1], path: args[2], signedFor: "http://" + at + args[2], key: webhook.Key(account.SigningKey), times: 1,
		header: http.Header{"Host": {at}},
		form: webhook.Twilio.Form(webhook.Event{
			FaxID: ts.Getenv("FAX"), AccountID: account.Account, From: "+12125550123", To: ts.Getenv("PHONE"), Status: "received", Pages: new(1),
		}),
	}
	for _, arg := range args[3:] {
		name, value, _ := strings.Cut(arg, "=")
		if header, text, ok := strings.Cut(arg, ":"); ok && !strings.Contains(header, "=") {
			v.header[http.CanonicalHeaderKey(header)] = nil // it is left out
			if text = strings.TrimSpace(text); text != "" {
				v.header.Set(header, text)
			}
		} else if change, ok := strings.CutPrefix(name, "--"); ok {
			ts.Check(v.change(ts, change, value))
		} else {
			v.form.Set(name, value)
		}
	}
	request, err := v.request()
	ts.Check(err)
	for range v.times {
		conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", at)
		ts.Check(err)
		ts.Check(conn.SetDeadline(time.Now().Add(patience)))
		go func() { _ = v.send(conn, request) }() // the other side may stop reading first
		if args[0] == "-" {
			ts.Defer(func() { _ = conn.Close() })
			continue
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		ts.Check(err)
		body, _ := io.ReadAll(answer.Body) // of a request without end it may end early
		ts.Check(errors.Join(conn.Close(), os.WriteFile(ts.MkAbs("answer"), body, 0o600)))
		if got := strconv.Itoa(answer.StatusCode); got != args[0] {
			ts.Fatalf("answered %s %s, want %s", got, body, args[0])
		}
	}
	ts.Setenv("SIGNATURE", v.header.Get(webhook.Twilio.Header()))
}

// villain is a request in the making.
type villain struct {
	method, path string
	header       http.Header
	form         url.Values
	signedFor    string // URL
	key          webhook.Key

	whole     string // instead of all of the above
	body      string // instead of the form
	documents []webhook.Document
	parts     int // more of them, empty
	cut       int // bytes that the body lacks at its end

	endless bool // the end of the request goes on for ever
	hold    bool // the second half of the body never comes
	times   int
}

// change reads what begins with two dashes.
func (v *villain) change(ts *testscript.TestScript, what, value string) (err error) {
	switch what {
	case "signed-for":
		v.signedFor = value
	case "key":
		v.key = webhook.Key(value)
	case "whole":
		v.whole = wire(ts.ReadFile(value))
	case "body":
		v.body = wire(ts.ReadFile(value))
	case "document":
		file, name, _ := strings.Cut(value, ":")
		v.documents = append(v.documents, webhook.Document{Name: name, Content: []byte(ts.ReadFile(file))})
	case "parts":
		v.parts, err = strconv.Atoi(value)
	case "cut":
		v.cut, err = strconv.Atoi(value)
	case "endless":
		v.endless = true
	case "hold":
		v.hold = true
	case "times":
		v.times, err = strconv.Atoi(value)
	default:
		err = fmt.Errorf("--%s is no change", what)
	}
	return err
}

// wire is a text as it is sent. Its last line has no end: more may follow.
func wire(s string) string {
	return strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\r\n")
}

// request is what is sent, up to the point where it goes on for ever.
func (v *villain) request() ([]byte, error) {
	if v.whole != "" {
		return []byte(v.whole), nil
	}
	body, kind, err := v.content()
	if err != nil {
		return nil, err
	}
	signed := v.form
	if v.method == http.MethodGet {
		v.path += "?" + v.form.Encode()
		v.signedFor += "?" + v.form.Encode()
		signed = nil
	}
	length := "Content-Length: " + strconv.Itoa(len(body)-v.cut)
	if v.endless {
		length = "Transfer-Encoding: chunked"
	}
	honest := http.Header{"Content-Type": {kind}, webhook.Twilio.Header(): {webhook.Sign(v.key, v.signedFor, signed)}}
	for name, values := range honest {
		if _, changed := v.header[name]; !changed {
			v.header[name] = values
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n%s\r\n", v.method, v.path, length)
	if err := v.header.Write(&b); err != nil {
		return nil, err
	}
	b.WriteString("\r\n")
	switch {
	case v.endless:
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(body), body)
	case v.hold:
		b.WriteString(body[:len(body)/2])
	default:
		b.WriteString(body[:len(body)-v.cut])
	}
	return b.Bytes(), nil
}

// content is the body and its type.
func (v *villain) content() (body, kind string, err error) {
	form := "application/x-www-form-urlencoded"
	switch {
	case v.body != "" || v.method == http.MethodGet:
		return v.body, form, nil
	case len(v.documents)+v.parts == 0:
		return v.form.Encode(), form, nil
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name := range v.form {
		err = errors.Join(err, w.WriteField(name, v.form.Get(name)))
	}
	for range v.parts {
		err = errors.Join(err, w.WriteField("", ""))
	}
	for _, d := range v.documents {
		part, bad := w.CreateFormFile("Media", d.Name)
		if bad == nil {
			_, bad = part.Write(d.Content)
		}
		err = errors.Join(err, bad)
	}
	if !v.endless {
		err = errors.Join(err, w.Close())
	}
	return b.String(), w.FormDataContentType(), err
}

// send writes the request to a connection, and what follows it.
func (v *villain) send(conn net.Conn, request []byte) error {
	_, err := conn.Write(request)
	more := []byte(strings.Repeat("x", 32<<10))
	if v.whole == "" {
		more = fmt.Appendf(nil, "%x\r\n%s\r\n", len(more), more)
	}
	for v.endless && err == nil {
		_, err = conn.Write(more)
	}
	return err
}
