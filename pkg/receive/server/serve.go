// Package server lets in whoever comes, and lets nobody keep the others waiting.
//
// Whoever calls a receiver is a stranger until its signature is verified, which takes
// its whole request. So each has so much time and so many bytes, at no less than a pace;
// when all places are taken, the slowest of those who are not known is put out for the
// next. TLS is here too, with certificates from files or from an authority, and what
// systemd is told.
//
// Use [Serve] for the connections, [Strangers] to read bodies, and [Trust] once a
// sender is known.
package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Options is what a server needs to know.
type Options struct {
	Handler http.Handler
	TLS     *tls.Config   // nil: plain HTTP; see [CertificateFiles] and [ACME]
	Host    string        // whose certificate is asked for at the start
	Conns   int           // at once
	Drain   time.Duration // how long what is under way may take at the end
	Log     *slog.Logger
	PutOut  func() // a slow connection was closed since all were taken

	// Served is told of each certificate of Host that a connection gets, and of the
	// first one at the start. nil: nobody is.
	Served func(*x509.Certificate)

	// Work runs beside, until its context ends. When it ends by itself, so does the
	// server. nil: there is none.
	Work func(context.Context) error
}

// Serve answers on l until ctx ends. Then it takes no more, lets what is under way
// finish, and returns nil. systemd is told when it is ready and when it stops.
func Serve(ctx context.Context, l net.Listener, o Options) error {
	o.TLS = o.tellServed()
	server := o.server()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var working sync.WaitGroup
	var workErr error
	if o.Work != nil {
		working.Go(func() {
			workErr = o.Work(ctx)
			cancel() // without it there is no reason to go on answering
		})
	}
	working.Go(func() { o.certify(ctx) })
	served := make(chan error, 1)
	go func() {
		if door := newDoor(l, o.Conns, o.PutOut); o.TLS != nil {
			served <- server.ServeTLS(door, "", "")
		} else {
			served <- server.Serve(door)
		}
	}()
	o.Log.Info("receiving", "connections", o.Conns, "open files", openFiles())
	if err := notify("READY=1"); err != nil {
		o.Log.Warn("systemd was not told", "error", err)
	}
	var err error
	select {
	case err = <-served:
		cancel()
	case <-ctx.Done():
		o.Log.Info("ending: what is under way may finish", "within", o.Drain)
		_ = notify("STOPPING=1") // systemd will see it end anyway
		ending, stop := context.WithTimeout(context.WithoutCancel(ctx), o.Drain)
		if server.Shutdown(ending) != nil {
			_ = server.Close() // those that hang are cut off
		}
		stop()
		err = <-served
	}
	working.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, workErr)
}

// server is the limits of time and size that every connection has.
func (o Options) server() *http.Server {
	var one http.Protocols // a connection is a request at a time, or Conns would bound nothing
	one.SetHTTP1(true)
	return &http.Server{
		Handler:           o.Handler,
		Protocols:         &one,
		TLSConfig:         o.TLS,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second, // an upload asks for more
		WriteTimeout:      uploadTime + 30*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnContext:       withGuest,
		ConnState:         rest,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
}

// notify tells systemd about us, if it started us.
// Source: sd_notify(3).
func notify(state string) error {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: address, Net: "unixgram"})
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte(state))
	return errors.Join(err, conn.Close())
}
