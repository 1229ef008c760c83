package receiver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"

	"github.com/faxctl/faxctl/pkg/receive/server"
)

// Serve answers on l and works off the jobs until ctx ends. Then it takes no
// more, lets what is under way finish within Config.Drain, and returns nil. A
// nil config is plain HTTP.
func (r *Receiver) Serve(ctx context.Context, l net.Listener, config *tls.Config) error {
	o := r.serverOptions()
	o.TLS, o.Work = config, r.Run
	r.certificate.served.Store(config != nil)
	o.Served = func(c *x509.Certificate) { r.certificate.ends.Store(c.NotAfter.Unix()) }
	return server.Serve(ctx, l, o)
}

func (r *Receiver) serverOptions() server.Options {
	return server.Options{
		Handler: r.Handler(), Host: r.host, Conns: r.cfg.MaxConns, Drain: r.cfg.Drain, Log: r.log,
		PutOut: func() {
			r.metrics.putOut.Add(1)
			r.rarely("put out", func(n int) {
				r.log.Warn("all connections are taken: the slowest whose sender is not known is put out", "connections", r.cfg.MaxConns, "times", n)
			})
		},
	}
}
