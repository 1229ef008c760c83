package delivery

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/faxctl/faxctl/pkg/base/problem"
	"github.com/faxctl/faxctl/pkg/receive/webhook"
)

const (
	forwardName  = "forward"
	forwardLimit = time.Minute

	mostAnswer = 64 << 10 // bytes of an answer that are read, so that the connection can be used again
)

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

// Forward posts each event to a server of the operator's, signed. Any 2xx is
// success. The path of the document means nothing there and is left out. Errors:
// fax.ErrInvalid for a URL that is none, or without a key.
func Forward(target string, key webhook.Key) (Delivery, error) {
	if _, err := webhook.CheckURL("the URL to forward to", target); err != nil {
		return Delivery{}, err
	}
	if key == "" {
		return Delivery{}, fmt.Errorf("%w: forwarding needs a key to sign with", problem.ErrInvalid)
	}
	client := forwardClient()
	return Delivery{
		Name: forwardName, Limit: forwardLimit,
		Deliver: func(ctx context.Context, n News, _ Target) error {
			n.Path = ""
			event, err := body(n)
			if err != nil {
				return err
			}
			return post(ctx, client, target, key, n.Event, event)
		},
		Close: client.CloseIdleConnections,
	}, nil
}

func post(ctx context.Context, client *http.Client, target string, key webhook.Key, e Event, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "faxctl")
	req.Header.Set(EventHeader, e.FaxID+"/"+string(e.Status))
	req.Header.Set(TimeHeader, now)
	req.Header.Set(SignatureHeader, SignForward(key, now, body))
	resp, err := client.Do(req)
	if err != nil {
		var inner *url.Error // its text has the whole URL, whose path may be a secret
		if errors.As(err, &inner) {
			err = inner.Err
		}
		return fmt.Errorf("forward to %s: %w", req.URL.Host, err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, mostAnswer))
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
