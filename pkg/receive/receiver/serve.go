package receiver

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Serve answers on l and works off the jobs until ctx ends. Then it takes no
// more, lets what is under way finish within Config.Drain, and returns nil. A
// nil config is plain HTTP; see [CertificateFiles] and [ACME]. systemd is told
// when it is ready and when it stops.
func (r *Receiver) Serve(ctx context.Context, l net.Listener, config *tls.Config) error {
	server := r.server(config)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var working sync.WaitGroup
	var jobsErr error
	working.Go(func() {
		jobsErr = r.Run(ctx)
		cancel() // without jobs there is no reason to go on answering
	})
	working.Go(func() { r.certify(ctx, config) })
	served := make(chan error, 1)
	go func() {
		if config != nil {
			served <- server.ServeTLS(r.door(l), "", "")
		} else {
			served <- server.Serve(r.door(l))
		}
	}()
	r.log.Info("receiving", "connections", r.cfg.MaxConns, "open files", openFiles())
	if err := notify("READY=1"); err != nil {
		r.log.Warn("systemd was not told", "error", err)
	}
	var err error
	select {
	case err = <-served:
		cancel()
	case <-ctx.Done():
		_ = notify("STOPPING=1") // systemd will see it end anyway
		ending, stop := context.WithTimeout(context.WithoutCancel(ctx), r.cfg.Drain)
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
	return errors.Join(err, jobsErr)
}

// server is the limits of time and size that every connection has.
func (r *Receiver) server(config *tls.Config) *http.Server {
	var one http.Protocols // a connection is a request at a time, or MaxConns would bound nothing
	one.SetHTTP1(true)
	return &http.Server{
		Handler:           r.Handler(),
		Protocols:         &one,
		TLSConfig:         config,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second, // an upload asks for more
		WriteTimeout:      uploadTime + 30*time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnContext:       withGuest,
		ConnState:         rest,
		ErrorLog:          slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
}

// door is the limit of connections.
func (r *Receiver) door(l net.Listener) net.Listener {
	return newDoor(l, r.cfg.MaxConns, func() {
		r.metrics.putOut.Inc()
		r.rarely("put out", func(n int) {
			r.log.Warn("all connections are taken: the slowest whose sender is not known is put out", "connections", r.cfg.MaxConns, "times", n)
		})
	})
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
