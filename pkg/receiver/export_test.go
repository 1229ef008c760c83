package receiver

import (
	"context"
	"crypto/tls"
	"net"
)

// ServeAlone serves without working off the jobs.
func (r *Receiver) ServeAlone(l net.Listener) error { return r.server(nil).Serve(l) }

// Certify asks for the certificate until there is one.
func (r *Receiver) Certify(ctx context.Context, config *tls.Config) { r.certify(ctx, config) }
